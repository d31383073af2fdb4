package main

import (
	kairos "github.com/kairos-io/kairos-sdk/schema"

	"k3os-migrate.lab/judge"
)

// judgeKairos is `kairos-agent validate`: users, install and the header. It knows nothing of stages and of k3s.
func judgeKairos(_ string, data []byte, v *judge.Verdict) {
	config, err := kairos.NewConfigFromYAML(string(data), kairos.RootSchema{})
	if err != nil {
		v.Reject("%v", err)
		return
	}
	if !config.HasHeader() {
		v.Reject("the first line is none of #cloud-config, #kairos-config and #node-config")
	}
	if !config.IsValid() {
		v.Reject("%v", config.ValidationError)
	}
}
