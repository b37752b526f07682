// Package layout says where everything of the cluster lies and which addresses and ports it uses.
// It knows names only; the packages that use a path create what is there.
package layout

import (
	"fmt"
	"os"
	"path/filepath"
)

const (
	// DirectoryVariable is the environment variable that moves the cluster's directory.
	DirectoryVariable = "SNAPREADY_CLUSTER_DIR"
	// DefaultDirectory is short because unix socket paths end at 107 bytes and the longest one, a CSI driver's
	// registration socket, lies seven levels below it.
	DefaultDirectory = "/var/lib/snapready-ci"
	// maxDirectory leaves room for "/state/kubelet/node-1/plugins_registry/no-snapshots.csi.snapready.test-reg.sock".
	maxDirectory = 107 - 79

	// APIServerAddress is the first node's address: the API server listens there and nowhere else.
	APIServerAddress = "10.244.0.1"
	// APIServerPort is the API server's port on APIServerAddress.
	APIServerPort = 6443
	// ServiceRange holds the cluster IPs; its first address is the API server's service.
	ServiceRange = "10.96.0.0/16"
	// ServiceAPIServer is the cluster IP of the service kubernetes.default.
	ServiceAPIServer = "10.96.0.1"
	// PodRange covers the pods of both nodes.
	PodRange = "10.244.0.0/16"
	// EtcdURL is where etcd serves the API server.
	EtcdURL = "http://127.0.0.1:12379"
	// EtcdPeerURL is etcd's unused peer address: it insists on one.
	EtcdPeerURL = "http://127.0.0.1:12380"

	// CgroupRoot is the cgroup, in every hierarchy, below which all containers of the cluster run.
	CgroupRoot = "snapready-ci"
	// MaxNodes is how many nodes the addresses below are made for.
	MaxNodes = 2
)

// Layout is the cluster's directory.
type Layout struct {
	Root string
}

// FromEnvironment reads DirectoryVariable. The directory need not exist.
func FromEnvironment() (Layout, error) {
	root := os.Getenv(DirectoryVariable)
	if root == "" {
		root = DefaultDirectory
	}
	if !filepath.IsAbs(root) {
		return Layout{}, fmt.Errorf("%s=%q is not an absolute path", DirectoryVariable, root)
	}
	root = filepath.Clean(root)
	if len(root) > maxDirectory {
		return Layout{}, fmt.Errorf("%s=%q has %d characters; at most %d fit, because unix socket paths below it end at 107 bytes",
			DirectoryVariable, root, len(root), maxDirectory)
	}
	return Layout{Root: root}, nil
}

// Create makes the directory and hides it from git, wherever it was moved to.
func (l Layout) Create() error {
	if err := os.MkdirAll(l.Root, 0o755); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(l.Root, ".gitignore"), []byte("*\n"), 0o644)
}

func (l Layout) path(parts ...string) string {
	return filepath.Join(append([]string{l.Root}, parts...)...)
}

// What survives `down`.

// Programs is the folder of everything that was built.
func (l Layout) Programs() string { return l.path("bin") }

// Program is one built program.
func (l Layout) Program(name string) string { return l.path("bin", name) }

// Upstream holds the manifests that were copied out of upstream's modules.
func (l Layout) Upstream() string { return l.path("upstream") }

// Images is the folder of image archives.
func (l Layout) Images() string { return l.path("images") }

// Lock is held by every command that changes the cluster.
func (l Layout) Lock() string { return l.path("lock") }

// Kubeconfig is the administrator's.
func (l Layout) Kubeconfig() string { return l.path("kubeconfig") }

// Kubectl is a kubectl of the cluster's own version.
func (l Layout) Kubectl() string { return l.path("kubectl") }

// What `down` removes.

// State is everything that belongs to the running cluster.
func (l Layout) State() string { return l.path("state") }

// Configuration is the folder of rendered configuration files.
func (l Layout) Configuration(name string) string { return l.path("state", "etc", name) }

