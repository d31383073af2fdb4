package main

import (
	"bytes"
	"flag"
	"maps"
	"os"
	"slices"

	yip "github.com/rancher/yip/pkg/schema"
	cloudinit "github.com/rancher/yip/pkg/schema/cloudinit"
	"github.com/twpayne/go-vfs/v4"
	"gopkg.in/yaml.v3"

	"k3os-migrate.lab/judge"
)

// stages are those that rancher/elemental-toolkit runs; each also with .before and .after.
var stages = []string{
	"pre-rootfs", "rootfs", "initramfs", "fs", "boot", "network", "reconcile",
	"before-install", "after-install", "after-install-chroot", "post-install",
	"before-upgrade", "after-upgrade", "after-upgrade-chroot", "post-upgrade",
	"before-reset", "after-reset", "after-reset-chroot", "post-reset",
}

// yipBench judges by rancher/yip, which runs inside elemental-toolkit and elemental-operator.
func yipBench(flags *flag.FlagSet) func() (judge.Judge, error) {
	dump := flags.String("dump", "", "file for what the loader understood, as YAML")
	tree := flags.String("tree", "", "folder for the files of the stage, written by yip")
	treeStage := flags.String("stage", "initramfs", "stage whose files -tree writes")
	return func() (judge.Judge, error) {
		return func(path string, data []byte, v *judge.Verdict) {
			config, err := yip.Load(path, vfs.OSFS, yip.FromFile, func(text []byte) ([]byte, error) { return text, nil })
			if err != nil {
				v.Reject("%v", err)
				return
			}
			if *dump != "" {
				if err := writeYAML(*dump, config); err != nil {
					v.Reject("dump: %v", err)
				}
			}
			if *tree != "" {
				if err := writeTree(config, *treeStage, *tree, v); err != nil {
					v.Reject("tree: %v", err)
				}
			}
			checkKeys(data, v)
			if len(config.Stages) == 0 {
				v.Reject("the loader found no stage: the file would do nothing")
			}
			for _, stage := range slices.Sorted(maps.Keys(config.Stages)) {
				checkStage(stage, v)
			}
		}, nil
	}
}

func writeYAML(path string, value any) error {
	text, err := yaml.Marshal(value)
	if err != nil {
		return err
	}
	return os.WriteFile(path, text, 0o600)
}

func checkStage(stage string, v *judge.Verdict) {
	for _, known := range stages {
		if stage == known || stage == known+".before" || stage == known+".after" {
			return
		}
	}
	v.Warn("nobody runs the stage %q; the loader takes any name", stage)
}

// checkKeys decodes once more, strictly. With the header of a cloud-config the loader drops a `stages` that does not decode,
// without a word, so both halves are looked at.
func checkKeys(data []byte, v *judge.Verdict) {
	if !cloudinit.IsCloudConfig(string(data)) {
		decodeStrictly(data, &yip.YipConfig{}, v)
		return
	}
	ours, theirs := split(data, "name", "stages")
	decodeStrictly(ours, &yip.YipConfig{}, v)
	decodeStrictly(theirs, &cloudinit.CloudConfig{}, v)
}

// split makes two documents of one: the named top-level keys, and the others.
func split(data []byte, names ...string) (named, others []byte) {
	pick := func(wanted bool) []byte {
		var document yaml.Node
		if yaml.Unmarshal(data, &document) != nil || len(document.Content) == 0 || document.Content[0].Kind != yaml.MappingNode {
			return data
		}
		table := document.Content[0]
		kept := []*yaml.Node{}
		for i := 0; i+1 < len(table.Content); i += 2 {
			if slices.Contains(names, table.Content[i].Value) == wanted {
				kept = append(kept, table.Content[i], table.Content[i+1])
			}
		}
		table.Content = kept
		text, err := yaml.Marshal(&document)
		if err != nil {
			return data
		}
		return bytes.TrimSpace(text)
	}
	return pick(true), pick(false)
}
