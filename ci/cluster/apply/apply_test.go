package apply

import (
	"slices"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"snapready/ci/cluster/objects"
	"snapready/ci/cluster/objects/objectstest"
)

func TestEveryStandardObjectHasAPhase(t *testing.T) {
	standard := objectstest.Standard(t)
	split, err := byPhase(standard)
	if err != nil {
		t.Fatal(err)
	}
	count := 0
	for _, list := range split {
		count += len(list)
	}
	if count != len(standard) {
		t.Errorf("%d objects in phases, want %d", count, len(standard))
	}
	for _, object := range split[workloads] {
		if kind := object.GetKind(); kind == "CustomResourceDefinition" || kind == "Namespace" {
			t.Errorf("%s is written too late", objects.KeyOf(object))
		}
	}
}

func TestAnUnknownKindIsNamed(t *testing.T) {
	object := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "batch/v1", "kind": "Job", "metadata": map[string]any{"name": "x"}}}
	if _, err := byPhase([]*unstructured.Unstructured{object}); err == nil || !strings.Contains(err.Error(), `Job.batch "x"`) {
		t.Errorf("error is %v", err)
	}
}

func TestSuperfluous(t *testing.T) {
	wanted := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"namespace": "a", "name": "keep"}}}
	present := []labelled{
		{key: objects.Key{Kind: "ConfigMap", Namespace: "a", Name: "keep"}},
		{key: objects.Key{Kind: "ConfigMap", Namespace: "b", Name: "keep"}},
		{key: objects.Key{Kind: "Secret", Namespace: "a", Name: "keep"}},
	}
	got := superfluous(present, []*unstructured.Unstructured{wanted})
	if len(got) != 2 || got[0].key.Namespace != "b" || got[1].key.Kind != "Secret" {
		t.Errorf("superfluous are %v", got)
	}
}

func TestServedResources(t *testing.T) {
	crds := objects.OfKind(objectstest.Standard(t), customResourceDefinition.GroupKind())
	served := servedResources(crds)
	lists := []*metav1.APIResourceList{{GroupVersion: "apps/v1", APIResources: []metav1.APIResource{{Name: "deployments"}}}}
	for resource := range served {
		lists = append(lists, &metav1.APIResourceList{GroupVersion: resource.GroupVersion().String(),
			APIResources: []metav1.APIResource{{Name: resource.Resource}, {Name: resource.Resource + "/status"}}})
	}
	if difference := discoveryDifference(served, lists); len(difference) != 0 {
		t.Errorf("differences: %v", difference)
	}
	if difference := discoveryDifference(served, lists[:1]); len(difference) != len(served) || !strings.HasSuffix(difference[0], "is missing") {
		t.Errorf("differences: %v", difference)
	}
	if difference := discoveryDifference(nil, lists); len(difference) != len(served) || !strings.HasSuffix(difference[0], "is still there") {
		t.Errorf("differences: %v", difference)
	}
}

func TestTakeOver(t *testing.T) {
	ours := entry(FieldManager, metav1.ManagedFieldsOperationApply, "", `{"f:spec":{"f:replicas":{}}}`)
	kcm := entry("kube-controller-manager", metav1.ManagedFieldsOperationUpdate, "", `{"f:metadata":{"f:annotations":{"f:revision":{}}}}`)
	status := entry("anybody", metav1.ManagedFieldsOperationUpdate, "status", `{"f:status":{}}`)
	kubectl := entry("kubectl-edit", metav1.ManagedFieldsOperationUpdate, "", `{"f:spec":{"f:paused":{}}}`)
	applied := entry("kubectl", metav1.ManagedFieldsOperationApply, "", `{"f:spec":{"f:progressDeadlineSeconds":{}}}`)

	if _, foreign, err := takeOver([]metav1.ManagedFieldsEntry{ours, kcm, status}); foreign || err != nil {
		t.Errorf("without foreign fields: foreign %v, error %v", foreign, err)
	}
	got, foreign, err := takeOver([]metav1.ManagedFieldsEntry{kubectl, ours, kcm, applied, status})
	if err != nil || !foreign {
		t.Fatalf("foreign %v, error %v", foreign, err)
	}
	var managers []string
	for _, entry := range got {
		managers = append(managers, entry.Manager)
	}
	if !slices.Equal(managers, []string{FieldManager, "kube-controller-manager", "anybody"}) {
		t.Errorf("managers are %v", managers)
	}
	for _, field := range []string{"f:replicas", "f:paused", "f:progressDeadlineSeconds"} {
		if !strings.Contains(string(got[0].FieldsV1.Raw), field) {
			t.Errorf("%s is not ours: %s", field, got[0].FieldsV1.Raw)
		}
	}
}

func entry(manager string, operation metav1.ManagedFieldsOperationType, subresource, fields string) metav1.ManagedFieldsEntry {
	return metav1.ManagedFieldsEntry{Manager: manager, Operation: operation, Subresource: subresource, FieldsType: "FieldsV1",
		FieldsV1: &metav1.FieldsV1{Raw: []byte(fields)}}
}
