// Command talos-1.14 judges documents of Talos 1.14. A Go module holds one version of Talos, hence a second one.
package main

import (
	"github.com/siderolabs/talos/pkg/machinery/config"
	"github.com/siderolabs/talos/pkg/machinery/config/generate/secrets"

	"k3os-migrate.lab/judge"
	"k3os-migrate.lab/judge/talos"
)

func main() {
	judge.Main(map[string]judge.Bench{"talos": talos.Bench("v1.14.1", kubeletImage, checkBundle)})
}

func kubeletImage(provider config.Provider) string {
	kubelet := provider.K8sKubeletConfig()
	if kubelet == nil {
		return ""
	}
	return kubelet.Image()
}

func checkBundle(bundle *secrets.Bundle) error {
	return bundle.Validate(config.TalosVersionCurrent)
}
