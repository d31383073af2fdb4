package main

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"
)

const (
	dataDir   = "/var/lib/rancher/k3s"
	serverDir = dataDir + "/server"
	tlsDir    = serverDir + "/tls"
	// Real servers, which k3s carries within itself and unpacks below data/.
	controlPlane = dataDir + "/data/standin/control-plane"
	tools        = dataDir + "/data/standin/tools"
	apiPort      = "6444"
)

// runServer is a single server with its datastore: a real API server, controllers and scheduler on an etcd that stands for
// sqlite, below the same folders as k3s, and an agent beside them.
func runServer(args []string) error {
	logf("k3s server: %s", notice)
	settings, err := readSettings(args)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	if err := prepareServer(); err != nil {
		return err
	}
	token, err := serverToken(settings.token)
	if err != nil {
		return err
	}
	// The servers end with the thread that started them.
	runtime.LockOSThread()
	failed := make(chan error, 8)
	for _, child := range []struct {
		binary string
		args   []string
	}{{tools, etcdFlags()}, {controlPlane, apiserverFlags()}} {
		if err := startChild(child.binary, child.args, failed); err != nil {
			return err
		}
	}
	kubeconfig := filepath.Join(tlsDir, "admin.kubeconfig")
	admin, _, err := readKubeconfig(kubeconfig)
	if err != nil {
		return err
	}
	for !isServing(admin) {
		select {
		case <-ctx.Done():
			return nil
		case err := <-failed:
			return err
		case <-time.After(time.Second):
		}
	}
	logf("the API server serves")
	for _, flags := range [][]string{controllerFlags(), schedulerFlags()} {
		if err := startChild(controlPlane, flags, failed); err != nil {
			return err
		}
	}
	names := []string{"127.0.0.1", "localhost", address(), settings.nodeName}
	go func() { failed <- supervise(kubeconfig, tlsDir, token, "0.0.0.0:6443", names) }()
	if err := writeUserKubeconfig(kubeconfig); err != nil {
		return err
	}
	settings.server, settings.token = "https://127.0.0.1:6443", token
	settings.labels = append(settings.labels, "node-role.kubernetes.io/master=true", "node-role.kubernetes.io/control-plane=true")
	go func() { failed <- beNode(ctx, settings) }()
	select {
	case <-ctx.Done():
		return nil
	case err := <-failed:
		return err
	}
}

// prepareServer makes keys once. Without its folder a server would become another cluster, as k3s does.
func prepareServer() error {
	for _, directory := range []string{tlsDir, serverDir + "/cred", serverDir + "/db", serverDir + "/manifests"} {
		if err := os.MkdirAll(directory, 0o700); err != nil {
			return err
		}
	}
	state := serverDir + "/db/state.db"
	if _, err := os.Stat(state); errors.Is(err, fs.ErrNotExist) {
		if err := os.WriteFile(state, []byte("k3s-standin: the data lie in the folder standin beside this file\n"), 0o644); err != nil {
			return err
		}
	}
	if _, err := os.Stat(tlsDir + "/ca.crt"); err == nil {
		return nil
	}
	logf("making the keys of a new cluster")
	output, err := exec.Command(tools, "certs", "--server", "https://127.0.0.1:"+apiPort, tlsDir).CombinedOutput()
	if err != nil {
		return fmt.Errorf("certs: %w: %s", err, output)
	}
	return nil
}