// PKI is the folder of keys and certificates.
func (l Layout) PKI(name string) string { return l.path("state", "pki", name) }

// Log is a component's log file.
func (l Layout) Log(component string) string { return l.path("state", "log", component+".log") }

// AuditLog holds the requests of ordinary users, one JSON event per line.
func (l Layout) AuditLog() string { return l.Log("audit") }

// Run is the folder of process records.
func (l Layout) Run() string { return l.path("state", "run") }

// Etcd is etcd's data directory.
func (l Layout) Etcd() string { return l.path("state", "etcd") }

// Kubelets is the parent of all kubelets' root directories, and a shared mount.
func (l Layout) Kubelets() string { return l.path("state", "kubelet") }

// Volumes is the storage that the CSI drivers of all nodes share.
func (l Layout) Volumes() string { return l.path("state", "volumes") }

// Baseline lists the objects of the cluster as it was after `up`.
func (l Layout) Baseline() string { return l.path("state", "baseline.json") }

// HostRecord keeps what `up` changed on the machine itself, so that `down` can change it back.
func (l Layout) HostRecord() string { return l.path("state", "host.json") }

// Node is one of the cluster's nodes: a kubelet and a containerd of its own behind a bridge of its own.
type Node struct {
	// Index starts at 0.
	Index  int
	layout Layout
}

// Nodes lists the first count nodes.
func (l Layout) Nodes(count int) []Node {
	nodes := make([]Node, 0, count)
	for index := range count {
		nodes = append(nodes, Node{Index: index, layout: l})
	}
	return nodes
}

// Name is the name of the Node object.
func (n Node) Name() string { return fmt.Sprintf("node-%d", n.Index+1) }

// Bridge is the network interface that holds Address.
func (n Node) Bridge() string { return fmt.Sprintf("snapready%d", n.Index) }

// Address is node address and gateway of the node's pods in one.
func (n Node) Address() string { return fmt.Sprintf("10.244.%d.1", n.Index) }

// PodRange is the node's part of the pod network.
func (n Node) PodRange() string { return fmt.Sprintf("10.244.%d.0/24", n.Index) }

// FirstPodAddress leaves the range below it to the machine.
func (n Node) FirstPodAddress() string { return fmt.Sprintf("10.244.%d.10", n.Index) }

// KubeletHealthPort is on 127.0.0.1; kube-proxy has 10249 and 10256 there.
func (n Node) KubeletHealthPort() int { return 10260 + n.Index }

// Cgroup is the parent of the node's pod cgroups, as a path inside every hierarchy.
func (n Node) Cgroup() string { return "/" + CgroupRoot + "/" + n.Name() }

// Kubelet is the kubelet's root directory.
func (n Node) Kubelet() string { return filepath.Join(n.layout.Kubelets(), n.Name()) }

// Containerd is containerd's folder for images and containers.
func (n Node) Containerd() string { return n.layout.path("state", n.Name(), "containerd") }

// ContainerdState is containerd's folder for what runs.
func (n Node) ContainerdState() string { return n.layout.path("state", n.Name(), "run") }

// ContainerdSocket is where the kubelet and ctr reach containerd.
func (n Node) ContainerdSocket() string { return n.layout.path("state", n.Name(), "containerd.sock") }

// CNI is the folder of the node's CNI configuration.
func (n Node) CNI() string { return n.layout.path("state", n.Name(), "cni") }

// CNIData is where the host-local plugin keeps the addresses that it gave away.
func (n Node) CNIData() string { return n.layout.path("state", n.Name(), "cni-data") }

// PodLogs is where the kubelet keeps the containers' logs.
func (n Node) PodLogs() string { return n.layout.path("state", n.Name(), "podlogs") }

// Component is the name of a program's instance on this node, e.g. "kubelet-node-1".
func (n Node) Component(program string) string { return program + "-" + n.Name() }
