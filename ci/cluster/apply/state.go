package apply

import (
	"fmt"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"snapready/ci/cluster/objects"
)

// state is what the cluster shows of the workloads at one moment.
type state struct {
	deployments []*appsv1.Deployment
	replicaSets []*appsv1.ReplicaSet
	daemonSets  []*appsv1.DaemonSet
	pods        []*corev1.Pod
	leases      []*coordinationv1.Lease
	nodes       []*corev1.Node
	csiNodes    []*storagev1.CSINode
}

// unsettled says what is not yet as wanted, a sentence each.
func (s state) unsettled(want wanted) []string {
	var reasons []string
	for _, deployment := range want.deployments {
		reasons = append(reasons, s.deploymentReasons(deployment, want)...)
	}
	for _, daemonSet := range want.daemonSets {
		reasons = append(reasons, s.daemonSetReasons(daemonSet)...)
	}
	for _, pod := range s.leftOverPods(want) {
		reasons = append(reasons, fmt.Sprintf("pod %s/%s of a removed workload is still there", pod.Namespace, pod.Name))
	}
	return append(reasons, s.registrationReasons(want)...)
}

// deploymentReasons asks for Ready, not for Available: upstream's snapshot-controller has minReadySeconds 35.
func (s state) deploymentReasons(want *appsv1.Deployment, all wanted) []string {
	what := fmt.Sprintf("Deployment %s/%s", want.Namespace, want.Name)
	current := find(s.deployments, want.UID)
	if current == nil || current.Status.ObservedGeneration < want.Generation {
		return []string{what + " has not been looked at by its controller"}
	}
	replicas := *want.Spec.Replicas
	if current.Status.Replicas != replicas || current.Status.UpdatedReplicas != replicas {
		return []string{fmt.Sprintf("%s: %d pods, of them %d of the new revision, want %d", what, current.Status.Replicas, current.Status.UpdatedReplicas, replicas)}
	}
	pods := s.podsOf(want)
	for _, pod := range pods {
		if pod.DeletionTimestamp != nil {
			return []string{what + ": pod " + pod.Name + " of the old revision is still ending"}
		}
		if outdated(pod, all) {
			return []string{what + ": pod " + pod.Name + " is older than the CRDs and is being restarted"}
		}
	}
	if len(pods) != int(replicas) {
		return []string{fmt.Sprintf("%s has %d pods, want %d", what, len(pods), replicas)}
	}
	if _, expected := want.Annotations[objects.NotReadyAnnotation]; expected {
		return nil
	}
	for _, pod := range pods {
		if !ready(pod) {
			return []string{what + ": " + trouble(pod)}
		}
	}
	if replicas == 0 {
		return nil
	}
	var reasons []string
	for _, name := range leasesOf(want) {
		lease := s.lease(name)
		if lease == nil || !holderLives(lease, pods) {
			reasons = append(reasons, fmt.Sprintf("%s: none of its pods holds the lease %s", what, name))
		}
	}
	return reasons
}

func (s state) daemonSetReasons(want *appsv1.DaemonSet) []string {
	what := fmt.Sprintf("DaemonSet %s/%s", want.Namespace, want.Name)
	current := find(s.daemonSets, want.UID)
	if current == nil || current.Status.ObservedGeneration < want.Generation {
		return []string{what + " has not been looked at by its controller"}
	}
	if current.Status.UpdatedNumberScheduled != current.Status.DesiredNumberScheduled {
		return []string{fmt.Sprintf("%s: %d of %d pods are of the new revision", what, current.Status.UpdatedNumberScheduled, current.Status.DesiredNumberScheduled)}
	}
	pods := s.podsOf(want)
	var reasons []string
	for _, node := range s.readyNodes() {
		index := slices.IndexFunc(pods, func(pod *corev1.Pod) bool { return pod.Spec.NodeName == node.Name && pod.DeletionTimestamp == nil })
		if index < 0 {
			reasons = append(reasons, fmt.Sprintf("%s has no pod on node %s", what, node.Name))
		} else if !ready(pods[index]) {
			reasons = append(reasons, what+": "+trouble(pods[index]))
		}
	}
	for _, pod := range pods {
		if pod.DeletionTimestamp != nil {
			reasons = append(reasons, what+": pod "+pod.Name+" of the old revision is still ending")
		}
	}
	return reasons
}

