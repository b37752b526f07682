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
		err := clientFor(cluster, object.kind, object.key.Namespace).Delete(ctx, object.key.Name,
			metav1.DeleteOptions{PropagationPolicy: &background, Preconditions: &metav1.Preconditions{UID: &object.uid}})
		if err != nil && !apierrors.IsNotFound(err) {
			return fmt.Errorf("delete %s: %w", object.key, err)
		}
		return nil
	})
	return removed, err
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

// awaitPruned waits until the deleted objects of the given kinds are gone.
func awaitPruned(ctx context.Context, cluster *Cluster, removed []labelled, which func(kind) bool) error {
	uids := map[kind]map[types.UID]bool{}
	for _, object := range removed {
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
