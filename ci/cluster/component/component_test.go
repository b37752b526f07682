package component

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"snapready/ci/cluster/layout"
)

func configured(t *testing.T) (layout.Layout, []layout.Node) {
	t.Helper()
	place := layout.Layout{Root: t.TempDir()}
	nodes := place.Nodes(2)
	if err := Configure(place, nodes); err != nil {
		t.Fatal(err)
	}
	return place, nodes
}

func TestConfigurationIsWhole(t *testing.T) {
	place, nodes := configured(t)
	for _, name := range []string{"etcd", "audit", "kube-proxy", "kubelet-node-1", "kubelet-node-2"} {
		data, err := os.ReadFile(place.Configuration(name + ".yaml"))
		if err != nil {
			t.Fatal(err)
		}
		var parsed map[string]any
		if err := yaml.UnmarshalStrict(data, &parsed); err != nil || strings.Contains(string(data), "<no value>") {
			t.Errorf("%s: %v\n%s", name, err, data)
		}
	}
	for _, node := range nodes {
		data, err := os.ReadFile(filepath.Join(node.CNI(), "10-bridge.conflist"))
		if err != nil {
			t.Fatal(err)
		}
		if !json.Valid(data) || !strings.Contains(string(data), node.Bridge()) {
			t.Errorf("CNI configuration of %s:\n%s", node.Name(), data)
		}
	}
}

// A file that a component is told to read, and that nothing writes, shows up here instead of in a log.
func TestComponentsNameFilesThatExist(t *testing.T) {
	place, nodes := configured(t)
	state := place.State() + "/"
	written := map[string]bool{"--audit-log-path": true, "--root-dir": true}
	for _, each := range All(place, nodes) {
		for _, argument := range each.Args {
			flag, value, _ := strings.Cut(argument, "=")
			if !strings.HasPrefix(value, state) || written[flag] {
				continue
			}
			if _, err := os.Stat(value); err != nil {
				t.Errorf("%s %s: %v", each.Name, argument, err)
			}
		}
	}
}

func TestConfiguringAgainChangesNothing(t *testing.T) {
	place, nodes := configured(t)
	read := func() map[string]string {
		files := map[string]string{}
		for _, folder := range []string{place.Configuration(""), place.PKI("")} {
			entries, err := os.ReadDir(folder)
			if err != nil {
				t.Fatal(err)
			}
			for _, entry := range entries {
				info, err := entry.Info()
				if err != nil {
					t.Fatal(err)
				}
				files[filepath.Join(folder, entry.Name())] = info.ModTime().String()
			}
		}
		return files
	}
	before := read()
	if err := Configure(place, nodes); err != nil {
		t.Fatal(err)
	}
	for file, written := range read() {
		if before[file] != written {
			t.Errorf("%s was written again: its component would be restarted by every `up`", file)
		}
	}
}
