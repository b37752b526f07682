package apply

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"snapready/ci/cluster/objects"
)

var background = metav1.DeletePropagationBackground

// labelled is an object with the standard label, as it is in the cluster.
type labelled struct {
	kind kind
	key  objects.Key
	uid  types.UID
}

// prune deletes the objects with the standard label that are not desired.
func prune(ctx context.Context, cluster *Cluster, desired []*unstructured.Unstructured, progress Progress) ([]labelled, error) {
	present, err := listLabelled(ctx, cluster)
	if err != nil {
		return nil, err
	}
	removed := superfluous(present, desired)
	err = InParallel(removed, func(object labelled) error {
		progress.Say("delete %s", object.key)
		if object.kind.Kind == "Namespace" {
			if err := empty(ctx, cluster, object.key.Name); err != nil {
				return err
			}
		}
		err := clientFor(cluster, object.kind, object.key.Namespace).Delete(ctx, object.key.Name,
			metav1.DeleteOptions{PropagationPolicy: &background, Preconditions: &metav1.Preconditions{UID: &object.uid}})
		if err != nil && !apierrors.IsNotFound(err) {
			return fmt.Errorf("delete %s: %w", object.key, err)
		}
		return nil
	})
	return removed, err
}

// slowContents are what takes its time to go from a namespace, in the order of deletion.
var slowContents = []schema.GroupVersionResource{
	{Version: "v1", Resource: "pods"},
	{Group: "snapshot.storage.k8s.io", Version: "v1", Resource: "volumesnapshots"},
	{Version: "v1", Resource: "persistentvolumeclaims"},
}

// empty begins to empty a namespace. The namespace controller begins only after five seconds, leaves pods their time to
// end, and comes back only eight seconds later if it finds an object with a finalizer.
func empty(ctx context.Context, cluster *Cluster, namespace string) error {
	for _, resource := range slowContents {
		second := int64(1)
		err := cluster.Metadata.Resource(resource).Namespace(namespace).DeleteCollection(ctx,
			metav1.DeleteOptions{GracePeriodSeconds: &second}, metav1.ListOptions{})
		if err != nil && !apierrors.IsNotFound(err) {
			return fmt.Errorf("delete %s in namespace %s: %w", resource.Resource, namespace, err)
		}
	}
	return nil
}

// superfluous are the objects that are there but not desired.
func superfluous(present []labelled, desired []*unstructured.Unstructured) []labelled {
	wanted := map[objects.Key]bool{}
	for _, object := range desired {
		wanted[objects.KeyOf(object)] = true
	}
	var list []labelled
	for _, object := range present {
		if !wanted[object.key] {
			list = append(list, object)
		}
	}
	return list
}

func listLabelled(ctx context.Context, cluster *Cluster) ([]labelled, error) {
	var lock sync.Mutex
	var present []labelled
	err := InParallel(kinds, func(kind kind) error {
		list, err := cluster.Metadata.Resource(kind.gvr()).List(ctx, metav1.ListOptions{LabelSelector: objects.StandardLabel})
		// Not served: no CRD, so no objects.
		if apierrors.IsNotFound(err) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("list %s: %w", kind.gvr().GroupResource(), err)
		}
		lock.Lock()
		defer lock.Unlock()
		for _, item := range list.Items {
			present = append(present, labelled{kind: kind, uid: item.UID,
				key: objects.Key{Group: kind.Group, Kind: kind.Kind, Namespace: item.Namespace, Name: item.Name}})
		}
		return nil
	})
	return present, err
}

// ListStandard reads every object with the standard label in full.
func ListStandard(ctx context.Context, cluster *Cluster) ([]*unstructured.Unstructured, error) {
	var lock sync.Mutex
	var present []*unstructured.Unstructured
	err := InParallel(kinds, func(kind kind) error {
		list, err := cluster.Dynamic.Resource(kind.gvr()).List(ctx, metav1.ListOptions{LabelSelector: objects.StandardLabel})
		if apierrors.IsNotFound(err) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("list %s: %w", kind.gvr().GroupResource(), err)
		}
		lock.Lock()
		defer lock.Unlock()
		for index := range list.Items {
			present = append(present, &list.Items[index])
		}
		return nil
	})
	return present, err
}

// awaitSuperfluous waits until the objects that Apply has deleted are gone.
func awaitSuperfluous(ctx context.Context, cluster *Cluster, desired []*unstructured.Unstructured) error {
	present, err := listLabelled(ctx, cluster)
	if err != nil {
		return err
	}
	return awaitGone(ctx, cluster, superfluous(present, desired), func(kind) bool { return true })
}

// awaitGone waits until the objects of the given kinds are gone.
func awaitGone(ctx context.Context, cluster *Cluster, list []labelled, which func(kind) bool) error {
	uids := map[kind]map[types.UID]bool{}
	for _, object := range list {
		if which(object.kind) {
			if uids[object.kind] == nil {
				uids[object.kind] = map[types.UID]bool{}
			}
			uids[object.kind][object.uid] = true
		}
	}
	return InParallel(slices.Collect(maps.Keys(uids)), func(kind kind) error {
		_, err := AwaitGone(ctx, cluster, kind.gvr(), uids[kind])
		return err
	})
}
