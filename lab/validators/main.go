// Command validators holds the parsers of the targets: each refuses what that target itself would refuse, and, because
// most of them pass over keys they do not know, those keys, too.
package main

import (
	"github.com/siderolabs/talos/pkg/machinery/config"
	"github.com/siderolabs/talos/pkg/machinery/config/generate/secrets"

	"k3os-migrate.lab/judge"
	"k3os-migrate.lab/judge/talos"
)

func main() {
	judge.Main(map[string]judge.Bench{
		"butane":      butaneBench,
		"ignition":    judge.Plain(judgeIgnition),
		"json-schema": schemaBench,
		"kairos":      judge.Plain(judgeKairos),
		"manifest":    manifestBench,
		"registries":  judge.Plain(judgeRegistries),
		"talos":       talos.Bench("v1.13.9", kubeletImage, checkBundle),
		"yip":         yipBench,
	})
}

func kubeletImage(provider config.Provider) string {
	if provider.Machine() == nil {
		return ""
	}
	return provider.Machine().Kubelet().Image()
}

func checkBundle(bundle *secrets.Bundle) error { return bundle.Validate() }
