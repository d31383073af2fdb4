package main

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"strings"

	"sigs.k8s.io/yaml"
)

// supervisor is what agents join at, in front of an API server that knows nothing of k3s: it checks token and node password,
// gives each node a certificate, and passes its requests on in its name. As in k3s both are reached at one port.
type supervisor struct {
	admin    api
	upstream *url.URL
	ca       authority
	token    string
}

func runSupervisor(args []string) error {
	logf("k3s supervisor: %s", notice)
	flags := flag.NewFlagSet("supervisor", flag.ContinueOnError)
	listen := flags.String("listen", "127.0.0.1:6443", "address to listen at")
	names := flags.String("tls-san", "127.0.0.1", "addresses that agents use, by comma")
	kubeconfig := flags.String("kubeconfig", "", "of an administrator of the cluster")
	directory := flags.String("data", "", "folder for the authority")
	tokenFile := flags.String("token-file", "", "what agents must know")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *kubeconfig == "" || *directory == "" || *tokenFile == "" {
		return errors.New("usage: k3s supervisor --kubeconfig FILE --token-file FILE --data FOLDER [--listen ADDRESS] [--tls-san NAMES]")
	}
	token, err := os.ReadFile(*tokenFile)
	if err != nil {
		return err
	}
	if os.Getenv("LAB_LIFELINE") == "stdin" {
		go func() {
			io.Copy(io.Discard, os.Stdin)
			os.Exit(0)
		}()
	}
	return supervise(*kubeconfig, *directory, strings.TrimSpace(string(token)), *listen, strings.Split(*names, ","))
}

// supervise serves until it fails. The authority in the folder is made when it is missing.
func supervise(kubeconfig, directory, token, listen string, names []string) error {
	admin, trust, err := readKubeconfig(kubeconfig)
	if err != nil {
		return err
	}
	upstream, err := url.Parse(admin.server)
	if err != nil {
		return err
	}
	ca, err := loadAuthority(directory)
	if err != nil {
		return err
	}
	serving, err := ca.issue("k3s", nil, names)
	if err != nil {
		return err
	}
	clients := x509.NewCertPool()
	clients.AddCert(ca.certificate)
	handler := supervisor{admin: admin, upstream: upstream, ca: ca, token: token}.handler(trust)
	server := http.Server{Handler: handler, TLSConfig: &tls.Config{
		Certificates: []tls.Certificate{serving}, ClientCAs: clients, ClientAuth: tls.VerifyClientCertIfGiven}}
	listener, err := net.Listen("tcp", listen)
	if err != nil {
		return err
	}
	logf("k3s supervisor listens at %s", listener.Addr())
	return server.ServeTLS(listener, "", "")
}

func (s supervisor) handler(trust *tls.Config) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+caPath, func(w http.ResponseWriter, _ *http.Request) { w.Write(s.ca.pem()) })
	mux.HandleFunc("POST "+kubeletPath, s.joinNode)
	proxy := httputil.ReverseProxy{
		Transport: &http.Transport{TLSClientConfig: trust},
		Rewrite: func(request *httputil.ProxyRequest) {
			request.SetURL(s.upstream)
			caller := request.In.TLS.PeerCertificates[0].Subject
			request.Out.Header.Del("Authorization")
			request.Out.Header.Set("Impersonate-User", caller.CommonName)
			request.Out.Header["Impersonate-Group"] = append(caller.Organization, "system:authenticated")
		},
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, request *http.Request) {
		if len(request.TLS.PeerCertificates) == 0 {
			http.Error(w, "Unauthorized", http.StatusUnauthorized)
			return
		}
		proxy.ServeHTTP(w, request)
	})
	return mux
}

func (s supervisor) joinNode(w http.ResponseWriter, request *http.Request) {
	_, token, _ := request.BasicAuth()
	if subtle.ConstantTimeCompare([]byte(token), []byte(s.token)) != 1 {
		http.Error(w, "not authorized", http.StatusUnauthorized)
		return
	}
	name, password := request.Header.Get(nameHeader), request.Header.Get(passHeader)
	if name == "" || password == "" {
		http.Error(w, "node name or password not set", http.StatusBadRequest)
		return
	}
	same, err := s.checkPassword(name, password)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	if !same {
		logf("node %s: %s", name, rejected)
		http.Error(w, rejected, http.StatusForbidden)
		return
	}
	pair, err := s.ca.issuePEM("system:node:"+name, []string{"system:nodes"}, nil)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	logf("node %s joined", name)
	json.NewEncoder(w).Encode(pair)
}

// checkPassword compares with the Secret of the node, or makes it: whoever comes first sets the password
// (k3s-io/k3s pkg/nodepassword). The hash is not k3s's.
func (s supervisor) checkPassword(node, password string) (bool, error) {
	const secrets = "/api/v1/namespaces/kube-system/secrets"
	name := node + ".node-password.k3s"
	var secret struct {
		Data map[string]string `json:"data"`
	}
	err := s.admin.ask(http.MethodGet, secrets+"/"+name, nil, &secret)
	if errors.Is(err, errNotFound) {
		salt := make([]byte, 8)
		if _, err := rand.Read(salt); err != nil {
			return false, err
		}
		hash := base64.StdEncoding.EncodeToString([]byte(salted(hex.EncodeToString(salt), password)))
		made := object{"apiVersion": "v1", "kind": "Secret", "immutable": true, "data": object{"hash": hash},
			"metadata": object{"name": name, "namespace": "kube-system"}}
		return true, s.admin.ask(http.MethodPost, secrets, made, nil)
	}
	if err != nil {
		return false, err
	}
	kept, err := base64.StdEncoding.DecodeString(secret.Data["hash"])
	if err != nil {
		return false, err
	}
	salt, _, _ := strings.Cut(string(kept), ":")
	return salted(salt, password) == string(kept), nil
}

func salted(salt, password string) string {
	sum := sha256.Sum256([]byte(salt + ":" + password))
	return salt + ":" + hex.EncodeToString(sum[:])
}

func readKubeconfig(file string) (api, *tls.Config, error) {
	content, err := os.ReadFile(file)
	if err != nil {
		return api{}, nil, err
	}
	var config struct {
		Clusters []struct {
			Cluster struct {
				Server string `json:"server"`
				CA     []byte `json:"certificate-authority-data"`
			} `json:"cluster"`
		} `json:"clusters"`
		Users []struct {
			User struct {
				Certificate []byte `json:"client-certificate-data"`
				Key         []byte `json:"client-key-data"`
			} `json:"user"`
		} `json:"users"`
	}
	if err := yaml.Unmarshal(content, &config); err != nil {
		return api{}, nil, err
	}
	if len(config.Clusters) != 1 || len(config.Users) != 1 {
		return api{}, nil, fmt.Errorf("%s: not one cluster and one user", file)
	}
	pair, err := tls.X509KeyPair(config.Users[0].User.Certificate, config.Users[0].User.Key)
	if err != nil {
		return api{}, nil, err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(config.Clusters[0].Cluster.CA)
	trust := &tls.Config{RootCAs: roots, Certificates: []tls.Certificate{pair}}
	return api{server: config.Clusters[0].Cluster.Server, client: client(trust)}, trust, nil
}
