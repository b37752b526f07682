package objects

import (
	"bytes"
	"embed"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"text/template"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Instance is one installation of the driver: same image, own name, own data, own capabilities.
type Instance struct {
	// Name is the middle of the workloads' names (csi-NAME-controller) and, but for the standard instance, the name of
	// its classes.
	Name string
	// Driver is the CSI driver's name, as in the CSIDriver object.
	Driver       string
	Capabilities []string
	// Topology is none (every node reaches every volume) or node.
	Topology string
}

// StandardInstance is the healthy driver of the standard objects.
var StandardInstance = Instance{
	Name:         "snapready",
	Driver:       "csi.snapready.test",
	Capabilities: []string{"snapshots", "clone", "expand", "block", "group-snapshots", "list"},
	Topology:     "none",
}

// OtherInstances are further drivers that a break can install beside the standard one.
var OtherInstances = []Instance{
	{Name: "no-snapshots", Driver: "no-snapshots.csi.snapready.test", Capabilities: []string{"clone", "expand", "block", "list"}, Topology: "none"},
	{Name: "no-block", Driver: "no-block.csi.snapready.test", Capabilities: []string{"snapshots", "clone", "expand", "list"}, Topology: "none"},
	{Name: "local", Driver: "local.csi.snapready.test", Capabilities: []string{"snapshots", "clone", "expand", "block", "list"}, Topology: "node"},
}

// HasSnapshots says whether the driver reports CREATE_DELETE_SNAPSHOT. Without it csi-snapshotter exits at once, so
// installations of such drivers have no csi-snapshotter container.
func (i Instance) HasSnapshots() bool { return slices.Contains(i.Capabilities, "snapshots") }

//go:embed templates/*.yaml
var templates embed.FS

// InstanceObjects makes the objects of one installation: CSIDriver, controller, node driver, and for every instance but
// the standard one its classes.
func InstanceObjects(p Params, instance Instance) ([]*unstructured.Unstructured, error) {
	if err := p.validate(); err != nil {
		return nil, err
	}
	values := map[string]any{
		"Name": instance.Name, "Driver": instance.Driver, "Images": p.Images, "Kubelets": p.Kubelets,
		"Data":         filepath.Join(p.Data, instance.Driver),
		"Capabilities": strings.Join(instance.Capabilities, ","),
		"Topology":     instance.Topology,
		"Snapshots":    instance.HasSnapshots(),
	}
	var list []*unstructured.Unstructured
	for _, name := range []string{"csidriver.yaml", "controller.yaml", "node.yaml"} {
		rendered, err := render(name, values)
		if err != nil {
			return nil, err
		}
		list = append(list, rendered...)
	}
	if instance.Name != StandardInstance.Name {
		list = append(list, instanceClasses(instance)...)
	}
	Mark(list...)
	return list, nil
}

func render(name string, values any) ([]*unstructured.Unstructured, error) {
	parsed, err := template.New(name).Option("missingkey=error").ParseFS(templates, "templates/"+name)
	if err != nil {
		return nil, err
	}
	var manifest bytes.Buffer
	if err := parsed.Execute(&manifest, values); err != nil {
		return nil, err
	}
	list, err := parse(manifest.Bytes())
	if err != nil {
		return nil, fmt.Errorf("template %s: %w", name, err)
	}
	return list, nil
}
