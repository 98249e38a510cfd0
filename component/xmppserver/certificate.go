package xmppserver

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// writeCertificates makes ca.crt, server.crt, server.key and server.pem (both) in s.Dir. The CA's key is forgotten.
func writeCertificates(s *Server) error {
	names := []string{s.Domain, "*." + s.Domain}
	if s.Component != "" && !strings.HasSuffix(s.Component, "."+s.Domain) {
		names = append(names, s.Component)
	}
	ca, err := newCertificate(&x509.Certificate{
		Subject:               pkix.Name{CommonName: "private test CA of " + s.Domain},
		IsCA:                  true,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}, nil)
	if err != nil {
		return err
	}
	leaf, err := newCertificate(&x509.Certificate{
		Subject:     pkix.Name{CommonName: s.Domain},
		DNSNames:    names,
		IPAddresses: addresses(s.options.Host),
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}, ca)
	if err != nil {
		return err
	}
	key, err := x509.MarshalPKCS8PrivateKey(leaf.key)
	if err != nil {
		return err
	}
	certificatePEM := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: leaf.Raw})
	keyPEM := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})
	files := map[string][]byte{
		s.CAFile:                           pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: ca.Raw}),
		filepath.Join(s.Dir, "server.crt"): certificatePEM,
		filepath.Join(s.Dir, "server.key"): keyPEM,
		filepath.Join(s.Dir, "server.pem"): bytes.Join([][]byte{certificatePEM, keyPEM}, nil),
	}
	for name, content := range files {
		if err := os.WriteFile(name, content, 0o600); err != nil {
			return err
		}
	}
	return nil
}

type certificate struct {
	*x509.Certificate
	key *ecdsa.PrivateKey
}

// newCertificate completes the template; a nil issuer means self-signed.
func newCertificate(template *x509.Certificate, issuer *certificate) (*certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template.SerialNumber, err = rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, err
	}
	template.NotBefore = time.Now().Add(-time.Hour)
	template.NotAfter = time.Now().AddDate(1, 0, 0)
	parent, signer := template, key
	if issuer != nil {
		parent, signer = issuer.Certificate, issuer.key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	if err != nil {
		return nil, err
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	return &certificate{parsed, key}, nil
}

func addresses(host string) []net.IP {
	if ip := net.ParseIP(host); ip != nil && !ip.IsUnspecified() {
		return []net.IP{ip}
	}
	return nil
}
