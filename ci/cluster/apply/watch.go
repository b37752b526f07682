package apply

import (
	"context"
	"fmt"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
)

// source lists and watches the objects of one kind.
type source struct {
	list  func(context.Context, metav1.ListOptions) (runtime.Object, error)
	watch func(context.Context, metav1.ListOptions) (watch.Interface, error)
}

// AwaitGone waits until none of the objects is left, and names those that are when the context ends first.
func AwaitGone(ctx context.Context, cluster *Cluster, resource schema.GroupVersionResource, uids map[types.UID]bool) (left []metav1.Object, err error) {
	client := cluster.Metadata.Resource(resource)
	objects := source{
		list: func(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
			return client.List(ctx, options)
		},
		watch: client.Watch,
	}
	err = until(ctx, objects, func(present map[types.UID]metav1.Object) []string {
		left = nil
		var names []string
		for uid, object := range present {
			if uids[uid] {
				left = append(left, object)
				names = append(names, describeDeletion(resource.Resource, object))
			}
		}
		slices.Sort(names)
		return names
	})
	return left, err
}

func describeDeletion(resource string, object metav1.Object) string {
	name := object.GetName()
	if object.GetNamespace() != "" {
		name = object.GetNamespace() + "/" + name
	}
	if finalizers := object.GetFinalizers(); len(finalizers) > 0 {
		return fmt.Sprintf("%s %s is still being deleted, its finalizers are %s", resource, name, strings.Join(finalizers, ", "))
	}
	if resource == "namespaces" {
		return fmt.Sprintf("namespace %s is still there; 'kubectl describe namespace %s' says what is left in it", name, name)
	}
	return fmt.Sprintf("%s %s is still there", resource, name)
}

// until lists and watches objects until missing has nothing left to say. A kind that is not served has no objects.
func until(ctx context.Context, objects source, missing func(map[types.UID]metav1.Object) []string) error {
	var waitingFor []string
	for {
		present, version, err := snapshot(ctx, objects)
		if err != nil && ctx.Err() == nil {
			return err
		}
		if err == nil {
			if waitingFor = missing(present); len(waitingFor) == 0 {
				return nil
			}
			if reasons, followed := follow(ctx, objects, version, present, missing); followed {
				if waitingFor = reasons; len(waitingFor) == 0 {
					return nil
				}
			}
		}
		// The watch has ended: it lasts some minutes at most, and ends at once if the kind itself is deleted.
		if err := pause(ctx, "%s", strings.Join(waitingFor, "; ")); err != nil {
			return err
		}
	}
}

func snapshot(ctx context.Context, objects source) (map[types.UID]metav1.Object, string, error) {
	present := map[types.UID]metav1.Object{}
	list, err := objects.list(ctx, metav1.ListOptions{})
	if apierrors.IsNotFound(err) {
		return present, "", nil
	}
	if err != nil {
		return nil, "", err
	}
	err = meta.EachListItem(list, func(item runtime.Object) error {
		object, err := meta.Accessor(item)
		if err == nil {
			present[object.GetUID()] = object
		}
		return err
	})
	accessor, accessError := meta.ListAccessor(list)
	if accessError != nil {
		return nil, "", accessError
	}
	return present, accessor.GetResourceVersion(), err
}

// follow keeps the objects up to date until nothing is missing or the watch ends. It says false if nothing has happened.
func follow(ctx context.Context, objects source, version string, present map[types.UID]metav1.Object,
	missing func(map[types.UID]metav1.Object) []string) (reasons []string, followed bool) {
	watcher, err := objects.watch(ctx, metav1.ListOptions{ResourceVersion: version})
	if err != nil {
		return nil, false
	}
	defer watcher.Stop()
	for {
		var event watch.Event
		select {
		case <-ctx.Done():
			return reasons, followed
		case event = <-watcher.ResultChan():
		}
		object, err := meta.Accessor(event.Object)
		// The channel is closed, or the event is an error.
		if err != nil || event.Type == watch.Error {
			return reasons, followed
		}
		if event.Type == watch.Deleted {
			delete(present, object.GetUID())
		} else {
			present[object.GetUID()] = object
		}
		followed = true
		if reasons = missing(present); len(reasons) == 0 {
			return nil, true
		}
	}
}
