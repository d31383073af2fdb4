package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/pflag"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"k8s.io/client-go/util/cert"
	"k8s.io/client-go/util/keyutil"
)

// kubeconfigs lists the users that get a kubeconfig, with the group that gives each its rights.
var kubeconfigs = map[string]pkix.Name{
	"admin":              {CommonName: "admin", Organization: []string{"system:masters"}},
	"controller-manager": {CommonName: "system:kube-controller-manager"},
	"scheduler":          {CommonName: "system:kube-scheduler"},
}

// authority signs every certificate of one cluster.
type authority struct {
	certificate *x509.Certificate
	key         crypto.Signer
}

// runCerts writes what a control plane on one address needs to start: ca, apiserver and service account keys, and a
// kubeconfig for each client. One authority signs both servers and clients, which is enough for a test.
func runCerts(args []string) error {
	flags := pflag.NewFlagSet("certs", pflag.ContinueOnError)
	server := flags.String("server", "https://127.0.0.1:6443", "address that the kubeconfigs name")
	err := flags.Parse(args)
	if errors.Is(err, pflag.ErrHelp) {
		return nil
	}
	if err != nil {
		return err
	}
	if flags.NArg() != 1 {
		return errors.New("usage: certs [--server URL] DIRECTORY")
	}
	dir := flags.Arg(0)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}

	ca, err := newAuthority()
	if err != nil {
		return err
	}
	if err := writePair(dir, "ca", ca.certificate, ca.key); err != nil {
		return err
	}
	serverCert, serverKey, err := ca.issue(x509.Certificate{
		Subject:     pkix.Name{CommonName: "kube-apiserver"},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv4(10, 43, 0, 1)},
		DNSNames:    []string{"localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc"},
	})
	if err != nil {
		return err
	}
	if err := writePair(dir, "apiserver", serverCert, serverKey); err != nil {
		return err
	}
	serviceAccountKey, err := newKey()
	if err != nil {
		return err
	}
	if err := writeKey(dir, "service-account", serviceAccountKey); err != nil {
		return err
	}
	for name, subject := range kubeconfigs {
		if err := ca.writeKubeconfig(filepath.Join(dir, name+".kubeconfig"), *server, subject); err != nil {
			return err
		}
	}
	return nil
}

func newKey() (*ecdsa.PrivateKey, error) {
	return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
}

func newAuthority() (authority, error) {
	key, err := newKey()
	if err != nil {
		return authority{}, err
	}
	certificate, err := cert.NewSelfSignedCACert(cert.Config{CommonName: "lab"}, key)
	return authority{certificate, key}, err
}

// issue signs a certificate with a new key. The template says what is special about it.
func (ca authority) issue(template x509.Certificate) (*x509.Certificate, crypto.Signer, error) {
	key, err := newKey()
	if err != nil {
		return nil, nil, err
	}
	if template.SerialNumber, err = rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 64)); err != nil {
		return nil, nil, err
	}
	template.NotBefore = ca.certificate.NotBefore
	template.NotAfter = time.Now().AddDate(1, 0, 0)
	template.KeyUsage = x509.KeyUsageDigitalSignature
	der, err := x509.CreateCertificate(rand.Reader, &template, ca.certificate, key.Public(), ca.key)
	if err != nil {
		return nil, nil, err
	}
	certificate, err := x509.ParseCertificate(der)
	return certificate, key, err
}

// writeKubeconfig embeds the keys, as k3s does, so that the file can be moved.
func (ca authority) writeKubeconfig(path, server string, subject pkix.Name) error {
	certificate, key, err := ca.issue(x509.Certificate{
		Subject:     subject,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	})
	if err != nil {
		return err
	}
	keyPEM, err := keyutil.MarshalPrivateKeyToPEM(key)
	if err != nil {
		return err
	}
	config := clientcmdapi.NewConfig()
	config.Clusters["default"] = &clientcmdapi.Cluster{Server: server, CertificateAuthorityData: certificatePEM(ca.certificate)}
	config.AuthInfos["default"] = &clientcmdapi.AuthInfo{ClientCertificateData: certificatePEM(certificate), ClientKeyData: keyPEM}
	config.Contexts["default"] = &clientcmdapi.Context{Cluster: "default", AuthInfo: "default"}
	config.CurrentContext = "default"
	return clientcmd.WriteToFile(*config, path)
}

func certificatePEM(certificate *x509.Certificate) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: cert.CertificateBlockType, Bytes: certificate.Raw})
}

func writePair(dir, name string, certificate *x509.Certificate, key crypto.Signer) error {
	if err := cert.WriteCert(filepath.Join(dir, name+".crt"), certificatePEM(certificate)); err != nil {
		return err
	}
	return writeKey(dir, name, key)
}

func writeKey(dir, name string, key crypto.Signer) error {
	data, err := keyutil.MarshalPrivateKeyToPEM(key)
	if err != nil {
		return err
	}
	return keyutil.WriteKey(filepath.Join(dir, name+".key"), data)
}
