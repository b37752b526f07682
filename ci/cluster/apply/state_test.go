package apply

import (
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"snapready/ci/cluster/objects"
)

var start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// settled is a small cluster in which everything is as wanted; each test spoils one thing.
func settled() (state, wanted) {
	one := int32(1)
	deployment := &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Namespace: "kube-system", Name: "snapshot-controller", UID: "deployment", Generation: 2,
			Labels: map[string]string{objects.StandardLabel: "true"}},
		Spec: appsv1.DeploymentSpec{Replicas: &one, Template: corev1.PodTemplateSpec{Spec: corev1.PodSpec{Containers: []corev1.Container{
			{Name: "snapshot-controller", Args: []string{"--leader-election=true"}}}}}},
		Status: appsv1.DeploymentStatus{ObservedGeneration: 2, Replicas: 1, UpdatedReplicas: 1},
	}
	daemonSet := &appsv1.DaemonSet{
		ObjectMeta: metav1.ObjectMeta{Namespace: "csi-snapready", Name: "csi-snapready-node", UID: "daemonset", Generation: 1,
			Labels: map[string]string{objects.StandardLabel: "true", objects.ComponentLabel: "node", objects.InstanceLabel: "csi.snapready.test"}},
		Status: appsv1.DaemonSetStatus{ObservedGeneration: 1, DesiredNumberScheduled: 1, UpdatedNumberScheduled: 1},
	}
	holder := "snapshot-controller-1"
	now := state{
		deployments: []*appsv1.Deployment{deployment},
		daemonSets:  []*appsv1.DaemonSet{daemonSet},
		replicaSets: []*appsv1.ReplicaSet{{ObjectMeta: metav1.ObjectMeta{Namespace: "kube-system", Name: "rs", UID: "rs", OwnerReferences: owner("Deployment", "deployment")}}},
		pods: []*corev1.Pod{
			readyPod("kube-system", "snapshot-controller-1", owner("ReplicaSet", "rs")),
			readyPod("csi-snapready", "node-1", owner("DaemonSet", "daemonset")),
		},
		leases: []*coordinationv1.Lease{{ObjectMeta: metav1.ObjectMeta{Namespace: "kube-system", Name: "snapshot-controller-leader"},
			Spec: coordinationv1.LeaseSpec{HolderIdentity: &holder}}},
		nodes: []*corev1.Node{{ObjectMeta: metav1.ObjectMeta{Name: "n1"}, Status: corev1.NodeStatus{
			Conditions: []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue}}}}},
		csiNodes: []*storagev1.CSINode{{ObjectMeta: metav1.ObjectMeta{Name: "n1"}, Spec: storagev1.CSINodeSpec{
			Drivers: []storagev1.CSINodeDriver{{Name: "csi.snapready.test"}}}}},
	}
	return now, wanted{
		deployments:      []*appsv1.Deployment{deployment.DeepCopy()},
		daemonSets:       []*appsv1.DaemonSet{daemonSet.DeepCopy()},
		newestDefinition: start.Add(-time.Minute),
	}
}

func owner(kind string, uid types.UID) []metav1.OwnerReference {
	yes := true
	return []metav1.OwnerReference{{Kind: kind, UID: uid, Controller: &yes}}
}

func readyPod(namespace, name string, owners []metav1.OwnerReference) *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, UID: types.UID(name), OwnerReferences: owners, CreationTimestamp: metav1.NewTime(start)},
		Spec:       corev1.PodSpec{NodeName: "n1"},
		Status:     corev1.PodStatus{Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}}},
	}
}

