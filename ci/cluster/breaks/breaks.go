package breaks

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"snapready/ci/cluster/objects"
)

// Break is one way in which a cluster is broken.
type Break struct {
	Name string
	// Description says in a line what a user of the cluster sees.
	Description string
	// Failure is the failure in Kubernetes' own words.
	Failure string

	change func(objects.Params, []*unstructured.Unstructured) ([]*unstructured.Unstructured, error)
	// refused is a request that is refused while the break is active; nil if the change of objects is the whole break.
	refused *refusal
}

// Apply gives the changed list. The list itself stays as it is.
func (b Break) Apply(p objects.Params, list []*unstructured.Unstructured) ([]*unstructured.Unstructured, error) {
	changed, err := b.change(p, objects.Clone(list))
	if err != nil {
		return nil, fmt.Errorf("break %s: %w", b.Name, err)
	}
	objects.Mark(changed...)
	return changed, nil
}

// Desired is what a cluster with these breaks holds: the changed standard objects and the record of the breaks.
func Desired(p objects.Params, standard []*unstructured.Unstructured, names []string) ([]*unstructured.Unstructured, error) {
	for _, name := range names {
		if _, err := find(name); err != nil {
			return nil, err
		}
	}
	list := objects.Clone(standard)
	var active []string
	for _, b := range All() {
		if !slices.Contains(names, b.Name) {
			continue
		}
		var err error
		if list, err = b.Apply(p, list); err != nil {
			return nil, err
		}
		active = append(active, b.Name)
	}
	if len(active) > 0 {
		list = append(list, record(active))
	}
	return list, nil
}

// Add gives the names with one more.
func Add(names []string, name string) ([]string, error) {
	if _, err := find(name); err != nil {
		return nil, err
	}
	if slices.Contains(names, name) {
		return slices.Clone(names), nil
	}
	return append(slices.Clone(names), name), nil
}

// Remove gives the names without one, which must be there.
func Remove(names []string, name string) ([]string, error) {
	if _, err := find(name); err != nil {
		return nil, err
	}
	index := slices.Index(names, name)
	if index < 0 {
		if len(names) == 0 {
			return nil, fmt.Errorf("break %s is not active; none is", name)
		}
		return nil, fmt.Errorf("break %s is not active; active are %s", name, strings.Join(names, ", "))
	}
	return slices.Delete(slices.Clone(names), index, index+1), nil
}

func find(name string) (Break, error) {
	var known []string
	for _, b := range All() {
		if b.Name == name {
			return b, nil
		}
		known = append(known, b.Name)
	}
	return Break{}, fmt.Errorf("there is no break %q; known are %s", name, strings.Join(known, ", "))
}
