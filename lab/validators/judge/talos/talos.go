// Package talos judges machine configurations by Talos' own loader. The module that imports it chooses the version of Talos.
package talos

import (
	"flag"
	"fmt"
	"strings"

	"github.com/siderolabs/talos/pkg/machinery/api/machine"
	"github.com/siderolabs/talos/pkg/machinery/compatibility"
	"github.com/siderolabs/talos/pkg/machinery/config"
	"github.com/siderolabs/talos/pkg/machinery/config/configloader"
	"github.com/siderolabs/talos/pkg/machinery/config/configpatcher"
	"github.com/siderolabs/talos/pkg/machinery/config/generate"
	"github.com/siderolabs/talos/pkg/machinery/config/generate/secrets"
	machinetype "github.com/siderolabs/talos/pkg/machinery/config/machine"
	"github.com/siderolabs/talos/pkg/machinery/config/validation"
	"github.com/siderolabs/talos/pkg/machinery/constants"

	"k3os-migrate.lab/judge"
)

// mode is how Talos runs; its own type is internal (siderolabs/talos internal/app/machined/pkg/runtime/mode.go).
type mode struct {
	name               string
	install, container bool
}

func (m mode) String() string        { return m.name }
func (m mode) RequiresInstall() bool { return m.install }
func (m mode) InContainer() bool     { return m.container }

var modes = map[string]mode{
	"metal":     {"metal", true, false},
	"cloud":     {"cloud", false, false},
	"container": {"container", false, true},
}

// KubeletImage finds the image of the kubelet, which each version of Talos keeps elsewhere; empty when there is none.
type KubeletImage func(config.Provider) string

// Bench makes the judge for the version of Talos that was compiled in, for example v1.13.9.
func Bench(version string, kubelet KubeletImage) judge.Bench {
	return func(flags *flag.FlagSet) func() (judge.Judge, error) {
		modeName := flags.String("mode", "metal", "metal, cloud or container")
		role := flags.String("patch-of", "", "controlplane or worker: the file is a patch for what talosctl generates for that role")
		return func() (judge.Judge, error) {
			chosen, ok := modes[*modeName]
			if !ok {
				return nil, fmt.Errorf("unknown mode %q", *modeName)
			}
			var generated config.Provider
			if *role != "" {
				var err error
				if generated, err = freshConfig(*role); err != nil {
					return nil, err
				}
			}
			return func(_ string, data []byte, v *judge.Verdict) {
				if provider := look(data, generated, chosen, v); provider != nil {
					kubernetesWindow(kubelet(provider), version, v)
				}
			}, nil
		}
	}
}

// freshConfig is `talosctl gen config` with fresh secrets and its own default for the disk.
func freshConfig(role string) (config.Provider, error) {
	kind, err := machinetype.ParseType(role)
	if err != nil {
		return nil, err
	}
	bundle, err := secrets.NewBundle(secrets.NewClock(), config.TalosVersionCurrent)
	if err != nil {
		return nil, err
	}
	input, err := generate.NewInput("judge", "https://192.0.2.10:6443", constants.DefaultKubernetesVersion,
		generate.WithSecretsBundle(bundle), generate.WithVersionContract(config.TalosVersionCurrent),
		generate.WithInstallDisk("/dev/sda"))
	if err != nil {
		return nil, err
	}
	return input.Config(kind)
}

func look(data []byte, generated config.Provider, chosen mode, v *judge.Verdict) config.Provider {
	provider, err := load(data, generated)
	if err != nil {
		v.Reject("load: %v", err)
		return nil
	}
	// As talosctl validates: strictly, and without looking at the machine it runs on.
	warnings, err := provider.Validate(chosen, validation.WithLocal(), validation.WithStrict())
	for _, warning := range warnings {
		v.Warn("%s", warning)
	}
	if err != nil {
		v.Reject("%v", err)
	}
	if !provider.CompleteForBoot() {
		v.Warn("a machine cannot boot with this alone")
	}
	return provider
}

func load(data []byte, generated config.Provider) (config.Provider, error) {
	if generated == nil {
		return configloader.NewFromBytes(data)
	}
	patch, err := configpatcher.LoadPatch(data)
	if err != nil {
		return nil, err
	}
	out, err := configpatcher.Apply(configpatcher.WithConfig(generated), []configpatcher.Patch{patch})
	if err != nil {
		return nil, err
	}
	// What is written to the machine is text: load it again.
	text, err := out.Bytes()
	if err != nil {
		return nil, err
	}
	return configloader.NewFromBytes(text)
}

// kubernetesWindow asks whether this Talos runs the Kubernetes of the kubelet, which Validate does not ask.
func kubernetesWindow(image, version string, v *judge.Verdict) {
	colon := strings.LastIndex(image, ":")
	if colon < 0 {
		return
	}
	talos, err := compatibility.ParseTalosVersion(&machine.VersionInfo{Tag: version})
	if err != nil {
		v.Reject("version of Talos: %v", err)
		return
	}
	kubernetes, err := compatibility.ParseKubernetesVersion(strings.TrimPrefix(image[colon+1:], "v"))
	if err != nil {
		v.Reject("version of %s: %v", image, err)
		return
	}
	if err := kubernetes.SupportedWith(talos); err != nil {
		v.Reject("%v", err)
	}
}
