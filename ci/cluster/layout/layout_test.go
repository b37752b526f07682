package layout

import (
	"path/filepath"
	"strings"
	"testing"
)

func TestDirectoryComesFromTheEnvironment(t *testing.T) {
	for value, want := range map[string]string{
		"":                                      DefaultDirectory,
		"/srv/k8s/":                             "/srv/k8s",
		"relative":                              "",
		"/" + strings.Repeat("x", maxDirectory): "",
	} {
		t.Setenv(DirectoryVariable, value)
		got, err := FromEnvironment()
		if (err != nil) != (want == "") || got.Root != want {
			t.Errorf("%s=%q gives %q, %v; want %q", DirectoryVariable, value, got.Root, err, want)
		}
	}
}

func TestLongestSocketPathFits(t *testing.T) {
	longest := Layout{"/" + strings.Repeat("x", maxDirectory-1)}
	for _, node := range longest.Nodes(MaxNodes) {
		for _, socket := range []string{
			filepath.Join(node.Kubelet(), "plugins", "no-snapshots.csi.snapready.test", "csi.sock"),
			filepath.Join(node.Kubelet(), "plugins_registry", "no-snapshots.csi.snapready.test-reg.sock"),
			node.ContainerdSocket() + ".ttrpc",
		} {
			if len(socket) > 107 {
				t.Errorf("%s has %d characters, %d below the directory; 107 fit", socket, len(socket), len(socket)-maxDirectory)
			}
		}
	}
}

func TestNodesShareNothing(t *testing.T) {
	nodes := Layout{"/x"}.Nodes(MaxNodes)
	for _, of := range []func(Node) any{
		func(n Node) any { return n.Name() },
		func(n Node) any { return n.Bridge() },
		func(n Node) any { return n.Address() },
		func(n Node) any { return n.KubeletHealthPort() },
		func(n Node) any { return n.Cgroup() },
		func(n Node) any { return n.Kubelet() },
		func(n Node) any { return n.ContainerdSocket() },
		func(n Node) any { return n.CNIData() },
	} {
		if of(nodes[0]) == of(nodes[1]) {
			t.Errorf("both nodes have %v", of(nodes[0]))
		}
	}
}
