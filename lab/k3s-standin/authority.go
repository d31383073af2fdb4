package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"io/fs"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// authority signs what nodes show and what the supervisor shows. It stays the same over restarts.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

func loadAuthority(directory string) (authority, error) {
	pair, err := tls.LoadX509KeyPair(filepath.Join(directory, "ca.crt"), filepath.Join(directory, "ca.key"))
	if errors.Is(err, fs.ErrNotExist) {
		return newAuthority(directory)
	}
	if err != nil {
		return authority{}, err
	}
	certificate, err := x509.ParseCertificate(pair.Certificate[0])
	if err != nil {
		return authority{}, err
	}
	key, ok := pair.PrivateKey.(*ecdsa.PrivateKey)
	if !ok {
		return authority{}, errors.New("the authority's key is of another kind")
	}
	return authority{certificate: certificate, key: key}, nil
}

func newAuthority(directory string) (authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return authority{}, err
	}
	template := certificate("k3s-standin-ca", nil)
	template.IsCA, template.BasicConstraintsValid, template.KeyUsage = true, true, x509.KeyUsageCertSign
	content, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return authority{}, err
	}
	parsed, err := x509.ParseCertificate(content)
	if err != nil {
		return authority{}, err
	}
	encoded, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return authority{}, err
	}
	made := authority{certificate: parsed, key: key}
	return made, errors.Join(
		os.MkdirAll(directory, 0o700),
		os.WriteFile(filepath.Join(directory, "ca.key"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: encoded}), 0o600),
		os.WriteFile(filepath.Join(directory, "ca.crt"), made.pem(), 0o644))
}

func (a authority) pem() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.certificate.Raw})
}

func (a authority) issue(name string, groups, addresses []string) (tls.Certificate, error) {
	pair, err := a.issuePEM(name, groups, addresses)
	if err != nil {
		return tls.Certificate{}, err
	}
	return tls.X509KeyPair([]byte(pair.Certificate), []byte(pair.Key))
}

func (a authority) issuePEM(name string, groups, addresses []string) (credential, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return credential{}, err
	}
	template := certificate(name, groups)
	template.KeyUsage = x509.KeyUsageDigitalSignature
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}
	for _, address := range addresses {
		if ip := net.ParseIP(address); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, address)
		}
	}
	content, err := x509.CreateCertificate(rand.Reader, template, a.certificate, &key.PublicKey, a.key)
	if err != nil {
		return credential{}, err
	}
	encoded, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return credential{}, err
	}
	return credential{
		Certificate: string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: content})),
		Key:         string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: encoded})),
	}, nil
}

func certificate(name string, groups []string) *x509.Certificate {
	return &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()),
		Subject:      pkix.Name{CommonName: name, Organization: groups},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().AddDate(1, 0, 0),
	}
}