// registrationReasons compares the drivers that the kubelets know, which CSINode shows, with the node drivers wanted.
func (s state) registrationReasons(want wanted) []string {
	drivers := map[string]bool{}
	for _, daemonSet := range want.daemonSets {
		if daemonSet.Labels[objects.ComponentLabel] == objects.NodeComponent {
			drivers[daemonSet.Labels[objects.InstanceLabel]] = true
		}
	}
	var reasons []string
	for _, node := range s.readyNodes() {
		registered := map[string]bool{}
		for _, csiNode := range s.csiNodes {
			if csiNode.Name == node.Name {
				for _, driver := range csiNode.Spec.Drivers {
					registered[driver.Name] = true
				}
			}
		}
		for driver := range drivers {
			if !registered[driver] {
				reasons = append(reasons, fmt.Sprintf("CSINode %s does not list driver %s", node.Name, driver))
			}
		}
		for driver := range registered {
			if strings.HasSuffix(driver, objects.StandardInstance.Driver) && !drivers[driver] {
				reasons = append(reasons, fmt.Sprintf("CSINode %s still lists driver %s, which has no DaemonSet", node.Name, driver))
			}
		}
	}
	slices.Sort(reasons)
	return reasons
}

// leftOverPods are pods in the namespaces of the wanted workloads whose own workload has been removed.
func (s state) leftOverPods(want wanted) []*corev1.Pod {
	others := map[types.UID]bool{}
	for _, deployment := range s.deployments {
		others[deployment.UID] = deployment.Labels[objects.StandardLabel] == ""
	}
	for _, daemonSet := range s.daemonSets {
		others[daemonSet.UID] = daemonSet.Labels[objects.StandardLabel] == ""
	}
	var left []*corev1.Pod
	for _, pod := range s.pods {
		if pod.Namespace != objects.DriverNamespace && pod.Namespace != objects.ControllerNamespace {
			continue
		}
		owner := metav1.GetControllerOf(pod)
		if owner == nil {
			continue
		}
		workload := owner.UID
		switch owner.Kind {
		case "ReplicaSet":
			// A ReplicaSet that is gone, or has no Deployment, stands for itself: it is not wanted.
			if replicaSet := find(s.replicaSets, owner.UID); replicaSet != nil && metav1.GetControllerOf(replicaSet) != nil {
				workload = metav1.GetControllerOf(replicaSet).UID
			}
		case "DaemonSet":
		default:
			continue
		}
		if !want.owns(workload) && !others[workload] {
			left = append(left, pod)
		}
	}
	return left
}

// staleLeases are the leases that a wanted pod is going to need, but that a pod holds which is gone or going: without
// leader the next one waits for their end, 15 seconds.
func (s state) staleLeases(want wanted) []*coordinationv1.Lease {
	var stale []*coordinationv1.Lease
	for _, deployment := range want.deployments {
		if *deployment.Spec.Replicas == 0 {
			continue
		}
		for _, name := range leasesOf(deployment) {
			if lease := s.lease(name); lease != nil && !holderLives(lease, s.pods) {
				stale = append(stale, lease)
			}
		}
	}
	return stale
}

// outdatedPods are pods that have seen the CRDs go: the informers in them back off, up to half a minute, and would not
// notice that the CRDs are back.
func (s state) outdatedPods(want wanted) []*corev1.Pod {
	var list []*corev1.Pod
	for _, deployment := range want.deployments {
		for _, pod := range s.podsOf(deployment) {
			if pod.DeletionTimestamp == nil && outdated(pod, want) {
				list = append(list, pod)
			}
		}
	}
	return list
}

func outdated(pod *corev1.Pod, want wanted) bool {
	return pod.CreationTimestamp.Time.Before(want.newestDefinition)
}

// podsOf are the pods of a Deployment or DaemonSet, ending ones among them.
func (s state) podsOf(workload metav1.Object) []*corev1.Pod {
	owners := map[types.UID]bool{workload.GetUID(): true}
	for _, replicaSet := range s.replicaSets {
		if metav1.IsControlledBy(replicaSet, workload) {
			owners[replicaSet.UID] = true
		}
	}
	var pods []*corev1.Pod
	for _, pod := range s.pods {
		if owner := metav1.GetControllerOf(pod); owner != nil && owners[owner.UID] {
			pods = append(pods, pod)
		}
	}
	return pods
}

func (s state) lease(name types.NamespacedName) *coordinationv1.Lease {
	for _, lease := range s.leases {
		if lease.Namespace == name.Namespace && lease.Name == name.Name {
			return lease
		}
	}
	return nil
}

func (s state) readyNodes() []*corev1.Node {
	var nodes []*corev1.Node
	for _, node := range s.nodes {
		for _, condition := range node.Status.Conditions {
			if condition.Type == corev1.NodeReady && condition.Status == corev1.ConditionTrue {
				nodes = append(nodes, node)
			}
		}
	}
	return nodes
}

func ready(pod *corev1.Pod) bool {
	for _, condition := range pod.Status.Conditions {
		if condition.Type == corev1.PodReady {
			return condition.Status == corev1.ConditionTrue
		}
	}
	return false
}

func find[T metav1.Object](list []T, uid types.UID) T {
	for _, object := range list {
		if object.GetUID() == uid {
			return object
		}
	}
	var none T
	return none
}
