package main

import (
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

type phase struct {
	name  string
	steps []func(config) error
}

// What is applied when: rancher/k3os pkg/cc/apply.go.
var (
	initrd  = phase{"initrd", []func(config) error{writeFiles, environment, initCommands}}
	boot    = phase{"boot", []func(config) error{modules, sysctls, hostname, sshKeys, service, writeFiles, environment, bootCommands}}
	runtime = phase{"runtime", []func(config) error{modules, sysctls, hostname, sshKeys, service, writeFiles, environment, runCommands}}
)

// apply: a configuration that is rejected is a line on the console and no failure; a step that fails does not stop the next.
func apply(phase phase) error {
	read, err := readConfig()
	if err != nil {
		fmt.Fprintln(os.Stderr, "k3os (stand-in): the whole configuration is ignored:", err)
		return nil
	}
	var failures []error
	for _, step := range phase.steps {
		failures = append(failures, step(read))
	}
	return errors.Join(failures...)
}

func writeFiles(c config) error {
	for _, file := range c.WriteFiles {
		content := []byte(file.Content)
		switch file.Encoding {
		case "b64", "base64":
			decoded, err := base64.StdEncoding.DecodeString(file.Content)
			if err != nil {
				return err
			}
			content = decoded
		}
		mode := uint64(0o644)
		if file.Permissions != "" {
			parsed, err := strconv.ParseUint(file.Permissions, 8, 32)
			if err != nil {
				return err
			}
			mode = parsed
		}
		if err := os.MkdirAll(filepath.Dir(file.Path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(file.Path, content, os.FileMode(mode&0o777)); err != nil {
			return err
		}
		if err := os.Chmod(file.Path, os.FileMode(mode&0o777)); err != nil {
			return err
		}
	}
	return nil
}

func environment(c config) error {
	var text strings.Builder
	for name, value := range c.K3OS.Environment {
		fmt.Fprintf(&text, "%s=%q\n", name, value)
	}
	if text.Len() == 0 {
		return nil
	}
	file, err := os.OpenFile("/etc/environment", os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer file.Close()
	_, err = file.WriteString(text.String())
	return err
}

func modules(c config) error {
	for _, module := range c.K3OS.Modules {
		if err := run1("modprobe", strings.Fields(module)...); err != nil {
			return err
		}
	}
	return nil
}

func sysctls(c config) error {
	var failures []error
	for key, value := range c.K3OS.Sysctls {
		// Slashes survive in a key; dots become slashes.
		path := filepath.Join("/proc/sys", strings.ReplaceAll(key, ".", "/"))
		failures = append(failures, os.WriteFile(path, []byte(value), 0o644))
	}
	return errors.Join(failures...)
}

func hostname(c config) error {
	if c.Hostname == "" {
		return nil
	}
	if err := os.WriteFile("/proc/sys/kernel/hostname", []byte(c.Hostname), 0o644); err != nil {
		return err
	}
	hosts := fmt.Sprintf("127.0.0.1\tlocalhost localhost.localdomain\n127.0.1.1\t%s\n", c.Hostname)
	return errors.Join(os.WriteFile("/etc/hostname", []byte(c.Hostname+"\n"), 0o644),
		os.WriteFile("/etc/hosts", []byte(hosts), 0o644))
}

// sshKeys appends: a key once configured stays (rancher/k3os pkg/ssh/ssh.go).
func sshKeys(c config) error {
	const home, file = "/home/rancher", "/home/rancher/.ssh/authorized_keys"
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return err
	}
	old, err := os.ReadFile(file)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	text := string(old)
	if text != "" && !strings.HasSuffix(text, "\n") {
		text += "\n"
	}
	for _, key := range c.SSHAuthorizedKeys {
		if !strings.Contains(text, key) {
			text += key + "\n"
		}
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		return err
	}
	return run1("chown", "-R", "1000:1000", home)
}

func initCommands(c config) error { return commands(c.InitCmd) }
func bootCommands(c config) error { return commands(c.BootCmd) }
func runCommands(c config) error  { return commands(c.RunCmd) }

func commands(lines []string) error {
	var failures []error
	for _, line := range lines {
		failures = append(failures, run1("sh", "-c", line))
	}
	return errors.Join(failures...)
}

func run1(name string, args ...string) error {
	command := exec.Command(name, args...)
	command.Stdout, command.Stderr = os.Stderr, os.Stderr
	if err := command.Run(); err != nil {
		return fmt.Errorf("%s %s: %w", name, strings.Join(args, " "), err)
	}
	return nil
}
