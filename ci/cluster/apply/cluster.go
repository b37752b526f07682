package apply

import (
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"
)

// FieldManager owns every field of the standard objects.
const FieldManager = "snapready-ci"

// Cluster holds the clients of one cluster.
type Cluster struct {
	Kube     kubernetes.Interface
	Dynamic  dynamic.Interface
	Metadata metadata.Interface
}

// Connect makes the clients. They have no client-side rate limit: the cluster is on this machine, and a hundred objects
// at client-go's five requests per second would take twenty seconds.
func Connect(config *rest.Config) (*Cluster, error) {
	config = rest.CopyConfig(config)
	config.QPS = -1
	config.WarningHandler = rest.NoWarnings{}
	kube, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	dynamicClient, err := dynamic.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	metadataClient, err := metadata.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	return &Cluster{Kube: kube, Dynamic: dynamicClient, Metadata: metadataClient}, nil
}

// Progress tells a person what is going on, a line per call. It may be nil.
type Progress func(format string, args ...any)

// Say passes a line on.
func (p Progress) Say(format string, args ...any) {
	if p != nil {
		p(format, args...)
	}
}