func TestUnsettled(t *testing.T) {
	ending := metav1.NewTime(start)
	for name, test := range map[string]struct {
		spoil func(*state, *wanted)
		want  string
	}{
		"nothing":            {func(*state, *wanted) {}, ""},
		"stale informer":     {func(_ *state, w *wanted) { w.deployments[0].Generation = 3 }, "has not been looked at"},
		"made anew":          {func(_ *state, w *wanted) { w.deployments[0].UID = "other" }, "has not been looked at"},
		"rollout":            {func(s *state, _ *wanted) { s.deployments[0].Status.UpdatedReplicas = 0 }, "of them 0 of the new revision"},
		"old pod ending":     {func(s *state, _ *wanted) { s.pods[0].DeletionTimestamp = &ending }, "of the old revision is still ending"},
		"no pod":             {func(s *state, _ *wanted) { s.pods = s.pods[1:] }, "has 0 pods, want 1"},
		"older than CRDs":    {func(_ *state, w *wanted) { w.newestDefinition = start.Add(time.Second) }, "older than the CRDs"},
		"lease of another":   {func(s *state, _ *wanted) { other := "gone"; s.leases[0].Spec.HolderIdentity = &other }, "none of its pods holds the lease kube-system/snapshot-controller-leader"},
		"no lease":           {func(s *state, _ *wanted) { s.leases = nil }, "none of its pods holds the lease"},
		"not registered":     {func(s *state, _ *wanted) { s.csiNodes[0].Spec.Drivers = nil }, "CSINode n1 does not list driver csi.snapready.test"},
		"still registered":   {func(_ *state, w *wanted) { w.daemonSets = nil }, "CSINode n1 still lists driver csi.snapready.test"},
		"node pod missing":   {func(s *state, _ *wanted) { s.pods = s.pods[:1] }, "has no pod on node n1"},
		"node not ready":     {func(s *state, _ *wanted) { s.nodes[0].Status.Conditions = nil; s.pods = s.pods[:1] }, ""},
		"expected not ready": {func(s *state, w *wanted) { s.pods[0].Status.Conditions = nil; s.leases = nil; annotate(w) }, ""},
		"crashing":           {crash, "container snapshot-controller waits: CrashLoopBackOff (before, it ended with exit code 1: Error, no CRDs)"},
		"removed workload": {func(s *state, _ *wanted) {
			s.pods = append(s.pods, readyPod("kube-system", "old", owner("ReplicaSet", "gone")))
		}, "pod kube-system/old of a removed workload"},
		"somebody's own pod":   {func(s *state, _ *wanted) { s.pods = append(s.pods, readyPod("kube-system", "own", nil)) }, ""},
		"other namespace's":    {func(s *state, _ *wanted) { s.pods = append(s.pods, readyPod("test", "x", owner("ReplicaSet", "gone"))) }, ""},
		"unlabelled DaemonSet": {foreignDaemonSet, ""},
	} {
		t.Run(name, func(t *testing.T) {
			now, want := settled()
			test.spoil(&now, &want)
			got := strings.Join(now.unsettled(want), "; ")
			if test.want == "" && got != "" || !strings.Contains(got, test.want) {
				t.Errorf("unsettled: %q, want %q", got, test.want)
			}
		})
	}
}

func annotate(w *wanted) {
	w.deployments[0].Annotations = map[string]string{objects.NotReadyAnnotation: "the CRDs are missing"}
}

func crash(s *state, _ *wanted) {
	s.pods[0].Status = corev1.PodStatus{ContainerStatuses: []corev1.ContainerStatus{{
		Name:                 "snapshot-controller",
		State:                corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "CrashLoopBackOff"}},
		LastTerminationState: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: 1, Reason: "Error", Message: "no CRDs\n"}},
	}}}
}

func foreignDaemonSet(s *state, _ *wanted) {
	s.daemonSets = append(s.daemonSets, &appsv1.DaemonSet{ObjectMeta: metav1.ObjectMeta{Namespace: "kube-system", Name: "foreign", UID: "foreign"}})
	s.pods = append(s.pods, readyPod("kube-system", "foreign-1", owner("DaemonSet", "foreign")))
}

func TestStaleLeases(t *testing.T) {
	now, want := settled()
	if stale := now.staleLeases(want); len(stale) != 0 {
		t.Errorf("stale leases of a settled cluster: %v", stale)
	}
	ending := metav1.NewTime(start)
	now.pods[0].DeletionTimestamp = &ending
	if stale := now.staleLeases(want); len(stale) != 1 || stale[0].Name != "snapshot-controller-leader" {
		t.Errorf("stale leases while the holder ends: %v", stale)
	}
	// Nobody is going to want the lease: it stays, as on a real cluster.
	none := int32(0)
	want.deployments[0].Spec.Replicas = &none
	if stale := now.staleLeases(want); len(stale) != 0 {
		t.Errorf("stale leases with 0 replicas: %v", stale)
	}
}

func TestLeaseNames(t *testing.T) {
	deployment := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Namespace: "csi-snapready", Labels: map[string]string{objects.InstanceLabel: "csi.snapready.test"}}}
	deployment.Spec.Template.Spec.Containers = []corev1.Container{
		{Name: "driver"}, {Name: "csi-provisioner", Args: []string{"--leader-election"}}, {Name: "csi-snapshotter", Args: []string{"--leader-election"}},
	}
	leases := leasesOf(deployment)
	if len(leases) != 2 || leases[0].Name != "csi-snapready-test" || leases[1].Name != "external-snapshotter-leader-csi-snapready-test" {
		t.Errorf("leases are %v", leases)
	}
}
