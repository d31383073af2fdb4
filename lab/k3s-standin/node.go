package main

import (
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"
)

type node struct {
	api      api
	settings settings
	started  time.Time
}

type object = map[string]any

func (n *node) path() string { return "/api/v1/nodes/" + n.settings.nodeName }

// register makes the Node, with its taints, or finds it and keeps its taints; labels are written at every start and never
// removed (k3s-io/k3s pkg/agent/run.go).
func (n *node) register() error {
	n.started = time.Now()
	labels := object{
		"kubernetes.io/arch":               runtime.GOARCH,
		"kubernetes.io/os":                 "linux",
		"kubernetes.io/hostname":           n.settings.nodeName,
		"node.kubernetes.io/instance-type": "k3s",
	}
	for _, label := range n.settings.labels {
		key, value, _ := strings.Cut(label, "=")
		labels[key] = value
	}
	arguments, err := json.Marshal(masked(n.settings.args))
	if err != nil {
		return err
	}
	metadata := object{"labels": labels, "annotations": object{"k3s.io/node-args": string(arguments)}}
	err = n.api.ask(http.MethodPatch, n.path(), object{"metadata": metadata}, nil)
	if errors.Is(err, errNotFound) {
		metadata["name"] = n.settings.nodeName
		spec := object{"taints": taints(n.settings.taints), "providerID": "k3s://" + n.settings.nodeName}
		made := object{"apiVersion": "v1", "kind": "Node", "metadata": metadata, "spec": spec}
		err = n.api.ask(http.MethodPost, "/api/v1/nodes", made, nil)
	}
	return err
}

// heartbeat writes who the machine is, that it is Ready, and renews its Lease.
func (n *node) heartbeat() error {
	now := time.Now().UTC()
	condition := func(kind, status, reason string) object {
		return object{"type": kind, "status": status, "reason": reason, "message": "the stand-in says so",
			"lastHeartbeatTime":  now.Format(time.RFC3339),
			"lastTransitionTime": n.started.UTC().Format(time.RFC3339)}
	}
	resources := object{"cpu": runtime.NumCPU(), "memory": memory(), "pods": 110}
	status := object{
		"capacity": resources, "allocatable": resources, "nodeInfo": machine(),
		"addresses": []object{{"type": "InternalIP", "address": address()}, {"type": "Hostname", "address": n.settings.nodeName}},
		"conditions": []object{
			condition("MemoryPressure", "False", "KubeletHasSufficientMemory"),
			condition("DiskPressure", "False", "KubeletHasNoDiskPressure"),
			condition("PIDPressure", "False", "KubeletHasSufficientPID"),
			condition("Ready", "True", "KubeletReady"),
		},
	}
	if err := n.api.ask(http.MethodPatch, n.path()+"/status", object{"status": status}, nil); err != nil {
		return err
	}
	const leases = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"
	spec := object{"holderIdentity": n.settings.nodeName, "leaseDurationSeconds": 40,
		"renewTime": now.Format("2006-01-02T15:04:05.000000Z")}
	err := n.api.ask(http.MethodPatch, leases+"/"+n.settings.nodeName, object{"spec": spec}, nil)
	if errors.Is(err, errNotFound) {
		made := object{"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "spec": spec,
			"metadata": object{"name": n.settings.nodeName, "namespace": "kube-node-lease"}}
		err = n.api.ask(http.MethodPost, leases, made, nil)
	}
	return err
}

func machine() object {
	image := "unknown"
	for _, line := range strings.Split(text("/etc/os-release"), "\n") {
		if value, found := strings.CutPrefix(line, "PRETTY_NAME="); found {
			image = strings.Trim(value, `"`)
		}
	}
	return object{
		"architecture": runtime.GOARCH, "operatingSystem": "linux", "osImage": image,
		"bootID":                  text("/proc/sys/kernel/random/boot_id"),
		"machineID":               text("/etc/machine-id"),
		"systemUUID":              strings.ToLower(text("/sys/class/dmi/id/product_uuid")),
		"kernelVersion":           text("/proc/sys/kernel/osrelease"),
		"kubeletVersion":          version,
		"kubeProxyVersion":        version,
		"containerRuntimeVersion": "k3s-standin://0",
	}
}

func text(file string) string {
	content, err := os.ReadFile(file)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(content))
}

func memory() string {
	for _, line := range strings.Split(text("/proc/meminfo"), "\n") {
		if value, found := strings.CutPrefix(line, "MemTotal:"); found {
			return strings.Fields(value)[0] + "Ki"
		}
	}
	return "0"
}

// address is the one that the machine uses to reach others.
func address() string {
	answer, err := exec.Command("ip", "-4", "-o", "route", "get", "1.1.1.1").Output()
	if err != nil {
		return "127.0.0.1"
	}
	words := strings.Fields(string(answer))
	for i, word := range words {
		if word == "src" && i+1 < len(words) {
			return words[i+1]
		}
	}
	return "127.0.0.1"
}

// taints reads KEY=VALUE:EFFECT and KEY:EFFECT.
func taints(given []string) []object {
	var result []object
	for _, taint := range given {
		key, effect, _ := strings.Cut(taint, ":")
		key, value, _ := strings.Cut(key, "=")
		result = append(result, object{"key": key, "value": value, "effect": effect})
	}
	return result
}

// masked hides what is secret, as k3s does (k3s-io/k3s pkg/nodeconfig/nodeconfig.go).
func masked(args []string) []string {
	result := make([]string, 0, len(args))
	hide := false
	for _, arg := range args {
		name, _, hasValue := strings.Cut(arg, "=")
		secret := name == "--token" || name == "-t"
		switch {
		case hide:
			arg = "********"
		case secret && hasValue:
			arg = name + "=********"
		}
		hide = secret && !hasValue
		result = append(result, arg)
	}
	return result
}
