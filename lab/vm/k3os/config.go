package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"unicode"

	"sigs.k8s.io/yaml"
)

// config is the part of k3OS's configuration that the lab applies (rancher/k3os pkg/config/config.go).
type config struct {
	SSHAuthorizedKeys []string    `json:"sshAuthorizedKeys,omitempty"`
	WriteFiles        []writeFile `json:"writeFiles,omitempty"`
	Hostname          string      `json:"hostname,omitempty"`
	InitCmd           []string    `json:"initCmd,omitempty"`
	BootCmd           []string    `json:"bootCmd,omitempty"`
	RunCmd            []string    `json:"runCmd,omitempty"`
	K3OS              k3osConfig  `json:"k3os"`
}

type writeFile struct {
	Encoding    string `json:"encoding"`
	Content     string `json:"content"`
	Owner       string `json:"owner"`
	Path        string `json:"path"`
	Permissions string `json:"permissions"`
}

type k3osConfig struct {
	DataSources    []string          `json:"dataSources,omitempty"`
	Modules        []string          `json:"modules,omitempty"`
	Sysctls        map[string]string `json:"sysctls,omitempty"`
	NTPServers     []string          `json:"ntpServers,omitempty"`
	DNSNameservers []string          `json:"dnsNameservers,omitempty"`
	Password       string            `json:"password,omitempty"`
	ServerURL      string            `json:"serverUrl,omitempty"`
	Token          string            `json:"token,omitempty"`
	Labels         map[string]string `json:"labels,omitempty"`
	K3sArgs        []string          `json:"k3sArgs,omitempty"`
	Environment    map[string]string `json:"environment,omitempty"`
	Taints         []string          `json:"taints,omitempty"`
}

const (
	systemFile = "/k3os/system/config.yaml"
	localFile  = "/var/lib/rancher/k3os/config.yaml"
	dropIns    = "/var/lib/rancher/k3os/config.d"
)

// readConfig merges the sources in their order. As in k3OS, one source that cannot be read discards them all.
func readConfig() (config, error) {
	files := []string{systemFile, localFile}
	entries, err := os.ReadDir(dropIns)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return config{}, err
	}
	for _, entry := range entries {
		files = append(files, filepath.Join(dropIns, entry.Name()))
	}
	merged := map[string]any{}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return config{}, err
		}
		source := map[string]any{}
		if err := yaml.Unmarshal(content, &source); err != nil {
			return config{}, fmt.Errorf("%s: %w", file, err)
		}
		merge(merged, canonical(source))
	}
	text, err := json.Marshal(merged)
	if err != nil {
		return config{}, err
	}
	var result config
	return result, json.Unmarshal(text, &result)
}

// merge replaces lists, maps of strings and scalars; only k3os itself is merged key by key.
func merge(into, from map[string]any) {
	for key, value := range from {
		nested, isMap := value.(map[string]any)
		old, wasMap := into[key].(map[string]any)
		if key == "k3os" && isMap && wasMap {
			merge(old, nested)
			continue
		}
		into[key] = value
	}
}

var listNames = []string{"sshAuthorizedKeys", "writeFiles", "initCmd", "bootCmd", "runCmd", "dataSources", "modules",
	"ntpServers", "dnsNameservers", "k3sArgs", "taints"}
var mapNames = []string{"sysctls", "labels", "environment"}
var otherNames = []string{"serverUrl"}

// canonical gives keys their one spelling and values their one type, for objects that k3OS knows.
func canonical(source map[string]any) map[string]any {
	result := map[string]any{}
	for key, value := range source {
		name := key
		for _, known := range append(append(append([]string{}, listNames...), mapNames...), otherNames...) {
			if spells(key, known) {
				name = known
			}
		}
		switch {
		case name == "k3os":
			if nested, ok := value.(map[string]any); ok {
				value = canonical(nested)
			}
		case contains(listNames, name):
			if text, ok := value.(string); ok {
				value = []any{text}
			}
		case contains(mapNames, name):
			value = mapOfStrings(value)
		}
		result[name] = value
	}
	return result
}

// spells: snake case and lower case, plural or without the final s (rancher/k3os pkg/config/rename.go).
func spells(key, name string) bool {
	for _, form := range []string{name, strings.TrimSuffix(name, "s")} {
		if key == form || key == snake(form) || key == strings.ToLower(form) || key == strings.ToLower(snake(form)) {
			return true
		}
	}
	return false
}

func snake(name string) string {
	var out strings.Builder
	for _, letter := range name {
		if unicode.IsUpper(letter) {
			out.WriteByte('_')
		}
		out.WriteRune(unicode.ToLower(letter))
	}
	return out.String()
}

func contains(names []string, name string) bool {
	for _, candidate := range names {
		if candidate == name {
			return true
		}
	}
	return false
}

// mapOfStrings writes numbers as Go prints a float, as k3OS did (rancher/k3os pkg/config/coerce.go).
func mapOfStrings(value any) any {
	entries, ok := value.(map[string]any)
	if !ok {
		return value
	}
	result := map[string]any{}
	for key, entry := range entries {
		switch typed := entry.(type) {
		case nil:
			result[key] = ""
		case string:
			result[key] = strings.TrimSpace(typed)
		default:
			result[key] = fmt.Sprint(typed)
		}
	}
	return result
}

func dumpJSON() error {
	read, err := readConfig()
	if err != nil {
		return err
	}
	text, err := json.Marshal(read)
	if err != nil {
		return err
	}
	fmt.Println(string(text))
	return nil
}
