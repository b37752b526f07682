package apply

import (
	"context"
	"fmt"
	"strings"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/tools/cache"
)

// Settle waits until the desired objects, which have been applied, have taken effect: what was deleted is gone, rollouts
// are complete and no pod of before is left, pods are Ready, the leaders are pods of now, the kubelets know the drivers,
// and discovery tells of the CRDs. On the way it deletes leases of dead leaders and restarts pods that are older than the
// CRDs. It must follow Apply soon: a pod that asks for a lease while a dead one holds it asks again after five seconds.
func Settle(ctx context.Context, cluster *Cluster, desired []*unstructured.Unstructured, progress Progress) error {
	want, err := readWanted(ctx, cluster, desired)
	if err != nil {
		return err
	}
	err = InParallel([]func() error{
		func() error { return settleWorkloads(ctx, cluster, want, progress) },
		func() error { return awaitDiscovery(ctx, cluster, want.definitions) },
		func() error { return awaitSuperfluous(ctx, cluster, desired) },
	}, func(wait func() error) error { return wait() })
	if err != nil {
		return fmt.Errorf("the cluster has not settled: %w", err)
	}
	return nil
}

func settleWorkloads(ctx context.Context, cluster *Cluster, want wanted, progress Progress) error {
	watching, err := watchWorkloads(ctx, cluster)
	if err != nil {
		return err
	}
	defer watching.stop()
	helper := &helper{cluster: cluster, done: map[string]bool{}, progress: progress}
	var reported string
	for {
		now := watching.state()
		if err := helper.help(ctx, now, want); err != nil {
			return err
		}
		reasons := now.unsettled(want)
		if len(reasons) == 0 {
			return nil
		}
		if text := strings.Join(reasons, "; "); text != reported {
			reported = text
			progress.Say("waiting: %s", text)
		}
		select {
		case <-watching.changed:
		case <-ctx.Done():
			return fmt.Errorf("%w:\n  %s", context.Cause(ctx), strings.Join(reasons, "\n  "))
		}
	}
}

// helper does what is needed to settle soon, each thing once.
type helper struct {
	cluster  *Cluster
	done     map[string]bool
	progress Progress
}

func (h *helper) help(ctx context.Context, now state, want wanted) error {
	for _, lease := range now.staleLeases(want) {
		if err := h.deleteLease(ctx, lease); err != nil {
			return err
		}
	}
	for _, pod := range now.outdatedPods(want) {
		if err := h.restart(ctx, pod); err != nil {
			return err
		}
	}
	return nil
}

func (h *helper) deleteLease(ctx context.Context, lease *coordinationv1.Lease) error {
	if h.done[string(lease.UID)+lease.ResourceVersion] {
		return nil
	}
	h.done[string(lease.UID)+lease.ResourceVersion] = true
	h.progress.Say("delete lease %s/%s: its holder is gone", lease.Namespace, lease.Name)
	err := h.cluster.Kube.CoordinationV1().Leases(lease.Namespace).Delete(ctx, lease.Name, metav1.DeleteOptions{
		Preconditions: &metav1.Preconditions{UID: &lease.UID, ResourceVersion: &lease.ResourceVersion}})
	// Changed or gone in the meantime: its next state is looked at anew.
	if apierrors.IsNotFound(err) || apierrors.IsConflict(err) {
		return nil
	}
	return err
}

func (h *helper) restart(ctx context.Context, pod *corev1.Pod) error {
	if h.done[string(pod.UID)] {
		return nil
	}
	h.done[string(pod.UID)] = true
	h.progress.Say("restart pod %s/%s: it is older than the CRDs", pod.Namespace, pod.Name)
	grace := int64(1)
	err := h.cluster.Kube.CoreV1().Pods(pod.Namespace).Delete(ctx, pod.Name, metav1.DeleteOptions{
		GracePeriodSeconds: &grace, Preconditions: &metav1.Preconditions{UID: &pod.UID}})
	if apierrors.IsNotFound(err) || apierrors.IsConflict(err) {
		return nil
	}
	return err
}

// watching keeps the state of the workloads; changed gets a value when it may have changed.
type watching struct {
	state   func() state
	changed chan struct{}
	stop    func()
}

func watchWorkloads(ctx context.Context, cluster *Cluster) (*watching, error) {
	ctx, cancel := context.WithCancel(ctx)
	factory := informers.NewSharedInformerFactory(cluster.Kube, 0)
	changed := make(chan struct{}, 1)
	tell := func() {
		select {
		case changed <- struct{}{}:
		default:
		}
	}
	handler := cache.ResourceEventHandlerFuncs{
		AddFunc:    func(any) { tell() },
		UpdateFunc: func(any, any) { tell() },
		DeleteFunc: func(any) { tell() },
	}
	for _, informer := range []cache.SharedIndexInformer{
		factory.Apps().V1().Deployments().Informer(), factory.Apps().V1().ReplicaSets().Informer(), factory.Apps().V1().DaemonSets().Informer(),
		factory.Core().V1().Pods().Informer(), factory.Core().V1().Nodes().Informer(),
		factory.Coordination().V1().Leases().Informer(), factory.Storage().V1().CSINodes().Informer(),
	} {
		if _, err := informer.AddEventHandler(handler); err != nil {
			cancel()
			return nil, err
		}
	}
	factory.Start(ctx.Done())
	stop := func() { cancel(); factory.Shutdown() }
	for kind, synced := range factory.WaitForCacheSync(ctx.Done()) {
		if !synced {
			stop()
			return nil, fmt.Errorf("watch %s: %w", kind, context.Cause(ctx))
		}
	}
	read := func() state {
		everything := labels.Everything()
		var now state
		// Listers read memory, and their error is never set.
		now.deployments, _ = factory.Apps().V1().Deployments().Lister().List(everything)
		now.replicaSets, _ = factory.Apps().V1().ReplicaSets().Lister().List(everything)
		now.daemonSets, _ = factory.Apps().V1().DaemonSets().Lister().List(everything)
		now.pods, _ = factory.Core().V1().Pods().Lister().List(everything)
		now.nodes, _ = factory.Core().V1().Nodes().Lister().List(everything)
		now.leases, _ = factory.Coordination().V1().Leases().Lister().List(everything)
		now.csiNodes, _ = factory.Storage().V1().CSINodes().Lister().List(everything)
		return now
	}
	return &watching{state: read, changed: changed, stop: stop}, nil
}
