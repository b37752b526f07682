package breaks

import (
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"snapready/ci/cluster/objects"
)

type list = []*unstructured.Unstructured

func fromFields(apiVersion, kind, namespace, name string, fields map[string]any) *unstructured.Unstructured {
	object := &unstructured.Unstructured{Object: fields}
	object.SetAPIVersion(apiVersion)
	object.SetKind(kind)
	object.SetNamespace(namespace)
	object.SetName(name)
	return object
}

// need finds the object that a break changes.
func need(objs list, kind, name string) (*unstructured.Unstructured, error) {
	object := objects.Find(objs, kind, name)
	if object == nil {
		return nil, fmt.Errorf("there is no %s %s to change", kind, name)
	}
	return object, nil
}

// add appends those objects that are not in the list yet: another break may bring the same.
func add(objs list, more ...*unstructured.Unstructured) list {
	there := map[objects.Key]bool{}
	for _, object := range objs {
		there[objects.KeyOf(object)] = true
	}
	for _, object := range more {
		if !there[objects.KeyOf(object)] {
			objs = append(objs, object)
		}
	}
	return objs
}

func without(objs list, unwanted func(*unstructured.Unstructured) bool) list {
	return slices.DeleteFunc(objs, unwanted)
}

func annotate(object *unstructured.Unstructured, key, value string) {
	annotations := object.GetAnnotations()
	if annotations == nil {
		annotations = map[string]string{}
	}
	annotations[key] = value
	object.SetAnnotations(annotations)
}

// withoutContainer takes a container out of a Deployment's pods.
func withoutContainer(objs list, deployment, container string) (list, error) {
	object, err := need(objs, "Deployment", deployment)
	if err != nil {
		return nil, err
	}
	path := []string{"spec", "template", "spec", "containers"}
	containers, _, err := unstructured.NestedSlice(object.Object, path...)
	if err != nil {
		return nil, err
	}
	containers = slices.DeleteFunc(containers, func(item any) bool { return item.(map[string]any)["name"] == container })
	return objs, unstructured.SetNestedSlice(object.Object, containers, path...)
}

// withoutClusterRole takes a ClusterRole away and leaves its binding, as a chart that is half removed does.
func withoutClusterRole(name string) func(objects.Params, list) (list, error) {
	return func(_ objects.Params, objs list) (list, error) {
		if _, err := need(objs, "ClusterRole", name); err != nil {
			return nil, err
		}
		return without(objs, func(object *unstructured.Unstructured) bool {
			return object.GetKind() == "ClusterRole" && object.GetName() == name
		}), nil
	}
}

// withoutVerb takes a verb from a ClusterRole, for resources of snapshot.storage.k8s.io.
func withoutVerb(objs list, role, verb string, resources ...string) (list, error) {
	object, err := need(objs, "ClusterRole", role)
	if err != nil {
		return nil, err
	}
	rules, _, err := unstructured.NestedSlice(object.Object, "rules")
	if err != nil {
		return nil, err
	}
	var kept []any
	for _, item := range rules {
		rule := item.(map[string]any)
		named := slices.ContainsFunc(resources, func(resource string) bool { return slices.Contains(rule["resources"].([]any), any(resource)) })
		if named && slices.Contains(rule["apiGroups"].([]any), any(snapshotGroup)) {
			verbs := slices.DeleteFunc(rule["verbs"].([]any), func(v any) bool { return v == verb })
			// A rule without verbs is not valid.
			if len(verbs) == 0 {
				continue
			}
			rule["verbs"] = verbs
		}
		kept = append(kept, rule)
	}
	return objs, unstructured.SetNestedSlice(object.Object, kept, "rules")
}

// restart makes the Deployment's pods start anew, like kubectl rollout restart.
func restart(deployment *unstructured.Unstructured, because string) error {
	return unstructured.SetNestedField(deployment.Object, because, "spec", "template", "metadata", "annotations", "snapready.test/restarted")
}
