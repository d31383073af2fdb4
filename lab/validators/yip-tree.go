package main

import (
	"fmt"
	"io"
	"os"

	"github.com/rancher/yip/pkg/logger"
	"github.com/rancher/yip/pkg/plugins"
	yip "github.com/rancher/yip/pkg/schema"
	"github.com/sirupsen/logrus"
	"github.com/twpayne/go-vfs/v4"

	"k3os-migrate.lab/judge"
)

// writeTree lets yip itself write the folders and files of one stage below root, as they would lie on the machine. Owners
// are not looked up: they are users that only the machine has.
func writeTree(config *yip.YipConfig, stage, root string, v *judge.Verdict) error {
	if len(config.Stages[stage]) == 0 {
		return fmt.Errorf("there is no stage %q", stage)
	}
	if err := os.MkdirAll(root, 0o755); err != nil {
		return err
	}
	log := logrus.New()
	log.SetOutput(io.Discard)
	// A template that yip cannot render is a warning of its log, and goes into the file as it is.
	log.AddHook(remarks{v})
	fs := vfs.NewPathFS(vfs.OSFS, root)
	for _, step := range config.Stages[stage] {
		for i := range step.Directories {
			step.Directories[i].Owner, step.Directories[i].Group = os.Getuid(), os.Getgid()
		}
		for i := range step.Files {
			step.Files[i].Owner, step.Files[i].Group, step.Files[i].OwnerString = os.Getuid(), os.Getgid(), ""
		}
		// In the order in which rancher/elemental-toolkit pkg/cloudinit/cloudinit.go runs them.
		for _, plugin := range []func(logger.Interface, yip.Stage, vfs.FS, plugins.Console) error{
			plugins.EnsureDirectories, plugins.EnsureFiles,
		} {
			if err := plugin(log, step, fs, nil); err != nil {
				return fmt.Errorf("step %q: %w", step.Name, err)
			}
		}
	}
	return nil
}

// remarks takes warnings of yip's log into the verdict.
type remarks struct{ verdict *judge.Verdict }

func (remarks) Levels() []logrus.Level { return []logrus.Level{logrus.WarnLevel} }

func (r remarks) Fire(entry *logrus.Entry) error {
	r.verdict.Warn("%s", entry.Message)
	return nil
}
