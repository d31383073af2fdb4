package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
)

// service writes the service of k3s and its environment, in the form that the k3s installer gives them
// (rancher/k3os pkg/cc/funcs.go, k3s-io/k3s install.sh).
func service(c config) error {
	args := slices.Clone(c.K3OS.K3sArgs)
	if len(args) == 0 {
		args = []string{"server"}
		if c.K3OS.ServerURL != "" {
			args = []string{"agent"}
		}
	}
	version, err := os.Readlink("/k3os/system/k3os/current")
	if err != nil {
		return err
	}
	labels := map[string]string{"k3os.io/mode": "local", "k3os.io/version": version}
	for key, value := range c.K3OS.Labels {
		labels[key] = value
	}
	for _, key := range sortedKeys(labels) {
		args = append(args, "--node-label", key+"="+labels[key])
	}
	for _, taint := range c.K3OS.Taints {
		args = append(args, "--kubelet-arg", "register-with-taints="+taint)
	}

	var words strings.Builder
	words.WriteString(args[0] + " \\\n")
	for _, word := range args[1:] {
		fmt.Fprintf(&words, "\t'%s' \\\n", strings.ReplaceAll(word, "'", `'\''`))
	}
	escaped := strings.ReplaceAll(words.String(), `"`, `\"`)
	script := fmt.Sprintf(serviceScript, escaped)

	var variables strings.Builder
	if c.K3OS.ServerURL != "" {
		fmt.Fprintf(&variables, "K3S_URL=%s\n", c.K3OS.ServerURL)
	}
	if c.K3OS.Token != "" {
		fmt.Fprintf(&variables, "K3S_TOKEN=%s\n", c.K3OS.Token)
	}
	return errors.Join(
		os.MkdirAll("/etc/rancher/k3s", 0o755),
		os.WriteFile("/etc/rancher/k3s/k3s-service.env", []byte(variables.String()), 0o600),
		os.WriteFile("/etc/init.d/k3s-service", []byte(script), 0o755))
}

func sortedKeys(entries map[string]string) []string {
	keys := make([]string, 0, len(entries))
	for key := range entries {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

const serviceScript = `#!/sbin/openrc-run

depend() {
    after network-online
    want cgroups
}

start_pre() {
    rm -f /tmp/k3s.*
}

supervisor=supervise-daemon
name=k3s-service
command="/sbin/k3s"
command_args="%s    >>/var/log/k3s-service.log 2>&1"

output_log=/var/log/k3s-service.log
error_log=/var/log/k3s-service.log

pidfile="/var/run/k3s-service.pid"
respawn_delay=5
respawn_max=0

set -o allexport
if [ -f /etc/environment ]; then . /etc/environment; fi
if [ -f /etc/rancher/k3s/k3s-service.env ]; then . /etc/rancher/k3s/k3s-service.env; fi
set +o allexport
`