// serverToken: the given one, or the one of the first start; kept in the form that pins the authority.
func serverToken(given string) (string, error) {
	file := serverDir + "/token"
	kept, err := os.ReadFile(file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	old := strings.TrimSpace(string(kept[strings.LastIndex(string(kept), ":")+1:]))
	if given == "" {
		given = old
	}
	if given == "" {
		random := make([]byte, 16)
		if _, err := rand.Read(random); err != nil {
			return "", err
		}
		given = hex.EncodeToString(random)
	}
	if old != "" && old != given {
		return "", errors.New("bootstrap data already found and encrypted with different token")
	}
	ca, err := os.ReadFile(tlsDir + "/ca.crt")
	if err != nil {
		return "", err
	}
	if err := os.WriteFile(file, fmt.Appendf(nil, "K10%x::server:%s\n", sha256.Sum256(ca), given), 0o600); err != nil {
		return "", err
	}
	if err := os.Symlink("token", serverDir+"/node-token"); err != nil && !errors.Is(err, fs.ErrExist) {
		return "", err
	}
	return given, nil
}

func writeUserKubeconfig(admin string) error {
	content, err := os.ReadFile(admin)
	if err != nil {
		return err
	}
	mode := fs.FileMode(0o600)
	if os.Getenv("K3S_KUBECONFIG_MODE") != "" {
		mode = 0o644
	}
	text := strings.Replace(string(content), "127.0.0.1:"+apiPort, "127.0.0.1:6443", 1)
	return errors.Join(os.MkdirAll("/etc/rancher/k3s", 0o755), os.WriteFile("/etc/rancher/k3s/k3s.yaml", []byte(text), mode))
}

func isServing(admin api) bool {
	answer, err := admin.client.Get(admin.server + "/readyz")
	if err != nil {
		return false
	}
	defer answer.Body.Close()
	return answer.StatusCode == http.StatusOK
}

// startChild: k3s is one process, so nothing of it outlives this one, and the end of one is the end of all.
func startChild(binary string, args []string, failed chan<- error) error {
	log, err := os.OpenFile("/var/log/k3s-standin-"+args[0]+".log", os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o644)
	if err != nil {
		return err
	}
	command := exec.Command(binary, args...)
	command.Stdout, command.Stderr = log, log
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := command.Start(); err != nil {
		return err
	}
	logf("started %s", args[0])
	go func() { failed <- fmt.Errorf("%s ended: %w", args[0], command.Wait()) }()
	return nil
}

func etcdFlags() []string {
	const client, peer = "http://127.0.0.1:2379", "http://127.0.0.1:2380"
	return []string{"etcd", "--data-dir=" + serverDir + "/db/standin", "--listen-client-urls=" + client,
		"--advertise-client-urls=" + client, "--listen-peer-urls=" + peer, "--initial-advertise-peer-urls=" + peer,
		"--initial-cluster=default=" + peer}
}

func apiserverFlags() []string {
	return []string{"apiserver", "--etcd-servers=http://127.0.0.1:2379", "--bind-address=127.0.0.1",
		"--advertise-address=127.0.0.1", "--endpoint-reconciler-type=none", "--secure-port=" + apiPort,
		"--tls-cert-file=" + tlsDir + "/apiserver.crt", "--tls-private-key-file=" + tlsDir + "/apiserver.key",
		"--client-ca-file=" + tlsDir + "/ca.crt", "--service-account-issuer=https://kubernetes.default.svc",
		"--service-account-key-file=" + tlsDir + "/service-account.key",
		"--service-account-signing-key-file=" + tlsDir + "/service-account.key",
		"--authorization-mode=Node,RBAC", "--allow-privileged=true", "--service-cluster-ip-range=10.43.0.0/16"}
}

func controllerFlags() []string {
	return []string{"controller-manager", "--kubeconfig=" + tlsDir + "/controller-manager.kubeconfig", "--leader-elect=false",
		"--secure-port=0", "--port=0", "--use-service-account-credentials",
		"--service-account-private-key-file=" + tlsDir + "/service-account.key", "--root-ca-file=" + tlsDir + "/ca.crt",
		"--cluster-signing-cert-file=" + tlsDir + "/ca.crt", "--cluster-signing-key-file=" + tlsDir + "/ca.key"}
}

func schedulerFlags() []string {
	return []string{"scheduler", "--kubeconfig=" + tlsDir + "/scheduler.kubeconfig", "--leader-elect=false",
		"--secure-port=0", "--port=0"}
}
