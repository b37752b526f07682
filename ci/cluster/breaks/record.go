package breaks

import (
	"context"
	"fmt"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"snapready/ci/cluster/apply"
	"snapready/ci/cluster/objects"
)

const (
	recordName = "snapready-breaks"
	recordKey  = "active"
)

func record(active []string) *unstructured.Unstructured {
	object := fromFields("v1", "ConfigMap", objects.ControllerNamespace, recordName, map[string]any{
		"data": map[string]any{recordKey: strings.Join(active, "\n")},
	})
	objects.Mark(object)
	return object
}

// Active reads the names of the active breaks.
func Active(ctx context.Context, cluster *apply.Cluster) ([]string, error) {
	configMap, err := cluster.Kube.CoreV1().ConfigMaps(objects.ControllerNamespace).Get(ctx, recordName, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the active breaks: %w", err)
	}
	return strings.Fields(configMap.Data[recordKey]), nil
}
