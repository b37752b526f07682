package apply

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/metadata/fake"
)

var configMaps = inGroup("", "ConfigMap").GroupVersion().WithResource("configmaps")

func metadataCluster(t *testing.T) (*Cluster, fake.MetadataClient) {
	t.Helper()
	scheme := runtime.NewScheme()
	if err := metav1.AddMetaToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	client := fake.NewSimpleMetadataClient(scheme, &metav1.PartialObjectMetadata{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "ConfigMap"},
		ObjectMeta: metav1.ObjectMeta{Namespace: "a", Name: "stuck", UID: "1", Finalizers: []string{"example.test/never"}},
	})
	return &Cluster{Metadata: client}, client.Resource(configMaps).Namespace("a").(fake.MetadataClient)
}

func TestAwaitGoneNamesWhatIsLeft(t *testing.T) {
	cluster, _ := metadataCluster(t)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	left, err := AwaitGone(ctx, cluster, configMaps, map[types.UID]bool{"1": true, "gone before": true})
	if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "a/stuck is still being deleted, its finalizers are example.test/never") {
		t.Errorf("error is %v", err)
	}
	if len(left) != 1 || left[0].GetName() != "stuck" {
		t.Errorf("left are %v", left)
	}
}

func TestAwaitGoneSeesTheDeletion(t *testing.T) {
	cluster, client := metadataCluster(t)
	go func() {
		time.Sleep(50 * time.Millisecond)
		if err := client.Delete(context.Background(), "stuck", metav1.DeleteOptions{}); err != nil {
			t.Error(err)
		}
	}()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if left, err := AwaitGone(ctx, cluster, configMaps, map[types.UID]bool{"1": true}); err != nil || len(left) != 0 {
		t.Errorf("left %v, error %v", left, err)
	}
}
