package pki

import (
	"os"

	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// Kubeconfig renders a self-contained kubeconfig for the owner of a client certificate.
func Kubeconfig(server, authorityFile, user string, credentials Pair) ([]byte, error) {
	authority, err := os.ReadFile(authorityFile)
	if err != nil {
		return nil, err
	}
	certificate, err := os.ReadFile(credentials.CertificateFile)
	if err != nil {
		return nil, err
	}
	key, err := os.ReadFile(credentials.KeyFile)
	if err != nil {
		return nil, err
	}
	const cluster = "snapready-ci"
	config := clientcmdapi.NewConfig()
	config.Clusters[cluster] = &clientcmdapi.Cluster{Server: server, CertificateAuthorityData: authority}
	config.AuthInfos[user] = &clientcmdapi.AuthInfo{ClientCertificateData: certificate, ClientKeyData: key}
	config.Contexts[cluster] = &clientcmdapi.Context{Cluster: cluster, AuthInfo: user}
	config.CurrentContext = cluster
	return clientcmd.Write(*config)
}
