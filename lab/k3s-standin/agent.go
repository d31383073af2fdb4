package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

const (
	passwordFile = "/etc/rancher/node/password"
	agentDir     = "/var/lib/rancher/k3s/agent"
	heartbeat    = 2 * time.Second
	retryAfter   = 5 * time.Second
)

// runAgent is told to stop by a signal; nothing is taken back then.
func runAgent(args []string) error {
	logf("k3s agent: %s", notice)
	settings, err := readSettings(args)
	if err != nil {
		return err
	}
	if settings.server == "" {
		return errors.New("--server is required")
	}
	if settings.token == "" {
		return errors.New("--token is required")
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	return beNode(ctx, settings)
}

// beNode joins, registers the Node and keeps it Ready until it is told to stop. As k3s it tries again and again.
func beNode(ctx context.Context, settings settings) error {
	password, err := nodePassword()
	if err != nil {
		return err
	}
	logf("starting as node %s of %s", settings.nodeName, settings.server)
	for {
		err := serve(ctx, settings, password)
		if ctx.Err() != nil {
			logf("stopped")
			return nil
		}
		logf("error: %v", err)
		wait(ctx, retryAfter)
	}
}

func serve(ctx context.Context, settings settings, password string) error {
	api, err := join(settings, password)
	if err != nil {
		return err
	}
	node := node{api: api, settings: settings}
	if err := node.register(); err != nil {
		return err
	}
	logf("node %s is registered", settings.nodeName)
	failures := 0
	for ctx.Err() == nil {
		err := errors.Join(node.heartbeat(), node.playPods())
		if err == nil {
			failures = 0
		} else if failures++; failures >= 5 {
			// A server that lost its mind or its data: from the start.
			return err
		} else {
			logf("error: %v", err)
		}
		wait(ctx, heartbeat)
	}
	return nil
}

// nodePassword is made once and kept for ever (k3s-io/k3s pkg/agent/config/config.go).
func nodePassword() (string, error) {
	content, err := os.ReadFile(passwordFile)
	if err == nil {
		return strings.TrimSpace(string(content)), nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	random := make([]byte, 16)
	if _, err := rand.Read(random); err != nil {
		return "", err
	}
	password := hex.EncodeToString(random)
	if err := os.MkdirAll(filepath.Dir(passwordFile), 0o755); err != nil {
		return "", err
	}
	return password, os.WriteFile(passwordFile, []byte(password+"\n"), 0o600)
}

func keep(name string, content []byte, mode fs.FileMode) error {
	if err := os.MkdirAll(agentDir, 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(agentDir, name), content, mode); err != nil {
		return fmt.Errorf("keeping %s: %w", name, err)
	}
	return nil
}

func wait(ctx context.Context, duration time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(duration):
	}
}
