package objects

import (
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

const (
	immediate            = "Immediate"
	waitForFirstConsumer = "WaitForFirstConsumer"
	deleteSnapshots      = "Delete"
	retainSnapshots      = "Retain"
)

func standardClasses() []*unstructured.Unstructured {
	driver := StandardInstance.Driver
	return []*unstructured.Unstructured{
		asDefault(storageClass("snap-wffc", driver, waitForFirstConsumer, nil), DefaultStorageClassAnnotation),
		storageClass("snap-immediate", driver, immediate, nil),
		storageClass("snap-no-udev", driver, waitForFirstConsumer, map[string]any{"device": "root-only"}),
		asDefault(snapshotClass("snap-class", driver, deleteSnapshots, nil), DefaultSnapshotClassAnnotation),
		snapshotClass("snap-retain", driver, retainSnapshots, nil),
		asDefault(groupSnapshotClass("group-snap-class", driver), DefaultGroupSnapshotClassAnnotation),
	}
}

// instanceClasses are the classes of another driver. Its snapshot class is the default one of that driver: unlike for
// StorageClasses, the default of a VolumeSnapshotClass is per driver.
func instanceClasses(instance Instance) []*unstructured.Unstructured {
	list := []*unstructured.Unstructured{storageClass(instance.Name, instance.Driver, waitForFirstConsumer, nil)}
	if instance.HasSnapshots() {
		list = append(list, asDefault(snapshotClass(instance.Name, instance.Driver, deleteSnapshots, nil), DefaultSnapshotClassAnnotation))
	}
	return list
}

// faultClasses are the pairs of classes of all faults.
func faultClasses() []*unstructured.Unstructured {
	var list []*unstructured.Unstructured
	for _, fault := range Faults() {
		list = append(list,
			storageClass(fault.Name, StandardInstance.Driver, fault.bindingMode(), fault.storageParameters()),
			snapshotClass(fault.Name, StandardInstance.Driver, deleteSnapshots, fault.snapshotParameters()))
	}
	return list
}

func storageClass(name, driver, bindingMode string, parameters map[string]any) *unstructured.Unstructured {
	return class("storage.k8s.io/v1", "StorageClass", name, parameters, map[string]any{
		"provisioner":          driver,
		"reclaimPolicy":        "Delete",
		"volumeBindingMode":    bindingMode,
		"allowVolumeExpansion": true,
	})
}

func snapshotClass(name, driver, deletionPolicy string, parameters map[string]any) *unstructured.Unstructured {
	return class("snapshot.storage.k8s.io/v1", "VolumeSnapshotClass", name, parameters, map[string]any{
		"driver": driver, "deletionPolicy": deletionPolicy,
	})
}

func groupSnapshotClass(name, driver string) *unstructured.Unstructured {
	return class("groupsnapshot.storage.k8s.io/v1", "VolumeGroupSnapshotClass", name, nil, map[string]any{
		"driver": driver, "deletionPolicy": deleteSnapshots,
	})
}

func class(apiVersion, kind, name string, parameters, fields map[string]any) *unstructured.Unstructured {
	object := &unstructured.Unstructured{Object: fields}
	object.SetAPIVersion(apiVersion)
	object.SetKind(kind)
	object.SetName(name)
	if len(parameters) > 0 {
		object.Object["parameters"] = parameters
	}
	return object
}

func asDefault(object *unstructured.Unstructured, annotation string) *unstructured.Unstructured {
	object.SetAnnotations(map[string]string{annotation: "true"})
	return object
}
