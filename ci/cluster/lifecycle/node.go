package lifecycle

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	watchtools "k8s.io/client-go/tools/watch"
)

// nodeLimit covers a kubelet's first registration on a busy machine.
const nodeLimit = 60 * time.Second

// waitForNode waits until the node is Ready by a heartbeat that is not older than since: a status read back from
// etcd says Ready while the kubelet is not even there.
func waitForNode(ctx context.Context, client kubernetes.Interface, name string, since time.Time) error {
	ctx, cancel := context.WithTimeout(ctx, nodeLimit)
	defer cancel()
	selector := fields.OneTermEqualSelector(metav1.ObjectNameField, name).String()
	nodes := client.CoreV1().Nodes()
	source := &cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
			options.FieldSelector = selector
			return nodes.List(ctx, options)
		},
		WatchFuncWithContext: func(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
			options.FieldSelector = selector
			return nodes.Watch(ctx, options)
		},
	}
	seen := "the node has not registered"
	_, err := watchtools.UntilWithSync(ctx, source, &corev1.Node{}, nil, func(event watch.Event) (bool, error) {
		node, isNode := event.Object.(*corev1.Node)
		if !isNode || event.Type == watch.Deleted {
			return false, nil
		}
		for _, condition := range node.Status.Conditions {
			if condition.Type != corev1.NodeReady {
				continue
			}
			seen = fmt.Sprintf("Ready is %s since %s: %s", condition.Status, condition.LastHeartbeatTime, condition.Message)
			// The API keeps whole seconds.
			fresh := !condition.LastHeartbeatTime.Time.Before(since.Truncate(time.Second))
			return condition.Status == corev1.ConditionTrue && fresh, nil
		}
		return false, nil
	})
	if err != nil {
		return fmt.Errorf("node %s: %w; last seen: %s", name, err, seen)
	}
	return nil
}
