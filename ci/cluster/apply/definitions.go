package apply

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/discovery"
)

func isDefinition(kind kind) bool { return kind.GroupKind() == customResourceDefinition.GroupKind() }

// awaitServed waits until the CRDs are Established and answer requests, which is a moment later.
func awaitServed(ctx context.Context, cluster *Cluster, crds []*unstructured.Unstructured) error {
	if len(crds) == 0 {
		return nil
	}
	client := cluster.Dynamic.Resource(customResourceDefinition.GroupVersion().WithResource("customresourcedefinitions"))
	definitions := source{
		list: func(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
			return client.List(ctx, options)
		},
		watch: client.Watch,
	}
	if err := until(ctx, definitions, func(present map[types.UID]metav1.Object) []string {
		return notEstablished(crds, present)
	}); err != nil {
		return err
	}
	return InParallel(slices.Collect(maps.Keys(servedResources(crds))), func(resource schema.GroupVersionResource) error {
		return awaitAnswer(ctx, cluster, resource)
	})
}

func notEstablished(crds []*unstructured.Unstructured, present map[types.UID]metav1.Object) []string {
	established := map[string]bool{}
	for _, object := range present {
		crd, ok := object.(*unstructured.Unstructured)
		if !ok {
			continue
		}
		conditions, _, _ := unstructured.NestedSlice(crd.Object, "status", "conditions")
		for _, condition := range conditions {
			if fields, ok := condition.(map[string]any); ok && fields["type"] == "Established" && fields["status"] == "True" {
				established[crd.GetName()] = true
			}
		}
	}
	var missing []string
	for _, crd := range crds {
		if !established[crd.GetName()] {
			missing = append(missing, "CustomResourceDefinition "+crd.GetName()+" is not Established")
		}
	}
	return missing
}

// awaitAnswer asks until the API server knows the resource: Established is written before its handler has seen it. There
// is nothing to watch yet.
func awaitAnswer(ctx context.Context, cluster *Cluster, resource schema.GroupVersionResource) error {
	for {
		_, err := cluster.Metadata.Resource(resource).List(ctx, metav1.ListOptions{Limit: 1})
		if err == nil {
			return nil
		}
		if !apierrors.IsNotFound(err) && !apierrors.IsServiceUnavailable(err) && !apierrors.IsTooManyRequests(err) {
			return fmt.Errorf("list %s: %w", resource.GroupResource(), err)
		}
		if err := pause(ctx, "%s is Established, but not served: %v", resource.GroupResource(), err); err != nil {
			return err
		}
	}
}

// servedResources are the resources that the CRDs serve, in all their served versions.
func servedResources(crds []*unstructured.Unstructured) map[schema.GroupVersionResource]bool {
	served := map[schema.GroupVersionResource]bool{}
	for _, crd := range crds {
		group, _, _ := unstructured.NestedString(crd.Object, "spec", "group")
		plural, _, _ := unstructured.NestedString(crd.Object, "spec", "names", "plural")
		versions, _, _ := unstructured.NestedSlice(crd.Object, "spec", "versions")
		for _, version := range versions {
			fields, ok := version.(map[string]any)
			if ok && fields["served"] == true {
				name, _ := fields["name"].(string)
				served[schema.GroupVersionResource{Group: group, Version: name, Resource: plural}] = true
			}
		}
	}
	return served
}

// awaitDiscovery waits until discovery tells of exactly the snapshot resources that the CRDs of the list serve. It
// follows the CRDs with a delay, and clients such as kubectl and snapready look there first.
func awaitDiscovery(ctx context.Context, cluster *Cluster, crds []*unstructured.Unstructured) error {
	wanted := servedResources(crds)
	for {
		_, lists, err := cluster.Kube.Discovery().ServerGroupsAndResources()
		if err != nil && !discovery.IsGroupDiscoveryFailedError(err) {
			return fmt.Errorf("read the API server's discovery: %w", err)
		}
		difference := discoveryDifference(wanted, lists)
		if len(difference) == 0 {
			return nil
		}
		if err := pause(ctx, "discovery differs from the CRDs: %s", strings.Join(difference, "; ")); err != nil {
			return err
		}
	}
}

func discoveryDifference(wanted map[schema.GroupVersionResource]bool, lists []*metav1.APIResourceList) []string {
	told := map[schema.GroupVersionResource]bool{}
	for _, list := range lists {
		version, err := schema.ParseGroupVersion(list.GroupVersion)
		if err != nil || (version.Group != "snapshot.storage.k8s.io" && version.Group != "groupsnapshot.storage.k8s.io") {
			continue
		}
		for _, resource := range list.APIResources {
			if !strings.Contains(resource.Name, "/") {
				told[version.WithResource(resource.Name)] = true
			}
		}
	}
	var difference []string
	for resource := range wanted {
		if !told[resource] {
			difference = append(difference, resource.String()+" is missing")
		}
	}
	for resource := range told {
		if !wanted[resource] {
			difference = append(difference, resource.String()+" is still there")
		}
	}
	slices.Sort(difference)
	return difference
}

// pause is the moment between two questions about something that cannot be watched. When the context ends it gives the
// error to report.
func pause(ctx context.Context, format string, args ...any) error {
	select {
	case <-ctx.Done():
		return fmt.Errorf("%w: %s", context.Cause(ctx), fmt.Sprintf(format, args...))
	case <-time.After(50 * time.Millisecond):
		return nil
	}
}
