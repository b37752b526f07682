// Package component knows the programs that a Kubernetes is made of: their configuration files, certificates,
// command lines, and how each one shows that it is ready.
package component

import (
	"bytes"
	"embed"
	"fmt"
	"os"
	"path/filepath"
	"text/template"

	"snapready/ci/cluster/build"
	"snapready/ci/cluster/layout"
	"snapready/ci/cluster/pki"
)

// Administrator is the user of the cluster's own kubeconfig; the audit log leaves it out.
const Administrator = "snapready-ci-admin"

//go:embed files
var files embed.FS

// values are what the files in this folder are rendered with.
type values struct {
	Layout        layout.Layout
	Node          layout.Node
	Administrator string
	EtcdURL       string
	EtcdPeerURL   string
	ImagePause    string
	PodRange      string
}

// Configure writes certificates, kubeconfig files and configuration files. Doing it again changes nothing.
func Configure(l layout.Layout, nodes []layout.Node) error {
	if err := certificates(l, nodes); err != nil {
		return err
	}
	common := values{
		Layout: l, Node: nodes[0], Administrator: Administrator, ImagePause: build.ImagePause,
		EtcdURL: layout.EtcdURL, EtcdPeerURL: layout.EtcdPeerURL, PodRange: layout.PodRange,
	}
	for name, to := range map[string]string{
		"etcd.yaml":  l.Configuration("etcd.yaml"),
		"audit.yaml": l.Configuration("audit.yaml"),
		"proxy.yaml": l.Configuration("kube-proxy.yaml"),
	} {
		if err := render(name, to, common); err != nil {
			return err
		}
	}
	for _, node := range nodes {
		common.Node = node
		for name, to := range map[string]string{
			"containerd.toml": l.Configuration(node.Component("containerd") + ".toml"),
			"kubelet.yaml":    l.Configuration(node.Component("kubelet") + ".yaml"),
			"cni.conflist":    filepath.Join(node.CNI(), "10-bridge.conflist"),
		} {
			if err := render(name, to, common); err != nil {
				return err
			}
		}
	}
	// Pods inherit it; there is no DNS in this cluster, and the machine's is not theirs to ask.
	return write(l.Configuration("resolv.conf"), nil, 0o644)
}

func render(name, to string, data values) error {
	parsed, err := template.New(name).Option("missingkey=error").ParseFS(files, "files/"+name)
	if err != nil {
		return err
	}
	var text bytes.Buffer
	if err := parsed.Execute(&text, data); err != nil {
		return fmt.Errorf("render %s: %w", name, err)
	}
	return write(to, text.Bytes(), 0o644)
}

// write leaves a file alone that holds the data already: kube-proxy ends when its configuration file is written, even
// with the same content.
func write(to string, data []byte, mode os.FileMode) error {
	if present, err := os.ReadFile(to); err == nil && bytes.Equal(present, data) {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	return os.WriteFile(to, data, mode)
}

// Server is the API server's URL.
func Server() string {
	return fmt.Sprintf("https://%s:%d", layout.APIServerAddress, layout.APIServerPort)
}

func certificates(l layout.Layout, nodes []layout.Node) error {
	directory := l.PKI("")
	authority, err := pki.LoadOrCreateAuthority(directory, "ca")
	if err != nil {
		return err
	}
	frontProxy, err := pki.LoadOrCreateAuthority(directory, "front-proxy-ca")
	if err != nil {
		return err
	}
	if _, _, err := pki.KeyPair(directory, "service-account"); err != nil {
		return err
	}
	if _, err := authority.Server(directory, "apiserver", "kube-apiserver",
		"kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local",
		layout.ServiceAPIServer, layout.APIServerAddress); err != nil {
		return err
	}
	if _, err := frontProxy.Client(directory, "front-proxy-client", "front-proxy-client"); err != nil {
		return err
	}
	if _, err := authority.Client(directory, "apiserver-kubelet-client", "kube-apiserver-kubelet-client", "system:masters"); err != nil {
		return err
	}
	for _, client := range []struct {
		file, user string
		groups     []string
		kubeconfig string
	}{
		{"admin", Administrator, []string{"system:masters"}, l.Kubeconfig()},
		{"kube-controller-manager", "system:kube-controller-manager", nil, l.Configuration("kube-controller-manager.kubeconfig")},
		{"kube-scheduler", "system:kube-scheduler", nil, l.Configuration("kube-scheduler.kubeconfig")},
		{"kube-proxy", "system:kube-proxy", nil, l.Configuration("kube-proxy.kubeconfig")},
	} {
		if err := clientConfiguration(authority, directory, client.file, client.user, client.groups, client.kubeconfig); err != nil {
			return err
		}
	}
	for _, node := range nodes {
		if _, err := authority.Server(directory, node.Component("kubelet-server"), node.Name(), node.Name(), node.Address()); err != nil {
			return err
		}
		name := node.Component("kubelet")
		if err := clientConfiguration(authority, directory, name, "system:node:"+node.Name(), []string{"system:nodes"}, l.Configuration(name+".kubeconfig")); err != nil {
			return err
		}
	}
	return nil
}

func clientConfiguration(authority *pki.Authority, directory, file, user string, groups []string, to string) error {
	credentials, err := authority.Client(directory, file, user, groups...)
	if err != nil {
		return err
	}
	data, err := pki.Kubeconfig(Server(), authority.CertificateFile, user, credentials)
	if err != nil {
		return err
	}
	return write(to, data, 0o600)
}

// UserKubeconfig makes credentials for an ordinary user: one that the audit log shows and that RBAC decides about.
func UserKubeconfig(l layout.Layout, user string, groups ...string) ([]byte, error) {
	authority, err := pki.LoadOrCreateAuthority(l.PKI(""), "ca")
	if err != nil {
		return nil, err
	}
	// A directory of its own, so that a user named like a component gets no component's certificate; made anew
	// each time, because the groups may differ.
	directory, err := os.MkdirTemp("", "snapready-ci-user-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(directory)
	credentials, err := authority.Client(directory, "user", user, groups...)
	if err != nil {
		return nil, err
	}
	return pki.Kubeconfig(Server(), authority.CertificateFile, user, credentials)
}
