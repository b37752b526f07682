package main

import "strconv"

const (
	driver = "ebs.csi.aws.com"
	since  = "2026-11-01T00:00:00Z"
)

// metadata is as large as that of real objects: what manages their fields takes more room than all else.
func metadata(kind string, index int, namespaced bool) object {
	name := kind + "-" + strconv.Itoa(index)
	fields := object{"f:metadata": object{"f:annotations": object{".": object{}, "f:a": object{}, "f:b": object{}}},
		"f:spec": object{"f:accessModes": object{}, "f:resources": object{"f:requests": object{".": object{}, "f:storage": object{}}}}}
	managed := object{"manager": "kube-controller-manager", "operation": "Update", "apiVersion": "v1", "time": since, "fieldsType": "FieldsV1", "fieldsV1": fields}
	made := object{"name": name, "uid": "11111111-2222-4333-8444-" + name, "resourceVersion": strconv.Itoa(1000 + index), "creationTimestamp": since,
		"labels": object{"app.kubernetes.io/name": "shop", "team": "storage"}, "managedFields": []object{managed, managed}}
	if namespaced {
		made["namespace"] = namespace(index)
	}
	return made
}

func namespace(index int) string { return "ns-" + strconv.Itoa(index%100) }

func named(kind string, index int) string { return kind + "-" + strconv.Itoa(index) }

func claim(index int) object {
	size := object{"storage": "10Gi"}
	return object{"metadata": metadata("pvc", index, true),
		"spec": object{"accessModes": []string{"ReadWriteOnce"}, "resources": object{"requests": size}, "storageClassName": "gold",
			"volumeName": named("pv", index), "volumeMode": "Filesystem"},
		"status": object{"phase": "Bound", "accessModes": []string{"ReadWriteOnce"}, "capacity": size}}
}

func volume(index int) object {
	about := metadata("pv", index, false)
	about["annotations"] = object{"pv.kubernetes.io/provisioned-by": driver}
	zone := object{"key": "topology.ebs.csi.aws.com/zone", "operator": "In", "values": []string{"eu-central-1a"}}
	return object{"metadata": about, "status": object{"phase": "Bound"},
		"spec": object{"capacity": object{"storage": "10Gi"}, "accessModes": []string{"ReadWriteOnce"}, "storageClassName": "gold",
			"persistentVolumeReclaimPolicy": "Delete", "volumeMode": "Filesystem",
			"csi":          object{"driver": driver, "volumeHandle": named("vol", index), "volumeAttributes": object{"a": "b"}},
			"claimRef":     object{"kind": "PersistentVolumeClaim", "namespace": namespace(index), "name": named("pvc", index)},
			"nodeAffinity": object{"required": object{"nodeSelectorTerms": []object{{"matchExpressions": []object{zone}}}}}}}
}

func volumeSnapshot(index int) object {
	return object{"metadata": metadata("vs", index, true),
		"spec":   object{"source": object{"persistentVolumeClaimName": named("pvc", index)}, "volumeSnapshotClassName": "snap"},
		"status": object{"boundVolumeSnapshotContentName": named("vsc", index), "creationTime": since, "readyToUse": true, "restoreSize": "10Gi"}}
}

func content(index int) object {
	return object{"metadata": metadata("vsc", index, false),
		"spec": object{"deletionPolicy": "Delete", "driver": driver, "source": object{"volumeHandle": named("vol", index)},
			"sourceVolumeMode": "Filesystem", "volumeSnapshotClassName": "snap",
			"volumeSnapshotRef": object{"kind": "VolumeSnapshot", "namespace": namespace(index), "name": named("vs", index),
				"uid": "11111111-2222-4333-8444-" + named("vs", index)}},
		"status": object{"creationTime": 1764000000000000000, "readyToUse": true, "restoreSize": 10737418240, "snapshotHandle": named("snap", index)}}
}

func pod(index int) object {
	variable := object{"name": "A", "value": "b"}
	container := object{"name": "web", "image": "docker.io/library/nginx:1.29", "args": []string{"-g", "daemon off;"},
		"env": []object{variable, variable, variable, variable}, "resources": object{"limits": object{"cpu": "1"}},
		"volumeMounts": []object{{"name": "data", "mountPath": "/data"}}}
	condition := func(kind string) object { return object{"type": kind, "status": "True", "lastTransitionTime": since} }
	return object{"metadata": metadata("pod", index, true),
		"spec": object{"containers": []object{container}, "nodeName": "node-1", "tolerations": []object{{"key": "a", "operator": "Exists"}},
			"volumes": []object{{"name": "data", "persistentVolumeClaim": object{"claimName": named("pvc", index)}}}},
		"status": object{"phase": "Running", "conditions": []object{condition("Ready"), condition("PodScheduled"), condition("Initialized")},
			"containerStatuses": []object{{"name": "web", "ready": true, "restartCount": 0, "image": "docker.io/library/nginx:1.29", "imageID": "x",
				"state": object{"running": object{"startedAt": since}}}}}}
}
