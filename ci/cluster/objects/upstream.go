package objects

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// upstream reads the manifests of external-snapshotter and external-provisioner and adapts them to this cluster. Their
// roles are taken as they are: every call that controller and sidecar v8.6.0 make for groups is allowed by them.
func upstream(p Params) ([]*unstructured.Unstructured, error) {
	crds, err := readManifests(p.Upstream, "crd")
	if err != nil {
		return nil, err
	}
	if len(crds) != 6 {
		return nil, fmt.Errorf("%s holds %d objects, but external-snapshotter has six CRDs: build the upstream directory again",
			filepath.Join(p.Upstream, "crd"), len(crds))
	}
	controller, err := readManifests(p.Upstream, "snapshot-controller")
	if err != nil {
		return nil, err
	}
	if err := adaptController(controller, p.Images.SnapshotController); err != nil {
		return nil, err
	}
	snapshotter, err := readManifests(p.Upstream, "csi-snapshotter/rbac-csi-snapshotter.yaml")
	if err != nil {
		return nil, err
	}
	provisioner, err := readManifests(p.Upstream, "csi-provisioner/rbac.yaml")
	if err != nil {
		return nil, err
	}
	return slices.Concat(crds, controller, adaptSidecarRoles(slices.Concat(snapshotter, provisioner))), nil
}

// readManifests reads a manifest, or all manifests of a directory, in the order of their names.
func readManifests(directory, name string) ([]*unstructured.Unstructured, error) {
	path := filepath.Join(directory, filepath.FromSlash(name))
	files := []string{path}
	if filepath.Ext(path) != ".yaml" {
		var err error
		if files, err = filepath.Glob(filepath.Join(path, "*.yaml")); err != nil {
			return nil, err
		}
	}
	var list []*unstructured.Unstructured
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("upstream's manifest is missing, build the upstream directory again: %w", err)
		}
		parsed, err := parse(content)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		for _, object := range parsed {
			if object.GetKind() != "Kustomization" {
				list = append(list, object)
			}
		}
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("%s holds no manifests: build the upstream directory again", path)
	}
	return list, nil
}

// adaptController sets what differs from upstream's Deployment: its manifest names the image of the release before, has
// two replicas, and leaves the group gate off, which is beta and off by default in v8.6.
func adaptController(list []*unstructured.Unstructured, image string) error {
	deployment := Find(list, "Deployment", "snapshot-controller")
	if deployment == nil {
		return fmt.Errorf("upstream's manifests hold no Deployment snapshot-controller: has its name changed in this release?")
	}
	if err := unstructured.SetNestedField(deployment.Object, int64(1), "spec", "replicas"); err != nil {
		return err
	}
	containers, _, err := unstructured.NestedSlice(deployment.Object, "spec", "template", "spec", "containers")
	if err != nil || len(containers) != 1 {
		return fmt.Errorf("upstream's Deployment snapshot-controller has not one container, but %d: %v", len(containers), err)
	}
	// A program that is told to end in the moment of its start, before it has a handler, does not hear it, because it is
	// process 1 of its container. With the default it would be waited for half a minute.
	if err := unstructured.SetNestedField(deployment.Object, int64(2), "spec", "template", "spec", "terminationGracePeriodSeconds"); err != nil {
		return err
	}
	container := containers[0].(map[string]any)
	container["image"] = image
	args, _, err := unstructured.NestedSlice(container, "args")
	if err != nil {
		return err
	}
	// See the sidecars for the rate.
	container["args"] = append(args, "--feature-gates=CSIVolumeGroupSnapshot=true", "--kube-api-qps=50", "--kube-api-burst=100")
	return unstructured.SetNestedSlice(deployment.Object, containers, "spec", "template", "spec", "containers")
}

// adaptSidecarRoles moves the sidecars' roles from the namespace default to the driver's, and gives them to the driver's
// one ServiceAccount: a pod has only one, and both sidecars run in the driver's pod.
func adaptSidecarRoles(list []*unstructured.Unstructured) []*unstructured.Unstructured {
	var adapted []*unstructured.Unstructured
	for _, object := range list {
		switch object.GetKind() {
		case "ServiceAccount":
			continue
		case "Role", "RoleBinding":
			object.SetNamespace(DriverNamespace)
		}
		if _, bound := object.Object["subjects"]; bound {
			object.Object["subjects"] = []any{map[string]any{
				"kind": "ServiceAccount", "name": driverServiceAccount, "namespace": DriverNamespace,
			}}
		}
		adapted = append(adapted, object)
	}
	return adapted
}
