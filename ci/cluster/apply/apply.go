package apply

import (
	"context"
	"encoding/json"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"

	"snapready/ci/cluster/objects"
)

// Apply makes the cluster hold exactly the desired objects, of all those that bear the standard label. Deletions come
// first, and CRDs are awaited in both directions, so that a pod started by the same change finds the API as it will be.
// Settle awaits the other deletions: that of a namespace takes five seconds at least.
func Apply(ctx context.Context, cluster *Cluster, desired []*unstructured.Unstructured, progress Progress) error {
	split, err := byPhase(desired)
	if err != nil {
		return err
	}
	removed, err := prune(ctx, cluster, desired, progress)
	if err != nil {
		return err
	}
	if err := awaitGone(ctx, cluster, removed, isDefinition); err != nil {
		return err
	}
	for _, list := range split {
		if err := InParallel(list, func(object *unstructured.Unstructured) error {
			return applyOne(ctx, cluster, object)
		}); err != nil {
			return err
		}
		if err := awaitServed(ctx, cluster, objects.OfKind(list, customResourceDefinition.GroupKind())); err != nil {
			return err
		}
	}
	progress.Say("%d objects applied", len(desired))
	return nil
}

func applyOne(ctx context.Context, cluster *Cluster, object *unstructured.Unstructured) error {
	kind, err := kindOf(object)
	if err != nil {
		return err
	}
	client := clientFor(cluster, kind, object.GetNamespace())
	replaced, taken := false, false
	for {
		written, err := client.Apply(ctx, object.GetName(), object, metav1.ApplyOptions{FieldManager: FieldManager, Force: true})
		if apierrors.IsInvalid(err) && kind.replaceable && !replaced {
			replaced = true
			if err := replace(ctx, cluster, kind, client, object.GetName()); err != nil {
				return err
			}
			continue
		}
		if err != nil {
			return fmt.Errorf("apply %s: %w", objects.KeyOf(object), err)
		}
		if written.GetDeletionTimestamp() != nil {
			if _, err := AwaitGone(ctx, cluster, kind.gvr(), map[types.UID]bool{written.GetUID(): true}); err != nil {
				return fmt.Errorf("%s was being deleted and has to be gone before it can be applied anew: %w", objects.KeyOf(object), err)
			}
			continue
		}
		if taken {
			return nil
		}
		taken = true
		again, err := takeFields(ctx, client, written)
		if err != nil {
			return fmt.Errorf("take back fields of %s: %w", objects.KeyOf(object), err)
		}
		if !again {
			return nil
		}
	}
}

// takeFields makes us the manager of every field of the object, and says whether that has changed anything.
func takeFields(ctx context.Context, client dynamic.ResourceInterface, object *unstructured.Unstructured) (bool, error) {
	entries, foreign, err := takeOver(object.GetManagedFields())
	if err != nil || !foreign {
		return false, err
	}
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{
		"managedFields": entries, "resourceVersion": object.GetResourceVersion(),
	}})
	if err != nil {
		return false, err
	}
	_, err = client.Patch(ctx, object.GetName(), types.MergePatchType, patch, metav1.PatchOptions{FieldManager: FieldManager})
	// Somebody writes at this moment; what he wrote is taken back by the next Apply.
	if apierrors.IsConflict(err) {
		return false, nil
	}
	return true, err
}

// replace deletes an object so that it can be written anew with other values in its immutable fields.
func replace(ctx context.Context, cluster *Cluster, kind kind, client dynamic.ResourceInterface, name string) error {
	old, err := client.Get(ctx, name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := client.Delete(ctx, name, metav1.DeleteOptions{PropagationPolicy: &background}); err != nil && !apierrors.IsNotFound(err) {
		return err
	}
	_, err = AwaitGone(ctx, cluster, kind.gvr(), map[types.UID]bool{old.GetUID(): true})
	return err
}

func clientFor(cluster *Cluster, kind kind, namespace string) dynamic.ResourceInterface {
	if kind.namespaced {
		return cluster.Dynamic.Resource(kind.gvr()).Namespace(namespace)
	}
	return cluster.Dynamic.Resource(kind.gvr())
}
