package apply

import (
	"regexp"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"snapready/ci/cluster/objects"
)

// leasesOf are the leader-election leases that the pods of a Deployment hold, one per container with leader election.
func leasesOf(deployment *appsv1.Deployment) []types.NamespacedName {
	driver := sanitize(deployment.Labels[objects.InstanceLabel])
	names := map[string]string{
		"snapshot-controller": "snapshot-controller-leader",
		"csi-snapshotter":     "external-snapshotter-leader-" + driver,
		"csi-provisioner":     driver,
	}
	var leases []types.NamespacedName
	for _, container := range deployment.Spec.Template.Spec.Containers {
		if name, known := names[container.Name]; known && electsLeader(container) {
			leases = append(leases, types.NamespacedName{Namespace: deployment.Namespace, Name: name})
		}
	}
	return leases
}

func electsLeader(container corev1.Container) bool {
	for _, arg := range container.Args {
		if arg == "--leader-election" || arg == "--leader-election=true" {
			return true
		}
	}
	return false
}

var notInLeaseName = regexp.MustCompile("[^a-zA-Z0-9-]")

// sanitize makes a lease name of a driver name as csi-lib-utils does.
func sanitize(name string) string {
	name = notInLeaseName.ReplaceAllString(name, "-")
	if strings.HasSuffix(name, "-") {
		name += "X"
	}
	return name
}

// holderLives says whether the lease's holder, which is a pod's name, is among the pods and not on its way out.
func holderLives(lease *coordinationv1.Lease, pods []*corev1.Pod) bool {
	if lease.Spec.HolderIdentity == nil {
		return false
	}
	for _, pod := range pods {
		if pod.Namespace == lease.Namespace && pod.DeletionTimestamp == nil && sanitize(pod.Name) == *lease.Spec.HolderIdentity {
			return true
		}
	}
	return false
}
