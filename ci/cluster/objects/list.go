package objects

import (
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Key names an object within a cluster. The version is left out: one object can be read in several.
type Key struct {
	Group, Kind, Namespace, Name string
}

func (k Key) String() string {
	if k.Namespace == "" {
		return k.Kind + " " + k.Name
	}
	return k.Kind + " " + k.Namespace + "/" + k.Name
}

// KeyOf names the object.
func KeyOf(object *unstructured.Unstructured) Key {
	kind := object.GroupVersionKind()
	return Key{Group: kind.Group, Kind: kind.Kind, Namespace: object.GetNamespace(), Name: object.GetName()}
}

// Mark puts the standard label on the objects.
func Mark(list ...*unstructured.Unstructured) {
	for _, object := range list {
		setLabel(object, StandardLabel, "true")
	}
}

// Clone copies the list and every object in it.
func Clone(list []*unstructured.Unstructured) []*unstructured.Unstructured {
	copied := make([]*unstructured.Unstructured, 0, len(list))
	for _, object := range list {
		copied = append(copied, object.DeepCopy())
	}
	return copied
}

// Find gives the first object of that kind and name, or nil.
func Find(list []*unstructured.Unstructured, kind, name string) *unstructured.Unstructured {
	for _, object := range list {
		if object.GetKind() == kind && object.GetName() == name {
			return object
		}
	}
	return nil
}

// OfKind gives the objects of one kind, in their order.
func OfKind(list []*unstructured.Unstructured, kind schema.GroupKind) []*unstructured.Unstructured {
	var found []*unstructured.Unstructured
	for _, object := range list {
		if object.GroupVersionKind().GroupKind() == kind {
			found = append(found, object)
		}
	}
	return found
}

func setLabel(object *unstructured.Unstructured, key, value string) {
	labels := object.GetLabels()
	if labels == nil {
		labels = map[string]string{}
	}
	labels[key] = value
	object.SetLabels(labels)
}
