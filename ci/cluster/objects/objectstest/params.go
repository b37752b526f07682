// Package objectstest gives tests the parameters for the standard objects, with upstream's manifests out of the Go module
// cache instead of a build.
package objectstest

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"snapready/ci/cluster/objects"
)

// Params are valid parameters; the host directories in them do not exist.
func Params(t *testing.T) objects.Params {
	t.Helper()
	upstream := t.TempDir()
	const snapshotter = "github.com/kubernetes-csi/external-snapshotter/v8"
	for name, source := range map[string]string{
		"crd":                 moduleDirectory(t, "github.com/kubernetes-csi/external-snapshotter/client/v8") + "/config/crd",
		"snapshot-controller": moduleDirectory(t, snapshotter) + "/deploy/kubernetes/snapshot-controller",
		"csi-snapshotter":     moduleDirectory(t, snapshotter) + "/deploy/kubernetes/csi-snapshotter",
		"csi-provisioner":     moduleDirectory(t, "github.com/kubernetes-csi/external-provisioner/v6") + "/deploy/kubernetes",
	} {
		if err := os.Symlink(filepath.FromSlash(source), filepath.Join(upstream, name)); err != nil {
			t.Fatal(err)
		}
	}
	return objects.Params{Upstream: upstream, Kubelets: "/kubelets", Data: "/data", Images: objects.Images{
		SnapshotController: "registry.k8s.io/sig-storage/snapshot-controller:v8.6.0",
		Snapshotter:        "registry.k8s.io/sig-storage/csi-snapshotter:v8.6.0",
		Provisioner:        "registry.k8s.io/sig-storage/csi-provisioner:v6.3.0",
		Driver:             "snapready.test/csi-driver:v1",
	}}
}

// Standard are the standard objects made from Params.
func Standard(t *testing.T) []*unstructured.Unstructured {
	t.Helper()
	list, err := objects.Standard(Params(t))
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func moduleDirectory(t *testing.T, module string) string {
	t.Helper()
	output, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", module).Output()
	if err != nil {
		t.Fatalf("go list -m %s: %v", module, err)
	}
	directory := strings.TrimSpace(string(output))
	if directory == "" {
		t.Fatalf("module %s is not in the module cache: run 'go mod download'", module)
	}
	return directory
}
