package reset

// storageResources are the objects whose deletion needs the driver.
var storageResources = map[string]bool{
	"persistentvolumes": true, "persistentvolumeclaims": true,
	"volumesnapshots.snapshot.storage.k8s.io": true, "volumesnapshotcontents.snapshot.storage.k8s.io": true,
	"volumegroupsnapshots.groupsnapshot.storage.k8s.io": true, "volumegroupsnapshotcontents.groupsnapshot.storage.k8s.io": true,
}

// callUnderWay says whether a call to the driver may be going on for the object. csi-provisioner repeats CreateVolume for
// a claim that is deleted until the driver gives a final answer, so such calls end only with the sidecar.
func callUnderWay(object found) bool {
	if !storageResources[object.resource.GroupResource().String()] {
		return false
	}
	if object.DeletionTimestamp != nil {
		return true
	}
	if object.resource.Resource == "persistentvolumeclaims" {
		_, bound := object.Annotations["pv.kubernetes.io/bind-completed"]
		return !bound
	}
	for _, annotation := range []string{
		"snapshot.storage.kubernetes.io/volumesnapshot-being-created",
		"groupsnapshot.storage.kubernetes.io/volumegroupsnapshot-being-created",
	} {
		if _, creating := object.Annotations[annotation]; creating {
			return true
		}
	}
	return false
}
