package breaks

import (
	"encoding/json"
	"math/rand"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"snapready/ci/cluster/objects"
	"snapready/ci/cluster/objects/objectstest"
)

func TestEveryBreakChangesTheListAndNotItsInput(t *testing.T) {
	params, standard := objectstest.Params(t), objectstest.Standard(t)
	before := encode(t, standard)
	for _, b := range All() {
		changed, err := b.Apply(params, standard)
		if err != nil {
			t.Errorf("%v", err)
			continue
		}
		if encode(t, changed) == before {
			t.Errorf("break %s changes nothing", b.Name)
		}
		if encode(t, standard) != before {
			t.Fatalf("break %s has changed the standard objects themselves", b.Name)
		}
	}
}

func TestEveryBreakIsDescribed(t *testing.T) {
	var names []string
	for _, b := range All() {
		if b.Description == "" || b.Failure == "" || strings.Contains(b.Description+b.Failure, "\n") {
			t.Errorf("break %s needs a line of description and a line of failure", b.Name)
		}
		if slices.Contains(names, b.Name) {
			t.Errorf("break %s is there twice", b.Name)
		}
		names = append(names, b.Name)
	}
}

// What is applied depends on which breaks are active, never on the order in which they were made and mended.
func TestOrderDoesNotMatter(t *testing.T) {
	params, standard := objectstest.Params(t), objectstest.Standard(t)
	var names []string
	for _, b := range All() {
		names = append(names, b.Name)
	}
	random := rand.New(rand.NewSource(1))
	for range 20 {
		random.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
		chosen := names[:4]
		reversed := slices.Clone(chosen)
		slices.Reverse(reversed)
		if encode(t, desired(t, params, standard, chosen)) != encode(t, desired(t, params, standard, reversed)) {
			t.Errorf("the order of %v matters", chosen)
		}
		left := slices.Clone(chosen)
		for _, name := range reversed {
			var err error
			if left, err = Remove(left, name); err != nil {
				t.Fatal(err)
			}
		}
		if encode(t, desired(t, params, standard, left)) != encode(t, standard) {
			t.Errorf("after mending %v the list is not the standard list", chosen)
		}
	}
}

func TestAllTogetherNameEachObjectOnce(t *testing.T) {
	params, standard := objectstest.Params(t), objectstest.Standard(t)
	var names []string
	for _, b := range All() {
		names = append(names, b.Name)
	}
	seen := map[objects.Key]bool{}
	for _, object := range desired(t, params, standard, names) {
		key := objects.KeyOf(object)
		if seen[key] {
			t.Errorf("%s is there twice", key)
		}
		if object.GetLabels()[objects.StandardLabel] != "true" {
			t.Errorf("%s has no standard label, so that mending would leave it behind", key)
		}
		seen[key] = true
	}
}

func TestV1beta1OnlyServesNothingElse(t *testing.T) {
	list := desired(t, objectstest.Params(t), objectstest.Standard(t), []string{"v1beta1-only"})
	crd := objects.Find(list, "CustomResourceDefinition", "volumesnapshots.snapshot.storage.k8s.io")
	versions, _, _ := unstructured.NestedSlice(crd.Object, "spec", "versions")
	var served []any
	for _, item := range versions {
		if version := item.(map[string]any); version["served"] == true {
			served = append(served, version["name"])
		}
	}
	if !slices.Equal(served, []any{"v1beta1"}) {
		t.Errorf("served versions are %v", served)
	}
}

func TestUnknownNames(t *testing.T) {
	if _, err := Add(nil, "no-such"); err == nil || !strings.Contains(err.Error(), "known are driver-no-snapshots") {
		t.Errorf("error is %v", err)
	}
	if _, err := Remove([]string{"quota"}, "policy"); err == nil || !strings.Contains(err.Error(), "active are quota") {
		t.Errorf("error is %v", err)
	}
}

func desired(t *testing.T, params objects.Params, standard list, names []string) list {
	t.Helper()
	list, err := Desired(params, standard, names)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func encode(t *testing.T, list list) string {
	t.Helper()
	text, err := json.Marshal(list)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
