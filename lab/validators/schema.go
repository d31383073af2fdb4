package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v5"
	sigsyaml "sigs.k8s.io/yaml"

	"k3os-migrate.lab/judge"
)

// schemaBench judges YAML by a JSON Schema.
func schemaBench(flags *flag.FlagSet) func() (judge.Judge, error) {
	path := flags.String("schema", "", "file with the schema")
	at := flags.String("at", "", "judge only the value of this top-level key")
	return func() (judge.Judge, error) {
		schema, err := readSchema(*path)
		if err != nil {
			return nil, err
		}
		return func(_ string, data []byte, v *judge.Verdict) {
			text, err := sigsyaml.YAMLToJSONStrict(data)
			if err != nil {
				v.Reject("%v", err)
				return
			}
			var value any
			if err := json.Unmarshal(text, &value); err != nil {
				v.Reject("%v", err)
				return
			}
			if *at != "" {
				table, _ := value.(map[string]any)
				value = map[string]any{*at: table[*at]}
			}
			if err := schema.Validate(value); err != nil {
				v.Reject("%#v", err)
			}
		}, nil
	}
}

// readSchema takes the schema as draft 7, whatever it says of itself: Kairos names an address that is no dialect.
func readSchema(path string) (*jsonschema.Schema, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var value map[string]any
	if err := json.Unmarshal(text, &value); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	delete(value, "$schema")
	text, err = json.Marshal(value)
	if err != nil {
		return nil, err
	}
	compiler := jsonschema.NewCompiler()
	compiler.Draft = jsonschema.Draft7
	if err := compiler.AddResource("schema.json", strings.NewReader(string(text))); err != nil {
		return nil, err
	}
	return compiler.Compile("schema.json")
}
