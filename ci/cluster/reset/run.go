package reset

import (
	"context"
	"errors"
	"fmt"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"snapready/ci/cluster/apply"
	"snapready/ci/cluster/objects"
)

// Hooks are what the caller does meanwhile.
type Hooks struct {
	Progress apply.Progress
	// NoVolumesLeft is called when no PersistentVolume exists and no call to a driver is under way.
	NoVolumesLeft func(context.Context) error
}

// Result tells what a reset has done.
type Result struct {
	// Removed names the objects that were deleted.
	Removed []string
	// Forced names those of them whose finalizers or pods had to be removed by force.
	Forced []string
}

// Run makes the cluster like the one the baseline was recorded of. All breaks are mended.
func Run(ctx context.Context, cluster *apply.Cluster, baseline Baseline, standard []*unstructured.Unstructured, hooks Hooks) (Result, error) {
	if len(baseline.Objects) == 0 {
		return Result{}, errors.New("the baseline is empty, and a reset to it would delete the whole cluster: record it again after 'up'")
	}
	sweep := &sweep{cluster: cluster, baseline: baseline, progress: hooks.Progress}
	if err := sweep.unblock(ctx); err != nil {
		return Result{}, err
	}
	if err := apply.Apply(ctx, cluster, standard, hooks.Progress); err != nil {
		return Result{}, err
	}
	// Meanwhile the workloads settle: a leader's lease must be free before its next holder asks for it.
	settled := make(chan error, 1)
	go func() { settled <- apply.Settle(ctx, cluster, standard, hooks.Progress) }()
	if err := errors.Join(sweep.run(ctx), <-settled); err != nil {
		return sweep.result(), err
	}
	if sweep.callsUnderWay {
		if err := restartDrivers(ctx, cluster); err != nil {
			return sweep.result(), err
		}
		if err := apply.Settle(ctx, cluster, standard, hooks.Progress); err != nil {
			return sweep.result(), err
		}
	}
	if hooks.NoVolumesLeft != nil {
		if err := hooks.NoVolumesLeft(ctx); err != nil {
			return sweep.result(), err
		}
	}
	return sweep.result(), deleteEvents(ctx, cluster)
}

// restartDrivers ends all calls to the drivers with the pods that make them.
func restartDrivers(ctx context.Context, cluster *apply.Cluster) error {
	err := cluster.Kube.CoreV1().Pods(objects.DriverNamespace).DeleteCollection(ctx,
		metav1.DeleteOptions{GracePeriodSeconds: &shortly},
		metav1.ListOptions{LabelSelector: objects.ComponentLabel + "=controller"})
	if err != nil {
		return fmt.Errorf("restart the drivers: %w", err)
	}
	return nil
}

// deleteEvents deletes all events, since those of a test before would be taken for those of the next.
func deleteEvents(ctx context.Context, cluster *apply.Cluster) error {
	events, err := cluster.Metadata.Resource(eventsResource).List(ctx, metav1.ListOptions{})
	if err != nil {
		return fmt.Errorf("list events: %w", err)
	}
	var namespaces []string
	for _, event := range events.Items {
		namespaces = append(namespaces, event.Namespace)
	}
	slices.Sort(namespaces)
	return apply.InParallel(slices.Compact(namespaces), func(namespace string) error {
		return cluster.Metadata.Resource(eventsResource).Namespace(namespace).DeleteCollection(ctx, metav1.DeleteOptions{}, metav1.ListOptions{})
	})
}
