package main

import (
	"bytes"
	"errors"
	"io"

	"github.com/rancher/wharfie/pkg/registries"
	"gopkg.in/yaml.v3"

	"k3os-migrate.lab/judge"
)

// judgeRegistries reads registries.yaml into the type that k3s reads it into.
func judgeRegistries(_ string, data []byte, v *judge.Verdict) {
	decodeStrictly(data, &registries.Registry{}, v)
}

// decodeStrictly refuses keys that the target's own type does not have; the target passes over them.
func decodeStrictly(data []byte, into any, v *judge.Verdict) {
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	decoder.KnownFields(true)
	if err := decoder.Decode(into); err != nil && !errors.Is(err, io.EOF) {
		v.Reject("%v", err)
	}
}
