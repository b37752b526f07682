// Package objectstest gives tests the parameters for the standard objects, with upstream's manifests out of the Go module
// cache instead of a build.
package objectstest

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
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

// moduleDirectory downloads the module if it is not in the cache: no package of it need be part of any build.
func moduleDirectory(t *testing.T, module string) string {
	t.Helper()
	output, err := exec.Command("go", "mod", "download", "-json", module).Output()
	if err != nil {
		t.Fatalf("go mod download %s: %v", module, err)
	}
	var downloaded struct{ Dir string }
	if err := json.Unmarshal(output, &downloaded); err != nil {
		t.Fatal(err)
	}
	return downloaded.Dir
}
