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

// awaitRefusals waits until the active breaks refuse their requests and the others do not. The API server picks up
// policies, webhooks and quotas some time after they are written, policies once a second, and shows nowhere that it has.
func awaitRefusals(ctx context.Context, cluster *apply.Cluster, active []string) error {
	var messages []string
	for _, b := range All() {
		if b.refused != nil && slices.Contains(active, b.Name) {
			messages = append(messages, b.refused.message)
		}
	}
	for _, b := range All() {
		if b.refused == nil {
			continue
		}
		wait := b.refused.awaitOver
		if slices.Contains(active, b.Name) {
			// Which of several breaks refuses a request is up to the order of admission.
			wait = func(ctx context.Context, cluster *apply.Cluster) error {
				return b.refused.await(ctx, cluster, messages)
			}
		}
		if err := wait(ctx, cluster); err != nil {
			return fmt.Errorf("break %s: %w", b.Name, err)
		}
	}
	return nil
}

// await waits until the request is refused with one of the messages.
func (r refusal) await(ctx context.Context, cluster *apply.Cluster, messages []string) error {
	return r.ask(ctx, cluster, func(answer error) bool {
		// The API is not served, because of another break, so that there is nothing to refuse.
		if apierrors.IsNotFound(answer) && strings.Contains(answer.Error(), "could not find the requested resource") {
			return true
		}
		return answer != nil && slices.ContainsFunc(messages, func(message string) bool { return strings.Contains(answer.Error(), message) })
	})
}

// awaitOver waits until the request is no longer refused with the message. Other errors do not count: its namespace, for
// one, may not exist.
func (r refusal) awaitOver(ctx context.Context, cluster *apply.Cluster) error {
	return r.ask(ctx, cluster, func(answer error) bool { return answer == nil || !strings.Contains(answer.Error(), r.message) })
}

// ask repeats the request, as a dry run, until the answer is right.
func (r refusal) ask(ctx context.Context, cluster *apply.Cluster, right func(error) bool) error {
	for {
		_, answer := cluster.Dynamic.Resource(r.resource).Namespace(r.object.GetNamespace()).Create(ctx, r.object.DeepCopy(),
			metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
		if ctx.Err() == nil && right(answer) {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w: the API server answers a request that stands or falls with %q still with: %v", context.Cause(ctx), r.message, answer)
		case <-time.After(50 * time.Millisecond):
		}
	}
}
