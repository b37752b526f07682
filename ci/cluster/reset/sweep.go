package reset

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"snapready/ci/cluster/apply"
)

const (
	// podPatience leaves the kubelet time to unmount: a pod removed by force leaves its mounts for later.
	podPatience = 7 * time.Second
	// patience is for the controllers and sidecars to do what the finalizers stand for.
	patience = 3 * time.Second
	// namespacePatience is a second more than the five that the namespace controller waits before it looks at a
	// deleted namespace.
	namespacePatience = 6 * time.Second
)

var (
	shortly     = int64(1)
	immediately = int64(0)
	background  = metav1.DeletePropagationBackground

	eventsResource    = schema.GroupVersionResource{Version: "v1", Resource: "events"}
	namespaceResource = schema.GroupResource{Resource: "namespaces"}
	podResource       = schema.GroupResource{Resource: "pods"}
	crdResource       = schema.GroupResource{Group: "apiextensions.k8s.io", Resource: "customresourcedefinitions"}
)

// sweep deletes what is not in the baseline.
type sweep struct {
	cluster  *apply.Cluster
	baseline Baseline
	progress apply.Progress

	lock            sync.Mutex
	removed, forced map[string]bool
	// callsUnderWay says that a call to a driver was, or may be, going on for one of the objects.
	callsUnderWay bool
}

func (s *sweep) result() Result {
	s.lock.Lock()
	defer s.lock.Unlock()
	return Result{Removed: slices.Sorted(maps.Keys(s.removed)), Forced: slices.Sorted(maps.Keys(s.forced))}
}

// unblock removes what could hold up the standard objects themselves: admission that refuses, and objects that keep a
// deleted CRD from going.
func (s *sweep) unblock(ctx context.Context) error {
	all, err := survey(ctx, s.cluster)
	if err != nil {
		return err
	}
	var admissions, stuck []found
	leaving := map[schema.GroupResource]bool{}
	for _, object := range all {
		resource := object.resource.GroupResource()
		if resource.Group == "admissionregistration.k8s.io" && !s.baseline.holds(object) {
			admissions = append(admissions, object)
		}
		if resource == crdResource && object.DeletionTimestamp != nil {
			// The name of a CRD is PLURAL.GROUP.
			leaving[schema.ParseGroupResource(object.Name)] = true
		}
	}
	for _, object := range all {
		if leaving[object.resource.GroupResource()] && len(object.Finalizers) > 0 {
			stuck = append(stuck, object)
		}
	}
	if err := apply.InParallel(admissions, func(object found) error { return s.delete(ctx, object) }); err != nil {
		return err
	}
	return apply.InParallel(stuck, func(object found) error { return s.force(ctx, object) })
}

// run goes over the cluster until nothing is left: while objects are deleted, a controller may make another one, such as
// a PersistentVolume for a call that has just come back.
func (s *sweep) run(ctx context.Context) error {
	started := time.Now()
	var doomed []found
	for {
		all, err := survey(ctx, s.cluster)
		if ctx.Err() != nil {
			return fmt.Errorf("%w: objects that should be gone come back or do not go: %s", context.Cause(ctx), keys(doomed))
		}
		if err != nil {
			return err
		}
		doomed = s.baseline.superfluous(all)
		for _, object := range doomed {
			s.callsUnderWay = s.callsUnderWay || callUnderWay(object)
		}
		namespaces, contents := split(doomed, namespaceResource)
		if len(contents) == 0 {
			return s.awaitNamespaces(ctx, namespaces, started)
		}
		// Namespaces first, so that nobody makes anything new in them.
		for _, list := range [][]found{namespaces, contents} {
			if err := apply.InParallel(list, func(object found) error { return s.delete(ctx, object) }); err != nil {
				return err
			}
		}
		pods, others := split(contents, podResource)
		if err := s.awaitOrForce(ctx, pods, podPatience); err != nil {
			return err
		}
		if err := s.awaitOrForce(ctx, others, patience); err != nil {
			return err
		}
	}
}

func keys(list []found) string {
	var names []string
	for _, object := range list {
		names = append(names, object.key())
	}
	return strings.Join(names, ", ")
}

func split(list []found, resource schema.GroupResource) (of, others []found) {
	for _, object := range list {
		if object.resource.GroupResource() == resource {
			of = append(of, object)
		} else {
			others = append(others, object)
		}
	}
	return of, others
}

