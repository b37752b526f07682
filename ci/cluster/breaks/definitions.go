package breaks

import (
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"snapready/ci/cluster/objects"
)

func noCRDs(_ objects.Params, objs list) (list, error) {
	return missingAPI(withoutGroups(objs, snapshotGroup, groupSnapshotGroup), "the snapshot CRDs are missing")
}

func noGroupCRDs(_ objects.Params, objs list) (list, error) {
	return missingAPI(withoutGroups(objs, groupSnapshotGroup), "the group snapshot CRDs are missing")
}

// v1beta1Only serves the old version, which upstream's CRDs still carry, in place of v1.
func v1beta1Only(_ objects.Params, objs list) (list, error) {
	for _, object := range objs {
		if object.GroupVersionKind().Group == snapshotGroup {
			// The classes must be written in the version that is served.
			object.SetAPIVersion(snapshotGroup + "/v1beta1")
		}
		if definedGroup(object) != snapshotGroup {
			continue
		}
		versions, _, err := unstructured.NestedSlice(object.Object, "spec", "versions")
		if err != nil {
			return nil, err
		}
		for _, item := range versions {
			version := item.(map[string]any)
			version["served"] = version["name"] == "v1beta1"
		}
		if err := unstructured.SetNestedSlice(object.Object, versions, "spec", "versions"); err != nil {
			return nil, err
		}
	}
	return missingAPI(objs, "the snapshot CRDs do not serve v1")
}

// withoutGroups takes away the CRDs of API groups and all objects of these groups.
func withoutGroups(objs list, groups ...string) list {
	return without(objs, func(object *unstructured.Unstructured) bool {
		return slices.Contains(groups, object.GroupVersionKind().Group) || slices.Contains(groups, definedGroup(object))
	})
}

// definedGroup is the API group that a CRD defines.
func definedGroup(object *unstructured.Unstructured) string {
	if object.GetKind() != "CustomResourceDefinition" {
		return ""
	}
	group, _, _ := unstructured.NestedString(object.Object, "spec", "group")
	return group
}

// missingAPI restarts the programs that watch the API: a running one has synced its informers and only logs errors, while
// after the next restart the controller exits after 30 seconds and the sidecar waits for its informers for ever.
func missingAPI(objs list, because string) (list, error) {
	for _, object := range objs {
		if object.GetKind() == "Deployment" && object.GetName() == controllerDeployment {
			annotate(object, objects.NotReadyAnnotation, because)
			if err := restart(object, because); err != nil {
				return nil, err
			}
		}
		if object.GetKind() == "Deployment" && object.GetNamespace() == objects.DriverNamespace {
			if err := restart(object, because); err != nil {
				return nil, err
			}
		}
	}
	return objs, nil
}
