package apply

import (
	"bytes"
	"fmt"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
)

// clusterManagers are the parts of Kubernetes itself; what they write into an object belongs there, for example the
// revision annotation of a Deployment.
var clusterManagers = []string{"kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet"}

// takeOver gives the fields that others have written into an object (a kubectl edit in a test, say) to our field manager.
// Server-side apply removes a field from the object when its last manager no longer names it, so the next apply removes
// exactly these. It says false if nobody else has written anything.
func takeOver(entries []metav1.ManagedFieldsEntry) ([]metav1.ManagedFieldsEntry, bool, error) {
	var kept []metav1.ManagedFieldsEntry
	foreign := &fieldpath.Set{}
	ours := -1
	for _, entry := range entries {
		switch {
		case entry.Manager == FieldManager && entry.Operation == metav1.ManagedFieldsOperationApply && entry.Subresource == "":
			ours = len(kept)
			kept = append(kept, entry)
		case entry.Subresource != "" || slices.Contains(clusterManagers, entry.Manager):
			kept = append(kept, entry)
		default:
			fields, err := fieldSet(entry)
			if err != nil {
				return nil, false, err
			}
			foreign = foreign.Union(fields)
		}
	}
	if foreign.Empty() || ours < 0 {
		return entries, false, nil
	}
	owned, err := fieldSet(kept[ours])
	if err != nil {
		return nil, false, err
	}
	raw, err := owned.Union(foreign).ToJSON()
	if err != nil {
		return nil, false, err
	}
	kept[ours].FieldsV1 = &metav1.FieldsV1{Raw: raw}
	return kept, true, nil
}

func fieldSet(entry metav1.ManagedFieldsEntry) (*fieldpath.Set, error) {
	fields := &fieldpath.Set{}
	if entry.FieldsV1 == nil {
		return fields, nil
	}
	if err := fields.FromJSON(bytes.NewReader(entry.FieldsV1.Raw)); err != nil {
		return nil, fmt.Errorf("managed fields of %s: %w", entry.Manager, err)
	}
	return fields, nil
}
