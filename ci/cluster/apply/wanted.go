package apply

import (
	"context"
	"fmt"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"snapready/ci/cluster/objects"
)

// wanted is what Settle waits for.
type wanted struct {
	deployments []*appsv1.Deployment
	daemonSets  []*appsv1.DaemonSet
	// newestDefinition is when the youngest CRD of the list came to be.
	newestDefinition time.Time
	definitions      []*unstructured.Unstructured
}

// readWanted reads the workloads of the list as they are stored now. An informer may lag behind what has just been
// applied; their UIDs and generations tell when it has caught up.
func readWanted(ctx context.Context, cluster *Cluster, desired []*unstructured.Unstructured) (wanted, error) {
	var result wanted
	for _, object := range desired {
		name := object.GetName()
		var err error
		switch object.GroupVersionKind().GroupKind() {
		case customResourceDefinition.GroupKind():
			result.definitions = append(result.definitions, object)
			var crd *metav1.PartialObjectMetadata
			client := cluster.Metadata.Resource(customResourceDefinition.GroupVersion().WithResource("customresourcedefinitions"))
			if crd, err = client.Get(ctx, name, metav1.GetOptions{}); err == nil && crd.CreationTimestamp.After(result.newestDefinition) {
				result.newestDefinition = crd.CreationTimestamp.Time
			}
		case inGroup("apps", "Deployment").GroupKind():
			var deployment *appsv1.Deployment
			deployment, err = cluster.Kube.AppsV1().Deployments(object.GetNamespace()).Get(ctx, name, metav1.GetOptions{})
			result.deployments = append(result.deployments, deployment)
		case inGroup("apps", "DaemonSet").GroupKind():
			var daemonSet *appsv1.DaemonSet
			daemonSet, err = cluster.Kube.AppsV1().DaemonSets(object.GetNamespace()).Get(ctx, name, metav1.GetOptions{})
			result.daemonSets = append(result.daemonSets, daemonSet)
		}
		if err != nil {
			return wanted{}, fmt.Errorf("read %s, which has just been applied: %w", objects.KeyOf(object), err)
		}
	}
	return result, nil
}

// owns says whether one of the wanted workloads has this UID.
func (w wanted) owns(uid types.UID) bool {
	for _, deployment := range w.deployments {
		if deployment.UID == uid {
			return true
		}
	}
	for _, daemonSet := range w.daemonSets {
		if daemonSet.UID == uid {
			return true
		}
	}
	return false
}
