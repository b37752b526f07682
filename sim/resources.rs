//! The kinds of objects that the embedded cluster knows. What is served of the snapshot groups, CRDs decide.

use std::fmt;

/// A kind of objects. The order of fields is the order of the store.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Definition {
    pub(super) group: &'static str,
    pub(super) plural: &'static str,
    pub(super) kind: &'static str,
    pub(super) singular: &'static str,
    pub(super) namespaced: bool,
    /// Version of built-in kinds; the one that controllers speak for kinds that come with a CRD.
    pub(super) version: &'static str,
    /// Whether a CRD has to be there, and says which versions are served.
    pub(super) custom: bool,
    /// Whether it has the subresource `status`.
    pub(super) status: bool,
    pub(super) short_names: &'static [&'static str],
}

/// A kind of objects.
pub(super) type Resource = &'static Definition;

impl Definition {
    const fn new(
        group: &'static str,
        version: &'static str,
        kind: &'static str,
        plural: &'static str,
        singular: &'static str,
    ) -> Self {
        Self {
            group,
            plural,
            kind,
            singular,
            namespaced: true,
            version,
            custom: false,
            status: false,
            short_names: &[],
        }
    }

    const fn cluster_scoped(mut self) -> Self {
        self.namespaced = false;
        self
    }

    const fn with_status(mut self) -> Self {
        self.status = true;
        self
    }

    const fn short(mut self, names: &'static [&'static str]) -> Self {
        self.short_names = names;
        self
    }

    const fn custom(mut self) -> Self {
        self.custom = true;
        self
    }

    /// `v1`, `apps/v1`.
    pub(super) fn api_version(&self, version: &str) -> String {
        if self.group.is_empty() { version.to_owned() } else { format!("{}/{version}", self.group) }
    }

    /// `pods`, `leases.coordination.k8s.io`.
    pub(super) fn qualified(&self) -> String {
        if self.group.is_empty() { self.plural.to_owned() } else { format!("{}.{}", self.plural, self.group) }
    }
}

impl fmt::Display for Definition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.qualified())
    }
}

pub(super) const SNAPSHOT_GROUP: &str = "snapshot.storage.k8s.io";
const GROUP_SNAPSHOT_GROUP: &str = "groupsnapshot.storage.k8s.io";

pub(super) static NAMESPACES: Definition =
    Definition::new("", "v1", "Namespace", "namespaces", "namespace").cluster_scoped().with_status().short(&["ns"]);
pub(super) static NODES: Definition =
    Definition::new("", "v1", "Node", "nodes", "node").cluster_scoped().with_status().short(&["no"]);
pub(super) static PODS: Definition = Definition::new("", "v1", "Pod", "pods", "pod").with_status().short(&["po"]);
pub(super) static CLAIMS: Definition =
    Definition::new("", "v1", "PersistentVolumeClaim", "persistentvolumeclaims", "persistentvolumeclaim")
        .with_status()
        .short(&["pvc"]);
pub(super) static VOLUMES: Definition =
    Definition::new("", "v1", "PersistentVolume", "persistentvolumes", "persistentvolume")
        .cluster_scoped()
        .with_status()
        .short(&["pv"]);
pub(super) static EVENTS: Definition = Definition::new("", "v1", "Event", "events", "event").short(&["ev"]);
pub(super) static SECRETS: Definition = Definition::new("", "v1", "Secret", "secrets", "secret");
pub(super) static CONFIG_MAPS: Definition =
    Definition::new("", "v1", "ConfigMap", "configmaps", "configmap").short(&["cm"]);
pub(super) static SERVICE_ACCOUNTS: Definition =
    Definition::new("", "v1", "ServiceAccount", "serviceaccounts", "serviceaccount").short(&["sa"]);
pub(super) static RESOURCE_QUOTAS: Definition =
    Definition::new("", "v1", "ResourceQuota", "resourcequotas", "resourcequota").with_status().short(&["quota"]);
pub(super) static DEPLOYMENTS: Definition =
    Definition::new("apps", "v1", "Deployment", "deployments", "deployment").with_status().short(&["deploy"]);
pub(super) static STATEFUL_SETS: Definition =
    Definition::new("apps", "v1", "StatefulSet", "statefulsets", "statefulset").with_status().short(&["sts"]);
pub(super) static DAEMON_SETS: Definition =
    Definition::new("apps", "v1", "DaemonSet", "daemonsets", "daemonset").with_status().short(&["ds"]);
pub(super) static LEASES: Definition = Definition::new("coordination.k8s.io", "v1", "Lease", "leases", "lease");
pub(super) static STORAGE_CLASSES: Definition =
    Definition::new("storage.k8s.io", "v1", "StorageClass", "storageclasses", "storageclass")
        .cluster_scoped()
        .short(&["sc"]);
pub(super) static CSI_DRIVERS: Definition =
    Definition::new("storage.k8s.io", "v1", "CSIDriver", "csidrivers", "csidriver").cluster_scoped();
pub(super) static CSI_NODES: Definition =
    Definition::new("storage.k8s.io", "v1", "CSINode", "csinodes", "csinode").cluster_scoped();
static SERVICES: Definition = Definition::new("", "v1", "Service", "services", "service").with_status().short(&["svc"]);
static ENDPOINT_SLICES: Definition =
    Definition::new("discovery.k8s.io", "v1", "EndpointSlice", "endpointslices", "endpointslice");
