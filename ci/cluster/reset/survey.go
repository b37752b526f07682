package reset

import (
	"context"
	"fmt"
	"slices"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"

	"snapready/ci/cluster/apply"
)

// found is an object in the cluster.
type found struct {
	resource schema.GroupVersionResource
	metav1.PartialObjectMetadata
}

// key names the object in baselines and results: resource.group/namespace/name.
func (f found) key() string {
	key := f.resource.GroupResource().String() + "/"
	if f.Namespace != "" {
		key += f.Namespace + "/"
	}
	return key + f.Name
}

// survey lists the metadata of all objects of all kinds that can be listed and deleted.
func survey(ctx context.Context, cluster *apply.Cluster) ([]found, error) {
	resources, err := listable(cluster.Kube.Discovery())
	if err != nil {
		return nil, err
	}
	var lock sync.Mutex
	var all []found
	err = apply.InParallel(resources, func(resource schema.GroupVersionResource) error {
		list, err := cluster.Metadata.Resource(resource).List(ctx, metav1.ListOptions{})
		// The kind's CRD or APIService went away, or does not work: there is nothing here to delete by way of it.
		if apierrors.IsNotFound(err) || apierrors.IsServiceUnavailable(err) || apierrors.IsMethodNotSupported(err) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("list %s: %w", resource.GroupResource(), err)
		}
		lock.Lock()
		defer lock.Unlock()
		for _, item := range list.Items {
			all = append(all, found{resource, item})
		}
		return nil
	})
	return all, err
}

func listable(client discovery.DiscoveryInterface) ([]schema.GroupVersionResource, error) {
	lists, err := client.ServerPreferredResources()
	// One broken APIService makes discovery incomplete; the rest is good.
	if err != nil && !discovery.IsGroupDiscoveryFailedError(err) {
		return nil, fmt.Errorf("read the API server's discovery: %w", err)
	}
	var resources []schema.GroupVersionResource
	for _, list := range lists {
		version, err := schema.ParseGroupVersion(list.GroupVersion)
		if err != nil {
			return nil, err
		}
		for _, resource := range list.APIResources {
			if slices.Contains(resource.Verbs, "list") && slices.Contains(resource.Verbs, "delete") {
				resources = append(resources, version.WithResource(resource.Name))
			}
		}
	}
	return resources, nil
}
