package breaks

import (
	"context"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"snapready/ci/cluster/apply"
	"snapready/ci/cluster/objects"
)

// Change makes names the active breaks and returns when that has taken effect. No names: the cluster is whole again.
func Change(ctx context.Context, cluster *apply.Cluster, p objects.Params, standard []*unstructured.Unstructured, names []string, progress apply.Progress) error {
	desired, err := Desired(p, standard, names)
	if err != nil {
		return err
	}
	if err := apply.Apply(ctx, cluster, desired, progress); err != nil {
		return err
	}
	if err := apply.Settle(ctx, cluster, desired, progress); err != nil {
		return err
	}
	return awaitRefusals(ctx, cluster, names)
}
