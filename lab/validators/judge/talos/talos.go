// Package talos judges machine configurations by Talos' own loader. The module that imports it chooses the version of Talos.
package talos

import (
	"bytes"
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
	"github.com/siderolabs/talos/pkg/machinery/role"
	"go.yaml.in/yaml/v4"

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

// CheckBundle is the check of a bundle itself, which takes other arguments in each version of Talos.
type CheckBundle func(*secrets.Bundle) error

// Bench makes the judge for the version of Talos that was compiled in, for example v1.13.9.
func Bench(version string, kubelet KubeletImage, check CheckBundle) judge.Bench {
	return func(flags *flag.FlagSet) func() (judge.Judge, error) {
		modeName := flags.String("mode", "metal", "metal, cloud or container")
		patchOf := flags.String("patch-of", "", "controlplane or worker: the file is a patch for what talosctl generates for that role")
		areSecrets := flags.Bool("secrets", false, "the file is what talosctl gen secrets writes")
		return func() (judge.Judge, error) {
			if *areSecrets {
				return judgeSecrets(check), nil
			}
			chosen, ok := modes[*modeName]
			if !ok {
				return nil, fmt.Errorf("unknown mode %q", *modeName)
			}
			var generated config.Provider
			if *patchOf != "" {
				var err error
				if generated, err = freshConfig(*patchOf); err != nil {
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

// judgeSecrets does with a bundle what `talosctl gen config --with-secrets` does: configurations of both roles, and a
// client certificate of its CA.
func judgeSecrets(check CheckBundle) judge.Judge {
	return func(path string, data []byte, v *judge.Verdict) {
		strict := yaml.NewDecoder(bytes.NewReader(data))
		strict.KnownFields(true)
		if err := strict.Decode(&secrets.Bundle{}); err != nil {
			v.Reject("read strictly: %v", err)
			return
		}
		bundle, err := secrets.LoadBundle(path)
		if err != nil {
			v.Reject("load: %v", err)
			return
		}
		if err := check(bundle); err != nil {
			v.Reject("%v", err)
			return
		}
		if _, err := bundle.GenerateTalosAPIClientCertificate(role.MakeSet(role.Admin)); err != nil {
			v.Reject("client certificate: %v", err)
		}
		for _, kind := range []machinetype.Type{machinetype.TypeControlPlane, machinetype.TypeWorker} {
			generated, err := configWith(bundle, kind)
			if err != nil {
				v.Reject("%v: %v", kind, err)
				continue
			}
			text, err := generated.Bytes()
			if err != nil {
				v.Reject("%v: %v", kind, err)
				continue
			}
			look(text, nil, modes["metal"], v)
		}
	}
}

// freshConfig is `talosctl gen config` with fresh secrets and its own default for the disk.
func freshConfig(name string) (config.Provider, error) {
	kind, err := machinetype.ParseType(name)
	if err != nil {
		return nil, err
	}
	bundle, err := secrets.NewBundle(secrets.NewClock(), config.TalosVersionCurrent)
	if err != nil {
		return nil, err
	}
	return configWith(bundle, kind)
}

func configWith(bundle *secrets.Bundle, kind machinetype.Type) (config.Provider, error) {
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
