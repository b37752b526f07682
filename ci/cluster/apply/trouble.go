package apply

import (
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// trouble says why a pod is not Ready, in the kubelet's and the scheduler's own words.
func trouble(pod *corev1.Pod) string {
	var reasons []string
	for _, condition := range pod.Status.Conditions {
		if condition.Type == corev1.PodScheduled && condition.Status == corev1.ConditionFalse {
			reasons = append(reasons, condition.Reason+": "+condition.Message)
		}
	}
	for _, status := range append(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses...) {
		if status.Ready {
			continue
		}
		reason := "container " + status.Name
		switch state := status.State; {
		case state.Waiting != nil:
			reason += " waits: " + join(state.Waiting.Reason, state.Waiting.Message)
		case state.Terminated != nil:
			reason += fmt.Sprintf(" has ended with exit code %d: %s", state.Terminated.ExitCode, join(state.Terminated.Reason, state.Terminated.Message))
		default:
			reason += " runs, but is not ready"
		}
		if last := status.LastTerminationState.Terminated; last != nil {
			reason += fmt.Sprintf(" (before, it ended with exit code %d: %s)", last.ExitCode, join(last.Reason, last.Message))
		}
		reasons = append(reasons, reason)
	}
	if len(reasons) == 0 {
		return "pod " + pod.Name + " is " + strings.ToLower(string(pod.Status.Phase))
	}
	return "pod " + pod.Name + ": " + strings.Join(reasons, "; ")
}

func join(reason, message string) string {
	if message == "" {
		return reason
	}
	return reason + ", " + strings.TrimSpace(message)
}
