package objects

import (
	"fmt"
	"path/filepath"
)

const (
	// StandardLabel marks every object that this module owns. An object with the label that is not wanted is deleted.
	StandardLabel = "snapready.test/standard"

	// NotReadyAnnotation on a Deployment says, and why, that its pods are not expected to become Ready.
	NotReadyAnnotation = "snapready.test/not-ready"

	// DriverNamespace is where all instances of the driver run.
	DriverNamespace = "csi-snapready"

	// ControllerNamespace is where upstream's manifests put the snapshot-controller.
	ControllerNamespace = "kube-system"

	InstanceLabel  = "app.kubernetes.io/instance"
	ComponentLabel = "app.kubernetes.io/component"
	NodeComponent  = "node"

	DefaultStorageClassAnnotation       = "storageclass.kubernetes.io/is-default-class"
	DefaultSnapshotClassAnnotation      = "snapshot.storage.kubernetes.io/is-default-class"
	DefaultGroupSnapshotClassAnnotation = "groupsnapshot.storage.kubernetes.io/is-default-class"

	driverServiceAccount = "csi-snapready-controller"
)

// Images are the image names in the pod templates.
type Images struct {
	SnapshotController string
	Snapshotter        string
	Provisioner        string
	Driver             string
}

// Params are the things the standard objects take from the machine.
type Params struct {
	// Upstream is the directory with upstream's manifests: crd/, snapshot-controller/, csi-snapshotter/, csi-provisioner/.
	Upstream string
	// Kubelets is the host directory that holds one kubelet root directory per node, each named like its node.
	Kubelets string
	// Data is the host directory that holds one directory of volumes and snapshots per driver.
	Data   string
	Images Images
}

func (p Params) validate() error {
	for _, directory := range []struct{ name, path string }{{"Upstream", p.Upstream}, {"Kubelets", p.Kubelets}, {"Data", p.Data}} {
		if !filepath.IsAbs(directory.path) {
			return fmt.Errorf("objects: %s must be an absolute path, but is %q", directory.name, directory.path)
		}
	}
	for _, image := range []string{p.Images.SnapshotController, p.Images.Snapshotter, p.Images.Provisioner, p.Images.Driver} {
		if image == "" {
			return fmt.Errorf("objects: an image name is empty in %+v", p.Images)
		}
	}
	return nil
}
