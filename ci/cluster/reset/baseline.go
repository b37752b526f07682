package reset

import (
	"context"
	"slices"

	"snapready/ci/cluster/apply"
	"snapready/ci/cluster/objects"
)

// Baseline names the objects of a new cluster.
type Baseline struct {
	Objects []string `json:"objects"`
}

// Record makes the baseline of a cluster that has just come up and settled.
func Record(ctx context.Context, cluster *apply.Cluster) (Baseline, error) {
	all, err := survey(ctx, cluster)
	if err != nil {
		return Baseline{}, err
	}
	var baseline Baseline
	for _, object := range all {
		if !replaced(object) {
			baseline.Objects = append(baseline.Objects, object.key())
		}
	}
	slices.Sort(baseline.Objects)
	return baseline, nil
}

func (b Baseline) holds(object found) bool {
	_, known := slices.BinarySearch(b.Objects, object.key())
	return known
}

// superfluous are the objects that a new cluster does not hold and that go only if somebody deletes them. Objects with the
// standard label are as they should be, unless they are going: the standard objects have been applied before.
func (b Baseline) superfluous(all []found) []found {
	var list []found
	for _, object := range all {
		standard := object.Labels[objects.StandardLabel] != "" && object.DeletionTimestamp == nil
		if !b.holds(object) && !standard && !replaced(object) {
			list = append(list, object)
		}
	}
	return list
}

// managedResources are kept by a controller for each object of another kind, and go with it.
var managedResources = []string{
	"nodes", "csinodes.storage.k8s.io", "endpoints", "endpointslices.discovery.k8s.io", "ipaddresses.networking.k8s.io",
	// Events are deleted in bulk.
	"events", "events.events.k8s.io",
}

// replaced says whether the object comes and goes without anybody's doing: it has an owner and goes with it, or a part of
// Kubernetes itself looks after it.
func replaced(object found) bool {
	switch {
	case len(object.OwnerReferences) > 0:
		return true
	case slices.Contains(managedResources, object.resource.GroupResource().String()):
		return true
	case object.Namespace == "kube-node-lease":
		return true
	}
	for _, label := range []string{
		"kube-aggregator.kubernetes.io/automanaged", // APIService of a CRD
		"kubernetes.io/bootstrapping",               // RBAC that the API server writes at its start
		"apiserver.kubernetes.io/identity",          // Lease of an API server
	} {
		if object.Labels[label] != "" {
			return true
		}
	}
	// FlowSchemas and PriorityLevelConfigurations that the API server keeps.
	_, kept := object.Annotations["apf.kubernetes.io/autoupdate-spec"]
	return kept
}
