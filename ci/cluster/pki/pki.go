// Package pki makes the cluster's certificate authorities, certificates and kubeconfig files.
package pki

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// validity is long enough for a cluster that somebody forgets, and short enough to be of no use to anybody later.
const validity = 90 * 24 * time.Hour

// Authority signs certificates.
type Authority struct {
	certificate *x509.Certificate
	key         crypto.Signer
	// CertificateFile is where the authority's own certificate lies.
	CertificateFile string
}

// Pair names the files of a certificate and its key.
type Pair struct {
	CertificateFile string
	KeyFile         string
}

func pair(directory, name string) Pair {
	return Pair{filepath.Join(directory, name+".crt"), filepath.Join(directory, name+".key")}
}

// LoadOrCreateAuthority reads NAME.crt and NAME.key from the directory, or makes them.
func LoadOrCreateAuthority(directory, name string) (*Authority, error) {
	files := pair(directory, name)
	if certificate, key, err := load(files); err == nil {
		return &Authority{certificate, key, files.CertificateFile}, nil
	}
	key, err := newKey()
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		Subject:               pkix.Name{CommonName: name},
		IsCA:                  true,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	certificate, err := sign(template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	if err := write(files, certificate, key); err != nil {
		return nil, err
	}
	return &Authority{certificate, key, files.CertificateFile}, nil
}

// Client makes a client certificate for a user of the cluster.
func (a *Authority) Client(directory, name, user string, groups ...string) (Pair, error) {
	return a.issue(pair(directory, name), &x509.Certificate{
		Subject:     pkix.Name{CommonName: user, Organization: groups},
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	})
}

// Server makes a serving certificate for the given host names and addresses.
func (a *Authority) Server(directory, name, commonName string, hosts ...string) (Pair, error) {
	template := &x509.Certificate{
		Subject:     pkix.Name{CommonName: commonName},
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	for _, host := range hosts {
		if address := net.ParseIP(host); address != nil {
			template.IPAddresses = append(template.IPAddresses, address)
		} else {
			template.DNSNames = append(template.DNSNames, host)
		}
	}
	return a.issue(pair(directory, name), template)
}

// issue keeps a certificate that is already there: a new one would restart the component that uses it.
func (a *Authority) issue(files Pair, template *x509.Certificate) (Pair, error) {
	if existing, _, err := load(files); err == nil && existing.CheckSignatureFrom(a.certificate) == nil {
		return files, nil
	}
	key, err := newKey()
	if err != nil {
		return Pair{}, err
	}
	certificate, err := sign(template, a.certificate, key.Public(), a.key)
	if err != nil {
		return Pair{}, fmt.Errorf("certificate %s: %w", template.Subject.CommonName, err)
	}
	return files, write(files, certificate, key)
}

// KeyPair makes a bare key pair, for signing service account tokens: NAME.pub and NAME.key.
func KeyPair(directory, name string) (public, private string, err error) {
	public, private = filepath.Join(directory, name+".pub"), filepath.Join(directory, name+".key")
	if _, err := os.Stat(private); err == nil {
		if _, err := os.Stat(public); err == nil {
			return public, private, nil
		}
	}
	key, err := newKey()
	if err != nil {
		return "", "", err
	}
	data, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return "", "", err
	}
	if err := writePEM(public, "PUBLIC KEY", data, 0o644); err != nil {
		return "", "", err
	}
	return public, private, writeKey(private, key)
}

func newKey() (*ecdsa.PrivateKey, error) { return ecdsa.GenerateKey(elliptic.P256(), rand.Reader) }

func sign(template, parent *x509.Certificate, public crypto.PublicKey, key crypto.Signer) (*x509.Certificate, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, err
	}
	template.SerialNumber = serial
	// An hour back, for clocks that are set late.
	template.NotBefore = time.Now().Add(-time.Hour)
	template.NotAfter = time.Now().Add(validity)
	data, err := x509.CreateCertificate(rand.Reader, template, parent, public, key)
	if err != nil {
		return nil, err
	}
	return x509.ParseCertificate(data)
}

func load(files Pair) (*x509.Certificate, crypto.Signer, error) {
	certificateData, err := readPEM(files.CertificateFile)
	if err != nil {
		return nil, nil, err
	}
	certificate, err := x509.ParseCertificate(certificateData)
	if err != nil {
		return nil, nil, err
	}
	if time.Now().After(certificate.NotAfter.Add(-24 * time.Hour)) {
		return nil, nil, fmt.Errorf("%s expires within a day", files.CertificateFile)
	}
	keyData, err := readPEM(files.KeyFile)
	if err != nil {
		return nil, nil, err
	}
	key, err := x509.ParseECPrivateKey(keyData)
	if err != nil {
		return nil, nil, err
	}
	return certificate, key, nil
}

func write(files Pair, certificate *x509.Certificate, key *ecdsa.PrivateKey) error {
	if err := writePEM(files.CertificateFile, "CERTIFICATE", certificate.Raw, 0o644); err != nil {
		return err
	}
	return writeKey(files.KeyFile, key)
}

func writeKey(file string, key *ecdsa.PrivateKey) error {
	data, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return err
	}
	return writePEM(file, "EC PRIVATE KEY", data, 0o600)
}

func writePEM(file, kind string, data []byte, mode os.FileMode) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	return os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: data}), mode)
}

func readPEM(file string) ([]byte, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(data)
	if block == nil {
		return nil, fmt.Errorf("%s holds no PEM block", file)
	}
	return block.Bytes, nil
}
