package reset

import (
	"encoding/json"
	"slices"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"snapready/ci/cluster/objects"
)

func object(resource, namespace, name string, change ...func(*found)) found {
	f := found{schema.ParseGroupResource(resource).WithVersion("v1"), metav1.PartialObjectMetadata{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}}
	for _, apply := range change {
		apply(&f)
	}
	return f
}

func label(key string) func(*found) {
	return func(f *found) { f.Labels = map[string]string{key: "true"} }
}

func annotation(key string) func(*found) {
	return func(f *found) { f.Annotations = map[string]string{key: "yes"} }
}

func ending(f *found) { now := metav1.Now(); f.DeletionTimestamp = &now }

func TestSuperfluous(t *testing.T) {
	baseline := Baseline{Objects: []string{"configmaps/kube-system/kube-root-ca.crt", "namespaces/default"}}
	owned := func(f *found) { f.OwnerReferences = []metav1.OwnerReference{{Kind: "ReplicaSet"}} }
	all := []found{
		// Kept: of a new cluster, even if made anew since; ours; somebody's.
		object("namespaces", "", "default"),
		object("configmaps", "kube-system", "kube-root-ca.crt"),
		object("storageclasses.storage.k8s.io", "", "snap-wffc", label(objects.StandardLabel)),
		object("pods", "kube-system", "snapshot-controller-1", owned),
		object("nodes", "", "node-1"),
		object("leases.coordination.k8s.io", "kube-node-lease", "node-2"),
		object("leases.coordination.k8s.io", "kube-system", "apiserver-x", label("apiserver.kubernetes.io/identity")),
		object("apiservices.apiregistration.k8s.io", "", "v1.velero.io", label("kube-aggregator.kubernetes.io/automanaged")),
		object("events", "default", "e"),
		// Deleted.
		object("namespaces", "", "break-quota", label(objects.StandardLabel), ending),
		object("apiservices.apiregistration.k8s.io", "", "v1.broken.test"),
		object("configmaps", "default", "kube-root-ca.crt-2"),
		object("leases.coordination.k8s.io", "csi-snapready", "external-snapshotter-leader-old"),
		object("persistentvolumes", "", "pvc-1"),
	}
	var got []string
	for _, object := range baseline.superfluous(all) {
		got = append(got, object.key())
	}
	want := []string{"namespaces/break-quota", "apiservices.apiregistration.k8s.io/v1.broken.test", "configmaps/default/kube-root-ca.crt-2",
		"leases.coordination.k8s.io/csi-snapready/external-snapshotter-leader-old", "persistentvolumes/pvc-1"}
	if !slices.Equal(got, want) {
		t.Errorf("superfluous are %q, want %q", got, want)
	}
}

func TestCallUnderWay(t *testing.T) {
	for _, test := range []struct {
		object found
		want   bool
	}{
		{object("persistentvolumeclaims", "a", "pending"), true},
		{object("persistentvolumeclaims", "a", "bound", annotation("pv.kubernetes.io/bind-completed")), false},
		{object("persistentvolumes", "", "idle"), false},
		{object("persistentvolumes", "", "being-deleted", ending), true},
		{object("volumesnapshotcontents.snapshot.storage.k8s.io", "", "idle"), false},
		{object("volumesnapshotcontents.snapshot.storage.k8s.io", "", "cutting", annotation("snapshot.storage.kubernetes.io/volumesnapshot-being-created")), true},
		{object("pods", "a", "being-deleted", ending), false},
	} {
		if got := callUnderWay(test.object); got != test.want {
			t.Errorf("%s: %v, want %v", test.object.key(), got, test.want)
		}
	}
}

func TestBaselineIsJSON(t *testing.T) {
	before := Baseline{Objects: []string{"namespaces/default"}}
	text, err := json.Marshal(before)
	if err != nil {
		t.Fatal(err)
	}
	var after Baseline
	if err := json.Unmarshal(text, &after); err != nil || !slices.Equal(before.Objects, after.Objects) {
		t.Errorf("%s becomes %v, %v", text, after, err)
	}
}
