package breaks

import (
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"snapready/ci/cluster/objects"
)

const (
	controllerDeployment = "snapshot-controller"
	driverDeployment     = "csi-snapready-controller"
	snapshotGroup        = "snapshot.storage.k8s.io"
	groupSnapshotGroup   = "groupsnapshot.storage.k8s.io"
)

// withInstance installs another driver.
func withInstance(name string) func(objects.Params, list) (list, error) {
	return func(p objects.Params, objs list) (list, error) {
		for _, instance := range objects.OtherInstances {
			if instance.Name == name {
				more, err := objects.InstanceObjects(p, instance)
				return add(objs, more...), err
			}
		}
		return nil, fmt.Errorf("there is no driver instance %s", name)
	}
}

func noController(_ objects.Params, objs list) (list, error) {
	deployment, err := need(objs, "Deployment", controllerDeployment)
	if err != nil {
		return nil, err
	}
	return objs, unstructured.SetNestedField(deployment.Object, int64(0), "spec", "replicas")
}

func driverScaledDown(_ objects.Params, objs list) (list, error) {
	deployment, err := need(objs, "Deployment", driverDeployment)
	if err != nil {
		return nil, err
	}
	return objs, unstructured.SetNestedField(deployment.Object, int64(0), "spec", "replicas")
}

// driverCrashes starts the driver with a flag that it does not have. What Go's flag package says is its last word.
func driverCrashes(_ objects.Params, objs list) (list, error) {
	deployment, err := need(objs, "Deployment", driverDeployment)
	if err != nil {
		return nil, err
	}
	path := []string{"spec", "template", "spec", "containers"}
	containers, _, err := unstructured.NestedSlice(deployment.Object, path...)
	if err != nil {
		return nil, err
	}
	for _, item := range containers {
		container := item.(map[string]any)
		if container["name"] != "driver" {
			continue
		}
		container["args"] = append(container["args"].([]any), "--no-such-flag")
		container["terminationMessagePolicy"] = "FallbackToLogsOnError"
	}
	annotate(deployment, objects.NotReadyAnnotation, "its driver crashes")
	return objs, unstructured.SetNestedSlice(deployment.Object, containers, path...)
}

func controllerRole(_ objects.Params, objs list) (list, error) {
	return withoutVerb(objs, "snapshot-controller-runner", "patch", "volumesnapshots", "volumesnapshotcontents")
}

func sidecarRole(_ objects.Params, objs list) (list, error) {
	return withoutVerb(objs, "external-snapshotter-runner", "patch", "volumesnapshotcontents")
}

// twoControllers copies what upstream's manifests put into kube-system. The ClusterRole is shared; the leases are not,
// since each controller looks for the leader in its own namespace.
func twoControllers(_ objects.Params, objs list) (list, error) {
	const namespace = "break-two-controllers"
	more := list{fromFields("v1", "Namespace", "", namespace, map[string]any{})}
	for _, source := range []struct{ kind, name string }{
		{"ServiceAccount", "snapshot-controller"}, {"ClusterRoleBinding", "snapshot-controller-role"},
		{"Role", "snapshot-controller-leaderelection"}, {"RoleBinding", "snapshot-controller-leaderelection"},
		{"Deployment", controllerDeployment},
	} {
		object, err := need(objs, source.kind, source.name)
		if err != nil {
			return nil, err
		}
		second := object.DeepCopy()
		switch source.kind {
		case "ClusterRoleBinding":
			second.SetName(source.name + "-2")
			second.Object["subjects"] = []any{map[string]any{"kind": "ServiceAccount", "name": "snapshot-controller", "namespace": namespace}}
		case "Deployment":
			// Another break may have scaled the first one to 0.
			if err := unstructured.SetNestedField(second.Object, int64(1), "spec", "replicas"); err != nil {
				return nil, err
			}
			second.SetNamespace(namespace)
		default:
			second.SetNamespace(namespace)
		}
		more = append(more, second)
	}
	return add(objs, more...), nil
}

func noSidecar(_ objects.Params, objs list) (list, error) {
	return withoutContainer(objs, driverDeployment, "csi-snapshotter")
}

func noProvisioner(_ objects.Params, objs list) (list, error) {
	return withoutContainer(objs, driverDeployment, "csi-provisioner")
}

func noNodeDriver(_ objects.Params, objs list) (list, error) {
	return without(objs, func(object *unstructured.Unstructured) bool {
		return object.GetKind() == "DaemonSet" && object.GetName() == "csi-snapready-node"
	}), nil
}

func noCSIDriver(_ objects.Params, objs list) (list, error) {
	return without(objs, func(object *unstructured.Unstructured) bool {
		return object.GetKind() == "CSIDriver" && object.GetName() == objects.StandardInstance.Driver
	}), nil
}
