package main

import (
	"bytes"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// Paths and headers are those of k3s's supervisor (k3s-io/k3s pkg/server/handlers, pkg/agent/config/config.go). What comes
// back is simpler: certificate and key in one answer.
const (
	caPath      = "/cacerts"
	kubeletPath = "/v1-k3s/client-kubelet.crt"
	nameHeader  = "k3s-Node-Name"
	passHeader  = "k3s-Node-Password"
	rejected    = "Node password rejected, duplicate hostname or contents of '/etc/rancher/node/password' may not match " +
		"server node-passwd entry, try enabling a unique node name with the --with-node-id flag"
)

type credential struct {
	Certificate string `json:"certificate"`
	Key         string `json:"key"`
}

// join asks the server for a certificate of this node, which it gives for the token and the right node password.
func join(settings settings, password string) (api, error) {
	ca, err := trustedCA(settings)
	if err != nil {
		return api{}, err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(ca)
	request, err := http.NewRequest(http.MethodPost, settings.server+kubeletPath, nil)
	if err != nil {
		return api{}, err
	}
	_, secret, _ := strings.Cut(settings.token, "::")
	_, secret, found := strings.Cut(secret, ":")
	if !found {
		secret = settings.token
	}
	request.SetBasicAuth("node", secret)
	request.Header.Set(nameHeader, settings.nodeName)
	request.Header.Set(passHeader, password)
	answer, err := client(&tls.Config{RootCAs: roots}).Do(request)
	if err != nil {
		return api{}, err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		return api{}, err
	}
	if answer.StatusCode != http.StatusOK {
		return api{}, fmt.Errorf("%s: %s: %s", request.URL, answer.Status, strings.TrimSpace(string(body)))
	}
	var given credential
	if err := json.Unmarshal(body, &given); err != nil {
		return api{}, err
	}
	pair, err := tls.X509KeyPair([]byte(given.Certificate), []byte(given.Key))
	if err != nil {
		return api{}, err
	}
	err = errors.Join(keep("server-ca.crt", ca, 0o644), keep("client-kubelet.crt", []byte(given.Certificate), 0o600),
		keep("client-kubelet.key", []byte(given.Key), 0o600))
	trust := &tls.Config{RootCAs: roots, Certificates: []tls.Certificate{pair}}
	return api{server: settings.server, client: client(trust)}, err
}

// trustedCA is whatever the server says it is, unless the token names its digest.
func trustedCA(settings settings) ([]byte, error) {
	answer, err := client(&tls.Config{InsecureSkipVerify: true}).Get(settings.server + caPath)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	ca, err := io.ReadAll(answer.Body)
	if err != nil {
		return nil, err
	}
	if digest, isLong := strings.CutPrefix(settings.token, "K10"); isLong {
		digest, _, _ = strings.Cut(digest, "::")
		sum := sha256.Sum256(ca)
		if digest != hex.EncodeToString(sum[:]) {
			return nil, errors.New("token CA hash does not match the Cluster CA certificate hash")
		}
	}
	return ca, nil
}

func client(config *tls.Config) *http.Client {
	return &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{TLSClientConfig: config}}
}

// api is the API server, asked as this node.
type api struct {
	server string
	client *http.Client
}

var errNotFound = errors.New("not found")

// ask sends body as JSON and reads the answer into out; both may be nil.
func (a api) ask(method, path string, body, out any) error {
	var content io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return err
		}
		content = bytes.NewReader(text)
	}
	request, err := http.NewRequest(method, a.server+path, content)
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	if method == http.MethodPatch {
		request.Header.Set("Content-Type", "application/merge-patch+json")
	}
	answer, err := a.client.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return err
	}
	if answer.StatusCode == http.StatusNotFound {
		return errNotFound
	}
	if answer.StatusCode >= 300 {
		return fmt.Errorf("%s %s: %s: %s", method, path, answer.Status, strings.TrimSpace(string(text)))
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(text, out)
}
