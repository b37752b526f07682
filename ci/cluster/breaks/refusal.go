package breaks

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"snapready/ci/cluster/apply"
)

// refusal is a create request and a part of the message with which the API server refuses it while a break is active.
type refusal struct {
	resource schema.GroupVersionResource
	object   *unstructured.Unstructured
	message  string
}

// awaitRefusals waits until exactly the active breaks refuse their requests. The API server picks up policies, webhooks
// and quotas some time after they are written, policies once a second, and shows nowhere that it has.
func awaitRefusals(ctx context.Context, cluster *apply.Cluster, active []string) error {
	for _, b := range All() {
		if b.refused == nil {
			continue
		}
		if err := b.refused.await(ctx, cluster, slices.Contains(active, b.Name)); err != nil {
			return fmt.Errorf("break %s: %w", b.Name, err)
		}
	}
	return nil
}

func (r refusal) await(ctx context.Context, cluster *apply.Cluster, active bool) error {
	for {
		_, err := cluster.Dynamic.Resource(r.resource).Namespace(r.object.GetNamespace()).Create(ctx, r.object.DeepCopy(),
			metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
		// The API is not served, because of another break, or the namespace of a break is not there.
		if apierrors.IsNotFound(err) && (!active || strings.Contains(err.Error(), "could not find the requested resource")) {
			return nil
		}
		refused := err != nil && strings.Contains(err.Error(), r.message)
		if refused == active {
			return nil
		}
		select {
		case <-ctx.Done():
			if active {
				return fmt.Errorf("%w: a request that must be refused with %q got: %v", context.Cause(ctx), r.message, err)
			}
			return fmt.Errorf("%w: a request is still refused after mending: %v", context.Cause(ctx), err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}
