package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"sigs.k8s.io/yaml"
)

const configFile = "/etc/rancher/k3s/config.yaml"

// settings of an agent, from flags, config.yaml and the environment in the order of k3s: the environment counts only where
// neither of the others says something (k3s-io/k3s pkg/configfilearg/parser.go, pkg/cli/cmds/agent.go).
type settings struct {
	args     []string
	server   string
	token    string
	nodeName string
	labels   []string
	taints   []string
}

func readSettings(args []string) (settings, error) {
	fromFile, err := fileFlags()
	if err != nil {
		return settings{}, err
	}
	// File values are put in front of the command line.
	all := append([]string{args[0]}, append(fromFile, args[1:]...)...)
	result := settings{args: all}
	tokenFile := ""
	for i := 1; i < len(all); i++ {
		name, value, hasValue := strings.Cut(strings.TrimLeft(all[i], "-"), "=")
		if !hasValue && i+1 < len(all) && !strings.HasPrefix(all[i+1], "-") {
			i++
			value = all[i]
		}
		switch name {
		case "server", "s":
			result.server = value
		case "token", "t":
			result.token = value
		case "token-file":
			tokenFile = value
		case "node-name":
			result.nodeName = value
		case "node-label":
			result.labels = append(result.labels, value)
		case "node-taint":
			result.taints = append(result.taints, value)
		case "kubelet-arg":
			// k3s 1.17 to 1.21 turned these into a map: of several taints only the last one took effect.
			if taint, found := strings.CutPrefix(value, "register-with-taints="); found {
				result.taints = []string{taint}
			}
		}
	}
	result.server = firstOf(result.server, os.Getenv("K3S_URL"))
	tokenFile = firstOf(tokenFile, os.Getenv("K3S_TOKEN_FILE"))
	result.token = firstOf(result.token, os.Getenv("K3S_TOKEN"), os.Getenv("K3S_CLUSTER_SECRET"))
	if result.token == "" && tokenFile != "" {
		content, err := os.ReadFile(tokenFile)
		if err != nil {
			return settings{}, err
		}
		result.token = strings.TrimSpace(string(content))
	}
	result.nodeName = firstOf(result.nodeName, os.Getenv("K3S_NODE_NAME"))
	if result.nodeName == "" {
		host, err := os.Hostname()
		if err != nil {
			return settings{}, err
		}
		result.nodeName = strings.ToLower(strings.Split(host, ".")[0])
	}
	return result, nil
}

// fileFlags gives the file's values as flags: --key=value, each item of a list one.
func fileFlags() ([]string, error) {
	content, err := os.ReadFile(configFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	values := map[string]any{}
	if err := yaml.Unmarshal(content, &values); err != nil {
		return nil, fmt.Errorf("%s: %w", configFile, err)
	}
	var flags []string
	for key, value := range values {
		items, isList := value.([]any)
		if !isList {
			items = []any{value}
		}
		for _, item := range items {
			flags = append(flags, fmt.Sprintf("--%s=%v", key, item))
		}
	}
	return flags, nil
}

func firstOf(values ...string) string {
	for _, value := range values {
		if value != "" {
			return value
		}
	}
	return ""
}
