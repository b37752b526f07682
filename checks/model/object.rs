//! Kinds of objects, and objects by name.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The API group of snapshots.
pub const SNAPSHOT_GROUP: &str = "snapshot.storage.k8s.io";
/// The API group of group snapshots.
pub const GROUP_SNAPSHOT_GROUP: &str = "groupsnapshot.storage.k8s.io";

/// A kind of objects, as the API serves it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Kind {
    /// API group; empty for the core group.
    pub group: &'static str,
    /// Version.
    pub version: &'static str,
    /// Name in the singular, as in manifests.
    pub name: &'static str,
    /// Name in the plural, as in URLs and RBAC rules.
    pub plural: &'static str,
    /// Whether its objects lie in namespaces.
    pub namespaced: bool,
}

macro_rules! kinds {
    ($($constant:ident = $group:expr, $name:literal, $plural:literal, $namespaced:literal;)+) => {
        impl Kind {
            $(
                #[doc = concat!("`", $name, "`.")]
                pub const $constant: Self =
                    Self { group: $group, version: "v1", name: $name, plural: $plural, namespaced: $namespaced };
            )+

            /// All kinds that snapready has to do with.
            pub const ALL: &'static [Self] = &[$(Self::$constant),+];
        }
    };
}

kinds! {
    NAMESPACE = "", "Namespace", "namespaces", false;
    NODE = "", "Node", "nodes", false;
    EVENT = "", "Event", "events", true;
    POD = "", "Pod", "pods", true;
    SECRET = "", "Secret", "secrets", true;
    RESOURCE_QUOTA = "", "ResourceQuota", "resourcequotas", true;
    PERSISTENT_VOLUME = "", "PersistentVolume", "persistentvolumes", false;
    PERSISTENT_VOLUME_CLAIM = "", "PersistentVolumeClaim", "persistentvolumeclaims", true;
    DEPLOYMENT = "apps", "Deployment", "deployments", true;
    STATEFUL_SET = "apps", "StatefulSet", "statefulsets", true;
    DAEMON_SET = "apps", "DaemonSet", "daemonsets", true;
    LEASE = "coordination.k8s.io", "Lease", "leases", true;
    CLUSTER_ROLE = "rbac.authorization.k8s.io", "ClusterRole", "clusterroles", false;
    ROLE = "rbac.authorization.k8s.io", "Role", "roles", true;
    CLUSTER_ROLE_BINDING = "rbac.authorization.k8s.io", "ClusterRoleBinding", "clusterrolebindings", false;
    ROLE_BINDING = "rbac.authorization.k8s.io", "RoleBinding", "rolebindings", true;
    STORAGE_CLASS = "storage.k8s.io", "StorageClass", "storageclasses", false;
    CSI_DRIVER = "storage.k8s.io", "CSIDriver", "csidrivers", false;
    CSI_NODE = "storage.k8s.io", "CSINode", "csinodes", false;
    CUSTOM_RESOURCE_DEFINITION = "apiextensions.k8s.io", "CustomResourceDefinition", "customresourcedefinitions", false;
    SERVICE = "", "Service", "services", true;
    ENDPOINT_SLICE = "discovery.k8s.io", "EndpointSlice", "endpointslices", true;
    VALIDATING_WEBHOOK_CONFIGURATION =
        "admissionregistration.k8s.io", "ValidatingWebhookConfiguration", "validatingwebhookconfigurations", false;
    MUTATING_WEBHOOK_CONFIGURATION =
        "admissionregistration.k8s.io", "MutatingWebhookConfiguration", "mutatingwebhookconfigurations", false;
    API_SERVICE = "apiregistration.k8s.io", "APIService", "apiservices", false;
    VOLUME_SNAPSHOT = SNAPSHOT_GROUP, "VolumeSnapshot", "volumesnapshots", true;
    VOLUME_SNAPSHOT_CLASS = SNAPSHOT_GROUP, "VolumeSnapshotClass", "volumesnapshotclasses", false;
    VOLUME_SNAPSHOT_CONTENT = SNAPSHOT_GROUP, "VolumeSnapshotContent", "volumesnapshotcontents", false;
    VOLUME_GROUP_SNAPSHOT = GROUP_SNAPSHOT_GROUP, "VolumeGroupSnapshot", "volumegroupsnapshots", true;
    VOLUME_GROUP_SNAPSHOT_CLASS = GROUP_SNAPSHOT_GROUP, "VolumeGroupSnapshotClass", "volumegroupsnapshotclasses", false;
    VOLUME_GROUP_SNAPSHOT_CONTENT =
        GROUP_SNAPSHOT_GROUP, "VolumeGroupSnapshotContent", "volumegroupsnapshotcontents", false;
}

impl Kind {
    /// `apiVersion` in manifests: `v1`, `apps/v1`.
    #[must_use]
    pub fn api_version(&self) -> String {
        if self.group.is_empty() { self.version.to_owned() } else { format!("{}/{}", self.group, self.version) }
    }
}

/// An object by name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ObjectName {
    /// Kind.
    pub kind: String,
    /// Namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Name.
    pub name: String,
}

impl fmt::Display for ObjectName {
    /// `PersistentVolumeClaim ns/name`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.namespace {
            Some(namespace) => write!(f, "{} {namespace}/{}", self.kind, self.name),
            None => write!(f, "{} {}", self.kind, self.name),
        }
    }
}
