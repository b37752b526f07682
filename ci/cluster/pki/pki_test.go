package pki

import (
	"crypto/x509"
	"os"
	"reflect"
	"testing"

	"k8s.io/client-go/tools/clientcmd"
)

func TestCertificatesAreSignedAndKept(t *testing.T) {
	directory := t.TempDir()
	authority, err := LoadOrCreateAuthority(directory, "ca")
	if err != nil {
		t.Fatal(err)
	}
	server, err := authority.Server(directory, "server", "kube-apiserver", "kubernetes", "10.96.0.1")
	if err != nil {
		t.Fatal(err)
	}
	certificate, _, err := load(server)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(authority.certificate)
	for _, host := range []string{"kubernetes", "10.96.0.1"} {
		if _, err := certificate.Verify(x509.VerifyOptions{Roots: roots, DNSName: host}); err != nil {
			t.Errorf("%s: %v", host, err)
		}
	}

	before, _ := os.ReadFile(server.CertificateFile)
	reloaded, err := LoadOrCreateAuthority(directory, "ca")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := reloaded.Server(directory, "server", "kube-apiserver", "kubernetes", "10.96.0.1"); err != nil {
		t.Fatal(err)
	}
	if after, _ := os.ReadFile(server.CertificateFile); !reflect.DeepEqual(before, after) {
		t.Error("a valid certificate was replaced")
	}

	other, err := LoadOrCreateAuthority(t.TempDir(), "ca")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.Server(directory, "server", "kube-apiserver", "kubernetes"); err != nil {
		t.Fatal(err)
	}
	if after, _ := os.ReadFile(server.CertificateFile); reflect.DeepEqual(before, after) {
		t.Error("another authority's certificate was kept")
	}
}

func TestKubeconfigNamesUserAndGroups(t *testing.T) {
	directory := t.TempDir()
	authority, err := LoadOrCreateAuthority(directory, "ca")
	if err != nil {
		t.Fatal(err)
	}
	credentials, err := authority.Client(directory, "ann", "ann", "readers", "writers")
	if err != nil {
		t.Fatal(err)
	}
	data, err := Kubeconfig("https://10.244.0.1:6443", authority.CertificateFile, "ann", credentials)
	if err != nil {
		t.Fatal(err)
	}
	configuration, err := clientcmd.RESTConfigFromKubeConfig(data)
	if err != nil {
		t.Fatal(err)
	}
	if configuration.Host != "https://10.244.0.1:6443" {
		t.Errorf("server is %s", configuration.Host)
	}
	certificate, _, err := load(credentials)
	if err != nil {
		t.Fatal(err)
	}
	if got := certificate.Subject; got.CommonName != "ann" || !reflect.DeepEqual(got.Organization, []string{"readers", "writers"}) {
		t.Errorf("subject is %s", got)
	}
}
