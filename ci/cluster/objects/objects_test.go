package objects_test

import (
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"snapready/ci/cluster/objects"
	"snapready/ci/cluster/objects/objectstest"
)

func TestEveryStandardObjectIsMarkedAndNamedOnce(t *testing.T) {
	seen := map[objects.Key]bool{}
	for _, object := range objectstest.Standard(t) {
		key := objects.KeyOf(object)
		if object.GetLabels()[objects.StandardLabel] != "true" {
			t.Errorf("%s has no label %s", key, objects.StandardLabel)
		}
		if seen[key] {
			t.Errorf("%s is there twice", key)
		}
		if namespace := object.GetNamespace(); namespace == "default" {
			t.Errorf("%s is in the namespace of upstream's example", key)
		}
		seen[key] = true
	}
}

func TestUpstreamIsAdapted(t *testing.T) {
	list := objectstest.Standard(t)
	controller := objects.Find(list, "Deployment", "snapshot-controller")
	containers, _, _ := unstructured.NestedSlice(controller.Object, "spec", "template", "spec", "containers")
	container := containers[0].(map[string]any)
	if image := container["image"]; image != "registry.k8s.io/sig-storage/snapshot-controller:v8.6.0" {
		t.Errorf("image of the snapshot-controller is %v", image)
	}
	if args := container["args"].([]any); !slices.Contains(args, any("--leader-election=true")) || !slices.Contains(args, any("--feature-gates=CSIVolumeGroupSnapshot=true")) {
		t.Errorf("args of the snapshot-controller are %v", args)
	}
	for _, name := range []string{"csi-snapshotter-role", "csi-provisioner-role"} {
		subjects, _, _ := unstructured.NestedSlice(objects.Find(list, "ClusterRoleBinding", name).Object, "subjects")
		if subject := subjects[0].(map[string]any); subject["namespace"] != "csi-snapready" || subject["name"] != "csi-snapready-controller" {
			t.Errorf("ClusterRoleBinding %s is for %v", name, subject)
		}
	}
	if objects.Find(list, "Role", "external-snapshotter-leaderelection").GetNamespace() != "csi-snapready" {
		t.Error("the sidecar's leader-election Role is not in the driver's namespace")
	}
}

func TestOneDefaultClassOfEachKind(t *testing.T) {
	defaults := map[string][]string{}
	for _, object := range objectstest.Standard(t) {
		for annotation, value := range object.GetAnnotations() {
			if strings.HasSuffix(annotation, "is-default-class") && value == "true" {
				defaults[object.GetKind()] = append(defaults[object.GetKind()], object.GetName())
			}
		}
	}
	for kind, want := range map[string]string{"StorageClass": "snap-wffc", "VolumeSnapshotClass": "snap-class", "VolumeGroupSnapshotClass": "group-snap-class"} {
		if got := defaults[kind]; !slices.Equal(got, []string{want}) {
			t.Errorf("default %s: %v, want %s", kind, got, want)
		}
	}
}

func TestEveryFaultHasAPair(t *testing.T) {
	list := objectstest.Standard(t)
	for _, fault := range objects.Faults() {
		found := 0
		for _, kind := range []string{"StorageClass", "VolumeSnapshotClass"} {
			object := objects.Find(list, kind, fault.Name)
			if object == nil {
				t.Errorf("fault %s has no %s", fault.Name, kind)
				continue
			}
			if value, _, _ := unstructured.NestedString(object.Object, "parameters", fault.Operation); value == fault.Value {
				found++
			}
		}
		if found != 1 {
			t.Errorf("fault %s: %d of its two classes carry %s=%s, want 1", fault.Name, found, fault.Operation, fault.Value)
		}
	}
}

func TestFaultNames(t *testing.T) {
	list := objectstest.Standard(t)
	for name, parameter := range map[string][2]string{
		"restore-old-snapshot":           {"restore", "old-snapshot"},
		"restore-slow":                   {"restore", "slow:5"},
		"restore-error-invalid-argument": {"restore", "error:InvalidArgument"},
	} {
		class := objects.Find(list, "StorageClass", name)
		if class == nil {
			t.Fatalf("no StorageClass %s", name)
		}
		if value, _, _ := unstructured.NestedString(class.Object, "parameters", parameter[0]); value != parameter[1] {
			t.Errorf("StorageClass %s has %s=%q, want %q", name, parameter[0], value, parameter[1])
		}
	}
}

func TestInstances(t *testing.T) {
	for _, instance := range objects.OtherInstances {
		list, err := objects.InstanceObjects(objectstest.Params(t), instance)
		if err != nil {
			t.Fatal(err)
		}
		controller := objects.Find(list, "Deployment", "csi-"+instance.Name+"-controller")
		containers, _, _ := unstructured.NestedSlice(controller.Object, "spec", "template", "spec", "containers")
		hasSidecar := slices.ContainsFunc(containers, func(container any) bool {
			return container.(map[string]any)["name"] == "csi-snapshotter"
		})
		if hasSidecar != instance.HasSnapshots() {
			t.Errorf("%s: csi-snapshotter container: %v, snapshots: %v", instance.Driver, hasSidecar, instance.HasSnapshots())
		}
		if class := objects.Find(list, "VolumeSnapshotClass", instance.Name); (class != nil) != instance.HasSnapshots() {
			t.Errorf("%s: VolumeSnapshotClass %v, snapshots: %v", instance.Driver, class, instance.HasSnapshots())
		}
		args := containers[0].(map[string]any)["args"].([]any)
		if !slices.Contains(args, any("--data=/data/"+instance.Driver)) {
			t.Errorf("%s: data directory missing in %v", instance.Driver, args)
		}
	}
}

func TestStandardNamesTheMissingDirectory(t *testing.T) {
	params := objectstest.Params(t)
	params.Upstream = t.TempDir()
	if _, err := objects.Standard(params); err == nil || !strings.Contains(err.Error(), "build the upstream directory again") {
		t.Errorf("error is %v", err)
	}
}