func (s *sweep) delete(ctx context.Context, object found) error {
	s.note(&s.removed, object)
	options := metav1.DeleteOptions{PropagationPolicy: &background, Preconditions: &metav1.Preconditions{UID: &object.UID}}
	if object.resource.GroupResource() == podResource {
		options.GracePeriodSeconds = &shortly
	}
	err := s.cluster.Metadata.Resource(object.resource).Namespace(object.Namespace).Delete(ctx, object.Name, options)
	if err != nil && !gone(err) {
		return fmt.Errorf("delete %s: %w", object.key(), err)
	}
	return nil
}

// awaitOrForce waits until the objects are gone and forces those that are not.
func (s *sweep) awaitOrForce(ctx context.Context, list []found, patience time.Duration) error {
	left, err := s.await(ctx, list, patience)
	if err != nil {
		return err
	}
	return apply.InParallel(left, func(object found) error { return s.force(ctx, object) })
}

// await gives the objects that are still there after the time.
func (s *sweep) await(ctx context.Context, list []found, patience time.Duration) ([]found, error) {
	limited, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	byResource := map[schema.GroupVersionResource]map[types.UID]bool{}
	for _, object := range list {
		if byResource[object.resource] == nil {
			byResource[object.resource] = map[types.UID]bool{}
		}
		byResource[object.resource][object.UID] = true
	}
	var lock sync.Mutex
	remain := map[types.UID]bool{}
	err := apply.InParallel(slices.Collect(maps.Keys(byResource)), func(resource schema.GroupVersionResource) error {
		objects, err := apply.AwaitGone(limited, s.cluster, resource, byResource[resource])
		lock.Lock()
		defer lock.Unlock()
		for _, object := range objects {
			remain[object.GetUID()] = true
		}
		if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
			return nil
		}
		return err
	})
	var left []found
	for _, object := range list {
		if remain[object.UID] {
			left = append(left, object)
		}
	}
	return left, err
}

// force makes an object go at once. A CRD is spared: its finalizer stands for its objects, which would stay in etcd
// unseen, and it goes by itself when they have been forced.
func (s *sweep) force(ctx context.Context, object found) error {
	if object.resource.GroupResource() == crdResource {
		return nil
	}
	s.note(&s.forced, object)
	s.progress.Say("force %s", object.key())
	if storageResources[object.resource.GroupResource().String()] {
		s.lock.Lock()
		s.callsUnderWay = true
		s.lock.Unlock()
	}
	client := s.cluster.Metadata.Resource(object.resource).Namespace(object.Namespace)
	_, err := client.Patch(ctx, object.Name, types.MergePatchType, []byte(`{"metadata":{"finalizers":null}}`), metav1.PatchOptions{})
	if err != nil && !gone(err) {
		// A webhook that has just been deleted is still asked for a moment; the next round tries again.
		s.progress.Say("remove the finalizers of %s: %v", object.key(), err)
		return nil
	}
	if object.resource.GroupResource() == podResource {
		err = client.Delete(ctx, object.Name, metav1.DeleteOptions{GracePeriodSeconds: &immediately, Preconditions: &metav1.Preconditions{UID: &object.UID}})
	}
	if err != nil && !gone(err) {
		return fmt.Errorf("force %s: %w", object.key(), err)
	}
	return nil
}

// awaitNamespaces waits for the namespace controller. It comes back to a namespace in which it has found something only
// after eight seconds more; then these namespaces, which are empty by now, are finalized here.
func (s *sweep) awaitNamespaces(ctx context.Context, namespaces []found, deleted time.Time) error {
	if err := apply.InParallel(namespaces, func(object found) error { return s.delete(ctx, object) }); err != nil {
		return err
	}
	left, err := s.await(ctx, namespaces, max(time.Until(deleted.Add(namespacePatience)), time.Second))
	if err != nil {
		return err
	}
	return apply.InParallel(left, func(object found) error {
		namespace, err := s.cluster.Kube.CoreV1().Namespaces().Get(ctx, object.Name, metav1.GetOptions{})
		if err == nil {
			s.note(&s.forced, object)
			namespace.Spec.Finalizers, namespace.Finalizers = nil, nil
			_, err = s.cluster.Kube.CoreV1().Namespaces().Finalize(ctx, namespace, metav1.UpdateOptions{})
		}
		if err != nil && !gone(err) {
			return fmt.Errorf("finalize namespace %s: %w", object.Name, err)
		}
		return nil
	})
}

func (s *sweep) note(set *map[string]bool, object found) {
	s.lock.Lock()
	defer s.lock.Unlock()
	if *set == nil {
		*set = map[string]bool{}
	}
	(*set)[object.key()] = true
}

// gone says that the object was deleted meanwhile, or is another one of the same name.
func gone(err error) bool { return apierrors.IsNotFound(err) || apierrors.IsConflict(err) }
