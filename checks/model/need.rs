//! What can be looked for in a cluster. A check names what it needs; collection, RBAC and documentation follow from it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An RBAC rule: the right to do some things with one resource.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Rule {
    /// API group; empty for the core group.
    pub group: String,
    /// Resource in the plural, as in RBAC.
    pub resource: String,
    /// Verbs, in lower case.
    pub verbs: Vec<String>,
    /// Object names, if the right can be limited to them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<String>,
}

impl Rule {
    /// A rule for all objects of a resource.
    #[must_use]
    pub fn new(group: &str, resource: &str, verbs: &[&str]) -> Self {
        Self {
            group: group.to_owned(),
            resource: resource.to_owned(),
            verbs: verbs.iter().map(|verb| (*verb).to_owned()).collect(),
            names: Vec::new(),
        }
    }

    /// The resource with its group, as kubectl writes it: `volumesnapshots.snapshot.storage.k8s.io`, `pods`.
    #[must_use]
    pub fn qualified_resource(&self) -> String {
        if self.group.is_empty() { self.resource.clone() } else { format!("{}.{}", self.resource, self.group) }
    }
}

impl std::fmt::Display for Rule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.verbs.join(","), self.qualified_resource())
    }
}

/// One kind of fact, as it is collected in one go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Need {
    /// The API server's version.
    ServerVersion,
    /// The versions in which the two snapshot API groups are served.
    SnapshotApis,
    /// The six CRDs of the two snapshot API groups.
    CustomResourceDefinitions,
    /// All `StorageClasses`.
    StorageClasses,
    /// All `VolumeSnapshotClasses`.
    VolumeSnapshotClasses,
    /// All `VolumeSnapshotContents`.
    VolumeSnapshotContents,
    /// All `CSIDrivers`.
    CsiDrivers,
    /// All `CSINodes`.
    CsiNodes,
    /// The pods of all namespaces that run a snapshot controller or a CSI sidecar.
    Pods,
    /// The workloads (Deployments, `StatefulSets`, `DaemonSets`) that run a snapshot controller or a CSI sidecar.
    Workloads,
    /// The leases of snapshot controllers and CSI sidecars.
    Leases,
    /// Whether the secrets exist that `VolumeSnapshotClasses` name; their content is never read.
    ClassSecrets,
    /// Whether the caller may do what a round trip does.
    RoundTripAccess,
    /// Whether `OpenShift`'s `SecurityContextConstraints` are served, which assign the users of pods.
    SecurityContextConstraints,
}

impl Need {
    /// All needs, in the order in which they are shown.
    pub const ALL: [Self; 14] = [
        Self::ServerVersion,
        Self::SnapshotApis,
        Self::CustomResourceDefinitions,
        Self::StorageClasses,
        Self::VolumeSnapshotClasses,
        Self::VolumeSnapshotContents,
        Self::CsiDrivers,
        Self::CsiNodes,
        Self::Pods,
        Self::Workloads,
        Self::Leases,
        Self::ClassSecrets,
        Self::RoundTripAccess,
        Self::SecurityContextConstraints,
    ];

    /// The rights that looking takes. Discovery and access reviews are everybody's.
    #[must_use]
    pub fn rules(self) -> Vec<Rule> {
        const SNAPSHOT: &str = "snapshot.storage.k8s.io";
        let list = |group, resource| Rule::new(group, resource, &["list"]);
        match self {
            // Discovery and access reviews are everybody's. That a class's secret exists is asked for as metadata only;
            // which secrets, only the classes tell, so a rule that allows it for all secrets is not proposed: without
            // the right the answer is unknown.
            Self::ServerVersion
            | Self::SnapshotApis
            | Self::RoundTripAccess
            | Self::ClassSecrets
            | Self::SecurityContextConstraints => Vec::new(),
            Self::CustomResourceDefinitions => vec![Rule {
                names: CRD_NAMES.iter().map(|name| (*name).to_owned()).collect(),
                ..Rule::new("apiextensions.k8s.io", "customresourcedefinitions", &["get"])
            }],
            Self::StorageClasses => vec![list("storage.k8s.io", "storageclasses")],
            Self::VolumeSnapshotClasses => vec![list(SNAPSHOT, "volumesnapshotclasses")],
            Self::VolumeSnapshotContents => vec![list(SNAPSHOT, "volumesnapshotcontents")],
            Self::CsiDrivers => vec![list("storage.k8s.io", "csidrivers")],
            Self::CsiNodes => vec![list("storage.k8s.io", "csinodes")],
            Self::Pods => vec![list("", "pods")],
            Self::Workloads => {
                vec![list("apps", "deployments"), list("apps", "statefulsets"), list("apps", "daemonsets")]
            }
            Self::Leases => vec![list("coordination.k8s.io", "leases")],
        }
    }
}

/// The CRDs of upstream's two snapshot API groups.
pub const CRD_NAMES: [&str; 6] = [
    "volumesnapshotclasses.snapshot.storage.k8s.io",
    "volumesnapshotcontents.snapshot.storage.k8s.io",
    "volumesnapshots.snapshot.storage.k8s.io",
    "volumegroupsnapshotclasses.groupsnapshot.storage.k8s.io",
    "volumegroupsnapshotcontents.groupsnapshot.storage.k8s.io",
    "volumegroupsnapshots.groupsnapshot.storage.k8s.io",
];