pub(super) static VALIDATING_WEBHOOKS: Definition = Definition::new(
    "admissionregistration.k8s.io",
    "v1",
    "ValidatingWebhookConfiguration",
    "validatingwebhookconfigurations",
    "validatingwebhookconfiguration",
)
.cluster_scoped();
static MUTATING_WEBHOOKS: Definition = Definition::new(
    "admissionregistration.k8s.io",
    "v1",
    "MutatingWebhookConfiguration",
    "mutatingwebhookconfigurations",
    "mutatingwebhookconfiguration",
)
.cluster_scoped();
static API_SERVICES: Definition =
    Definition::new("apiregistration.k8s.io", "v1", "APIService", "apiservices", "apiservice")
        .cluster_scoped()
        .with_status();
pub(super) static CLUSTER_ROLES: Definition =
    Definition::new("rbac.authorization.k8s.io", "v1", "ClusterRole", "clusterroles", "clusterrole").cluster_scoped();
pub(super) static ROLES: Definition = Definition::new("rbac.authorization.k8s.io", "v1", "Role", "roles", "role");
pub(super) static CLUSTER_ROLE_BINDINGS: Definition = Definition::new(
    "rbac.authorization.k8s.io",
    "v1",
    "ClusterRoleBinding",
    "clusterrolebindings",
    "clusterrolebinding",
)
.cluster_scoped();
pub(super) static ROLE_BINDINGS: Definition =
    Definition::new("rbac.authorization.k8s.io", "v1", "RoleBinding", "rolebindings", "rolebinding");
pub(super) static CRDS: Definition = Definition::new(
    "apiextensions.k8s.io",
    "v1",
    "CustomResourceDefinition",
    "customresourcedefinitions",
    "customresourcedefinition",
)
.cluster_scoped()
.with_status()
.short(&["crd", "crds"]);
pub(super) static SNAPSHOTS: Definition =
    Definition::new(SNAPSHOT_GROUP, "v1", "VolumeSnapshot", "volumesnapshots", "volumesnapshot")
        .custom()
        .with_status()
        .short(&["vs"]);
pub(super) static CONTENTS: Definition =
    Definition::new(SNAPSHOT_GROUP, "v1", "VolumeSnapshotContent", "volumesnapshotcontents", "volumesnapshotcontent")
        .cluster_scoped()
        .custom()
        .with_status()
        .short(&["vsc", "vscs"]);
pub(super) static SNAPSHOT_CLASSES: Definition =
    Definition::new(SNAPSHOT_GROUP, "v1", "VolumeSnapshotClass", "volumesnapshotclasses", "volumesnapshotclass")
        .cluster_scoped()
        .custom()
        .short(&["vsclass", "vsclasses"]);
pub(super) static GROUP_SNAPSHOTS: Definition =
    Definition::new(GROUP_SNAPSHOT_GROUP, "v1", "VolumeGroupSnapshot", "volumegroupsnapshots", "volumegroupsnapshot")
        .custom()
        .with_status()
        .short(&["vgs"]);
pub(super) static GROUP_CONTENTS: Definition = Definition::new(
    GROUP_SNAPSHOT_GROUP,
    "v1",
    "VolumeGroupSnapshotContent",
    "volumegroupsnapshotcontents",
    "volumegroupsnapshotcontent",
)
.cluster_scoped()
.custom()
.with_status()
.short(&["vgsc", "vgscs"]);
pub(super) static GROUP_CLASSES: Definition = Definition::new(
    GROUP_SNAPSHOT_GROUP,
    "v1",
    "VolumeGroupSnapshotClass",
    "volumegroupsnapshotclasses",
    "volumegroupsnapshotclass",
)
.cluster_scoped()
.custom()
.short(&["vgsclass", "vgsclasses"]);

/// All kinds, in the order in which discovery shows them.
pub(super) static ALL: [Resource; 33] = [
    &NAMESPACES,
    &NODES,
    &PODS,
    &CLAIMS,
    &VOLUMES,
    &EVENTS,
    &SECRETS,
    &CONFIG_MAPS,
    &SERVICE_ACCOUNTS,
    &RESOURCE_QUOTAS,
    &DEPLOYMENTS,
    &STATEFUL_SETS,
    &DAEMON_SETS,
    &LEASES,
    &STORAGE_CLASSES,
    &CSI_DRIVERS,
    &CSI_NODES,
    &SERVICES,
    &ENDPOINT_SLICES,
    &VALIDATING_WEBHOOKS,
    &MUTATING_WEBHOOKS,
    &API_SERVICES,
    &CLUSTER_ROLES,
    &ROLES,
    &CLUSTER_ROLE_BINDINGS,
    &ROLE_BINDINGS,
    &CRDS,
    &SNAPSHOTS,
    &CONTENTS,
    &SNAPSHOT_CLASSES,
    &GROUP_SNAPSHOTS,
    &GROUP_CONTENTS,
    &GROUP_CLASSES,
];

/// The kind with that group and plural.
pub(super) fn find(group: &str, plural: &str) -> Option<Resource> {
    ALL.into_iter().find(|definition| definition.group == group && definition.plural == plural)
}
