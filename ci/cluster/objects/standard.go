package objects

import (
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Standard makes the standard objects.
func Standard(p Params) ([]*unstructured.Unstructured, error) {
	if err := p.validate(); err != nil {
		return nil, err
	}
	list, err := upstream(p)
	if err != nil {
		return nil, err
	}
	for _, template := range []string{"namespace.yaml", "rbac.yaml"} {
		common, err := render(template, nil)
		if err != nil {
			return nil, err
		}
		list = append(list, common...)
	}
	driver, err := InstanceObjects(p, StandardInstance)
	if err != nil {
		return nil, err
	}
	list = append(list, driver...)
	list = append(list, standardClasses()...)
	list = append(list, faultClasses()...)
	Mark(list...)
	return list, nil
}
