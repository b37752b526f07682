package breaks

import (
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"snapready/ci/cluster/objects"
)

const (
	quotaNamespace          = "break-quota"
	restrictedNamespaceName = "break-restricted"
	policyNamespace         = "break-policy"
	policyName              = "snapshots-need-approval"
	policyMessage           = "snapshots need the approval of the storage team: write to storage@snapready.test"
)

var (
	volumeSnapshots = schema.GroupVersionResource{Group: snapshotGroup, Version: "v1", Resource: "volumesnapshots"}
	pods            = schema.GroupVersionResource{Version: "v1", Resource: "pods"}
)

func quota(_ objects.Params, objs list) (list, error) {
	return add(objs,
		fromFields("v1", "Namespace", "", quotaNamespace, map[string]any{}),
		fromFields("v1", "ResourceQuota", quotaNamespace, "storage", map[string]any{"spec": map[string]any{"hard": map[string]any{
			"persistentvolumeclaims":                        "1",
			"count/volumesnapshots.snapshot.storage.k8s.io": "0",
		}}})), nil
}

func restrictedNamespace(_ objects.Params, objs list) (list, error) {
	namespace := fromFields("v1", "Namespace", "", restrictedNamespaceName, map[string]any{})
	namespace.SetLabels(map[string]string{"pod-security.kubernetes.io/enforce": "restricted"})
	return add(objs, namespace,
		fromFields("v1", "LimitRange", restrictedNamespaceName, "storage", map[string]any{"spec": map[string]any{"limits": []any{
			map[string]any{"type": "PersistentVolumeClaim", "min": map[string]any{"storage": "10Gi"}},
			map[string]any{"type": "Container", "default": map[string]any{"memory": "64Mi"}, "max": map[string]any{"memory": "128Mi"}},
		}}})), nil
}

func policy(_ objects.Params, objs list) (list, error) {
	return add(objs,
		fromFields("v1", "Namespace", "", policyNamespace, map[string]any{}),
		fromFields("admissionregistration.k8s.io/v1", "ValidatingAdmissionPolicy", "", policyName, map[string]any{"spec": map[string]any{
			"failurePolicy": "Fail",
			"matchConstraints": map[string]any{"resourceRules": []any{map[string]any{
				"apiGroups": []any{snapshotGroup}, "apiVersions": []any{"*"}, "operations": []any{"CREATE"}, "resources": []any{"volumesnapshots"},
			}}},
			"validations": []any{map[string]any{"expression": "false", "message": policyMessage}},
		}}),
		fromFields("admissionregistration.k8s.io/v1", "ValidatingAdmissionPolicyBinding", "", policyName, map[string]any{"spec": map[string]any{
			"policyName": policyName, "validationActions": []any{"Deny"},
			"matchResources": map[string]any{"namespaceSelector": map[string]any{"matchLabels": map[string]any{"kubernetes.io/metadata.name": policyNamespace}}},
		}})), nil
}

// webhookDown leaves the webhook of external-snapshotter 6.0 to 8.1 behind without its Service. The rules name the
// objects that users and controllers write, not the classes, which must remain applicable here.
func webhookDown(_ objects.Params, objs list) (list, error) {
	const name = "validation-webhook.snapshot.storage.k8s.io"
	return add(objs, fromFields("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration", "", name, map[string]any{
		"webhooks": []any{map[string]any{
			"name": name, "failurePolicy": "Fail", "sideEffects": "None", "timeoutSeconds": int64(2), "admissionReviewVersions": []any{"v1"},
			"clientConfig": map[string]any{"service": map[string]any{"namespace": "kube-system", "name": "snapshot-validation-service", "path": "/volumesnapshot"}},
			"rules": []any{map[string]any{
				"apiGroups": []any{snapshotGroup}, "apiVersions": []any{"v1"}, "operations": []any{"CREATE", "UPDATE"},
				"resources": []any{"volumesnapshots", "volumesnapshotcontents"},
			}},
		}},
	})), nil
}

func volumeSnapshotIn(namespace string) *unstructured.Unstructured {
	return fromFields(snapshotGroup+"/v1", "VolumeSnapshot", namespace, "asked-for-by-the-break-kit", map[string]any{
		"spec": map[string]any{"source": map[string]any{"persistentVolumeClaimName": "none"}},
	})
}

func rootPodIn(namespace string) *unstructured.Unstructured {
	return fromFields("v1", "Pod", namespace, "asked-for-by-the-break-kit", map[string]any{
		"spec": map[string]any{"containers": []any{map[string]any{"name": "root", "image": "none"}}},
	})
}
