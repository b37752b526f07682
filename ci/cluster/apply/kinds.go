package apply

import (
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// phase orders the writing: what a later phase needs is there.
type phase int

const (
	namespaces phase = iota
	// definitions are CRDs, roles and all that a pod needs to start.
	definitions
	// workloads are pods, and classes: neither needs the other.
	workloads
	// admissions come last, since they may refuse objects of the phases before.
	admissions
	phases
)

// kind is one kind that lists may hold. The table replaces discovery: it is known before the CRDs are, it cannot be
// incomplete because of somebody's broken APIService, and it says where to look for objects to delete.
type kind struct {
	schema.GroupVersionKind
	resource   string
	namespaced bool
	phase      phase
	// replaceable objects are deleted and written anew when a change is refused, because a field is immutable.
	replaceable bool
}

var kinds = []kind{
	{core("Namespace"), "namespaces", false, namespaces, false},
	{core("ConfigMap"), "configmaps", true, definitions, true},
	{core("Secret"), "secrets", true, definitions, true},
	{core("ServiceAccount"), "serviceaccounts", true, definitions, false},
	{core("ResourceQuota"), "resourcequotas", true, definitions, true},
	{core("LimitRange"), "limitranges", true, definitions, true},
	{inGroup("rbac.authorization.k8s.io", "ClusterRole"), "clusterroles", false, definitions, true},
	{inGroup("rbac.authorization.k8s.io", "ClusterRoleBinding"), "clusterrolebindings", false, definitions, true},
	{inGroup("rbac.authorization.k8s.io", "Role"), "roles", true, definitions, true},
	{inGroup("rbac.authorization.k8s.io", "RoleBinding"), "rolebindings", true, definitions, true},
	{customResourceDefinition, "customresourcedefinitions", false, definitions, false},
	{inGroup("apps", "Deployment"), "deployments", true, workloads, true},
	{inGroup("apps", "DaemonSet"), "daemonsets", true, workloads, true},
	{inGroup("storage.k8s.io", "CSIDriver"), "csidrivers", false, workloads, true},
	{inGroup("storage.k8s.io", "StorageClass"), "storageclasses", false, workloads, true},
	{inGroup("snapshot.storage.k8s.io", "VolumeSnapshotClass"), "volumesnapshotclasses", false, workloads, true},
	{inGroup("groupsnapshot.storage.k8s.io", "VolumeGroupSnapshotClass"), "volumegroupsnapshotclasses", false, workloads, true},
	{inGroup("admissionregistration.k8s.io", "ValidatingWebhookConfiguration"), "validatingwebhookconfigurations", false, admissions, true},
	{inGroup("admissionregistration.k8s.io", "ValidatingAdmissionPolicy"), "validatingadmissionpolicies", false, admissions, true},
	{inGroup("admissionregistration.k8s.io", "ValidatingAdmissionPolicyBinding"), "validatingadmissionpolicybindings", false, admissions, true},
}

var customResourceDefinition = inGroup("apiextensions.k8s.io", "CustomResourceDefinition")

func core(name string) schema.GroupVersionKind { return inGroup("", name) }

func inGroup(group, name string) schema.GroupVersionKind {
	return schema.GroupVersionKind{Group: group, Version: "v1", Kind: name}
}

func (k kind) gvr() schema.GroupVersionResource { return k.GroupVersion().WithResource(k.resource) }

// kindOf finds the object's kind. The version is the object's own: a CRD may serve others than v1.
func kindOf(object *unstructured.Unstructured) (kind, error) {
	wanted := object.GroupVersionKind()
	for _, known := range kinds {
		if known.GroupKind() == wanted.GroupKind() {
			known.Version = wanted.Version
			return known, nil
		}
	}
	return kind{}, fmt.Errorf("%s %q is of a kind that cannot be applied yet: add the kind to the table in apply/kinds.go",
		wanted.GroupKind(), object.GetName())
}

// byPhase splits the objects into the phases in which they are written.
func byPhase(list []*unstructured.Unstructured) ([phases][]*unstructured.Unstructured, error) {
	var split [phases][]*unstructured.Unstructured
	for _, object := range list {
		kind, err := kindOf(object)
		if err != nil {
			return split, err
		}
		split[kind.phase] = append(split[kind.phase], object)
	}
	return split, nil
}
