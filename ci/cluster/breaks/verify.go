package breaks

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"snapready/ci/cluster/apply"
	"snapready/ci/cluster/objects"
)

// Verify proves on a live cluster that every break changes it, and that after mending every standard object is as it was
// before. It ends with a whole and settled cluster, unless it fails.
func Verify(ctx context.Context, cluster *apply.Cluster, p objects.Params, standard []*unstructured.Unstructured, progress apply.Progress) error {
	if err := Change(ctx, cluster, p, standard, nil, progress); err != nil {
		return err
	}
	whole, err := contents(ctx, cluster)
	if err != nil {
		return err
	}
	for _, b := range All() {
		progress.Say("break %s", b.Name)
		if err := Change(ctx, cluster, p, standard, []string{b.Name}, progress); err != nil {
			return fmt.Errorf("break %s: %w", b.Name, err)
		}
		broken, err := contents(ctx, cluster)
		if err != nil {
			return err
		}
		// The record of the active breaks is no break.
		delete(broken, objects.KeyOf(record(nil)))
		if len(differences(whole, broken)) == 0 {
			return fmt.Errorf("break %s leaves the cluster as it was", b.Name)
		}
		progress.Say("mend %s", b.Name)
		if err := Change(ctx, cluster, p, standard, nil, progress); err != nil {
			return fmt.Errorf("mend %s: %w", b.Name, err)
		}
		mended, err := contents(ctx, cluster)
		if err != nil {
			return err
		}
		if different := differences(whole, mended); len(different) > 0 {
			return fmt.Errorf("after mending %s these objects are not as they were before:\n  %s", b.Name, strings.Join(different, "\n  "))
		}
	}
	return nil
}

// contents reads all standard objects in comparable form.
func contents(ctx context.Context, cluster *apply.Cluster) (map[objects.Key]string, error) {
	list, err := apply.ListStandard(ctx, cluster)
	if err != nil {
		return nil, err
	}
	result := map[objects.Key]string{}
	for _, object := range list {
		text, err := comparableForm(object)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", objects.KeyOf(object), err)
		}
		result[objects.KeyOf(object)] = text
	}
	return result, nil
}

// comparableForm is the object without what only says when and how often it was written. Of the managed fields, ours count.
func comparableForm(object *unstructured.Unstructured) (string, error) {
	object = object.DeepCopy()
	var owned []string
	for _, entry := range object.GetManagedFields() {
		if entry.Manager == apply.FieldManager && entry.FieldsV1 != nil {
			owned = append(owned, string(entry.FieldsV1.Raw))
		}
	}
	for _, field := range []string{"resourceVersion", "generation", "managedFields", "uid", "creationTimestamp"} {
		unstructured.RemoveNestedField(object.Object, "metadata", field)
	}
	for _, annotation := range []string{"deployment.kubernetes.io/revision", "deprecated.daemonset.template.generation"} {
		unstructured.RemoveNestedField(object.Object, "metadata", "annotations", annotation)
	}
	if len(object.GetAnnotations()) == 0 {
		unstructured.RemoveNestedField(object.Object, "metadata", "annotations")
	}
	unstructured.RemoveNestedField(object.Object, "status")
	text, err := json.Marshal([]any{object.Object, owned})
	return string(text), err
}

func differences(before, after map[objects.Key]string) []string {
	var list []string
	for key, text := range before {
		if now, there := after[key]; !there {
			list = append(list, key.String()+" is missing")
		} else if now != text {
			list = append(list, fmt.Sprintf("%s differs\n    before: %s\n    after:  %s", key, text, now))
		}
	}
	for key := range after {
		if _, there := before[key]; !there {
			list = append(list, key.String()+" is new")
		}
	}
	slices.Sort(list)
	return list
}
