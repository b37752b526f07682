package breaks

import (
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"snapready/ci/cluster/objects"
)

const (
	defaultSnapshotClass = "snap-class"
	otherSnapshotClass   = "snap-retain"
	defaultStorageClass  = "snap-wffc"
	otherStorageClass    = "snap-immediate"
)

func noDefaultClass(_ objects.Params, objs list) (list, error) {
	class, err := need(objs, "VolumeSnapshotClass", defaultSnapshotClass)
	if err != nil {
		return nil, err
	}
	unstructured.RemoveNestedField(class.Object, "metadata", "annotations")
	return objs, nil
}

func twoDefaultClasses(_ objects.Params, objs list) (list, error) {
	class, err := need(objs, "VolumeSnapshotClass", otherSnapshotClass)
	if err != nil {
		return nil, err
	}
	annotate(class, objects.DefaultSnapshotClassAnnotation, "true")
	return objs, nil
}

func twoDefaultStorageClasses(_ objects.Params, objs list) (list, error) {
	class, err := need(objs, "StorageClass", otherStorageClass)
	if err != nil {
		return nil, err
	}
	annotate(class, objects.DefaultStorageClassAnnotation, "true")
	return objs, nil
}

// defaultClassWithoutProvisioner makes a class for local volumes the default.
func defaultClassWithoutProvisioner(_ objects.Params, objs list) (list, error) {
	class, err := need(objs, "StorageClass", defaultStorageClass)
	if err != nil {
		return nil, err
	}
	unstructured.RemoveNestedField(class.Object, "metadata", "annotations")
	byHand := fromFields("storage.k8s.io/v1", "StorageClass", "", "by-hand", map[string]any{
		"provisioner": "kubernetes.io/no-provisioner", "volumeBindingMode": "WaitForFirstConsumer",
	})
	annotate(byHand, objects.DefaultStorageClassAnnotation, "true")
	return add(objs, byHand), nil
}

func wrongDriverClass(p objects.Params, objs list) (list, error) {
	class, err := need(objs, "VolumeSnapshotClass", defaultSnapshotClass)
	if err != nil {
		return nil, err
	}
	class.Object["driver"] = "csi.snapready.tset"
	return withInstance("no-block")(p, objs)
}

func secretMissing(_ objects.Params, objs list) (list, error) {
	class, err := need(objs, "VolumeSnapshotClass", defaultSnapshotClass)
	if err != nil {
		return nil, err
	}
	class.Object["parameters"] = map[string]any{
		"csi.storage.k8s.io/snapshotter-secret-name":      "snapshot-credentials",
		"csi.storage.k8s.io/snapshotter-secret-namespace": objects.DriverNamespace,
	}
	return objs, nil
}
