//! Kubernetes objects, cut down to the fields that checks read. The names are Kubernetes' own, so that a list from the
//! API server, a file of a bundle and a hand-written case are read by the same code; what is not named here is dropped
//! while reading, and memory does not grow with it.

mod pods;
mod written;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use crate::model::kubernetes::pods::{
    ClaimName, Container, ContainerRunning, ContainerState, ContainerStatus, ContainerTerminated, ContainerWaiting,
    EnvironmentVariable, HostPath, Node, NodeInfo, NodeSpec, NodeStatus, Pod, PodSpec, PodStatus, PodTemplate, Taint,
    Volume, VolumeMount, Workload, WorkloadSpec, WorkloadStatus,
};
use crate::model::webhooks::ServiceReference;

/// Labels or annotations.
pub type StringMap = BTreeMap<String, String>;

/// Object metadata.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Metadata {
    /// Name.
    pub name: String,
    /// UID.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub uid: String,
    /// Namespace; `None` for cluster-scoped objects.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Labels.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: StringMap,
    /// Annotations.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: StringMap,
    /// When it was created.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub creation_timestamp: Option<Timestamp>,
    /// When its deletion was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deletion_timestamp: Option<Timestamp>,
    /// Finalizers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub finalizers: Vec<String>,
    /// Owners.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub owner_references: Vec<OwnerReference>,
    /// When its status was last written; only of kinds of which somebody reads it.
    #[serde(rename = "managedFields", with = "written", skip_serializing_if = "Option::is_none")]
    pub status_written: Option<Timestamp>,
}

/// An owner of an object.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct OwnerReference {
    /// Kind.
    pub kind: String,
    /// Name.
    pub name: String,
}

/// The API server's version, from `/version`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ServerVersion {
    /// Major number, as text.
    pub major: String,
    /// Minor number, as text; distributions append to it ("33+").
    pub minor: String,
    /// Full version with the distribution's own part: "v1.31.1-eks-1b3e656".
    pub git_version: String,
}

/// A `CustomResourceDefinition`. Its schemas stay as they are: the fingerprint of its release is in them.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct CustomResourceDefinition {
    /// Metadata.
    pub metadata: Metadata,
    /// `spec`, whole.
    pub spec: serde_json::Value,
    /// `status` without the names.
    pub status: CustomResourceDefinitionStatus,
}

impl CustomResourceDefinition {
    /// The service that converts its objects between versions, if one does.
    #[must_use]
    pub fn conversion_service(&self) -> Option<ServiceReference> {
        let service = self.spec.pointer("/conversion/webhook/clientConfig/service")?;
        let text = |field: &str| Some(service.get(field)?.as_str()?.to_owned());
        Some(ServiceReference { namespace: text("namespace")?, name: text("name")? })
    }
}

/// Status of a `CustomResourceDefinition`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct CustomResourceDefinitionStatus {
    /// Conditions; `Established` is the one that counts.
    pub conditions: Vec<Condition>,
    /// Versions in which objects may lie in etcd.
    pub stored_versions: Vec<String>,
}

/// A condition in a status.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Condition {
    /// Type.
    #[serde(rename = "type")]
    pub kind: String,
    /// "True", "False" or "Unknown".
    pub status: String,
    /// Reason in one word.
    pub reason: String,
    /// Text for people.
    pub message: String,
}

/// A `StorageClass`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct StorageClass {
    /// Metadata.
    pub metadata: Metadata,
    /// Driver name.
    pub provisioner: String,
    /// Parameters for the driver.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub parameters: StringMap,
    /// "Delete" or "Retain"; the API server sets it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reclaim_policy: Option<String>,
    /// Whether its volumes may be expanded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allow_volume_expansion: Option<bool>,
    /// "Immediate" or "`WaitForFirstConsumer`"; the API server sets it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub volume_binding_mode: Option<String>,
}

/// A `VolumeSnapshotClass`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct VolumeSnapshotClass {
    /// Metadata.
    pub metadata: Metadata,
    /// Driver name.
    pub driver: String,
    /// "Delete" or "Retain".
    pub deletion_policy: String,
    /// Parameters for the sidecar and the driver.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub parameters: StringMap,
}

/// A `VolumeGroupSnapshotClass`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct VolumeGroupSnapshotClass {
    /// Metadata.
    pub metadata: Metadata,
    /// Driver name.
    pub driver: String,
    /// "Delete" or "Retain".
    pub deletion_policy: String,
}

/// A `VolumeSnapshotContent`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct VolumeSnapshotContent {
    /// Metadata.
    pub metadata: Metadata,
    /// Spec.
    pub spec: VolumeSnapshotContentSpec,
    /// Status; empty until a sidecar works on it.
    pub status: VolumeSnapshotContentStatus,
}

/// Spec of a `VolumeSnapshotContent`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct VolumeSnapshotContentSpec {
    /// Driver name.
    pub driver: String,
    /// "Delete" or "Retain".
    pub deletion_policy: String,
    /// Class that it was made with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub volume_snapshot_class_name: Option<String>,
    /// The `VolumeSnapshot` that it belongs to.
    pub volume_snapshot_ref: ObjectReference,
    /// What it is a snapshot of.
    pub source: VolumeSnapshotContentSource,
}

/// What a `VolumeSnapshotContent` is of: one of the two.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct VolumeSnapshotContentSource {
    /// The driver's own name of the volume.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub volume_handle: Option<String>,
    /// The driver's own name of a snapshot that was there before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub snapshot_handle: Option<String>,
}

/// Status of a `VolumeSnapshotContent`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct VolumeSnapshotContentStatus {
    /// The driver's own name of the snapshot.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub snapshot_handle: Option<String>,
    /// Whether it can be restored from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ready_to_use: Option<bool>,
    /// When the storage took it, in nanoseconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub creation_time: Option<i64>,
    /// The size of a volume that it can be restored to, in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub restore_size: Option<i64>,
    /// The last error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<SnapshotError>,
}

/// The last error of a snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct SnapshotError {
    /// When it occurred.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time: Option<Timestamp>,
    /// Text, usually with a gRPC code in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// A reference to another object.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ObjectReference {
    /// Kind.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub kind: String,
    /// Namespace.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub namespace: String,
    /// Name.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// UID.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub uid: String,
}

/// A `CSIDriver`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct CsiDriver {
    /// Metadata; the name is the driver's.
    pub metadata: Metadata,
}

/// A `CSINode`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct CsiNode {
    /// Metadata; the name is the node's.
    pub metadata: Metadata,
    /// Spec.
    pub spec: CsiNodeSpec,
}

impl CsiNode {
    /// Whether a driver has registered with the node.
    #[must_use]
    pub fn has(&self, driver: &str) -> bool {
        self.spec.drivers.iter().any(|known| known.name == driver)
    }
}

/// Spec of a `CSINode`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct CsiNodeSpec {
    /// The drivers that have registered with the node's kubelet.
    pub drivers: Vec<CsiNodeDriver>,
}

/// A driver on a node.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct CsiNodeDriver {
    /// Driver name.
    pub name: String,
    /// The labels of nodes by which its volumes are placed; none if they can be used anywhere.
    #[serde(rename = "topologyKeys", skip_serializing_if = "Vec::is_empty")]
    pub topology_keys: Vec<String>,
}

/// A Lease.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Lease {
    /// Metadata.
    pub metadata: Metadata,
    /// Spec.
    pub spec: LeaseSpec,
    /// For how long nobody has renewed it, in milliseconds by the clock of whoever read it more than once: no field of
    /// Kubernetes'. `None` if it was read once, or has been renewed since.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unrenewed_for_ms: Option<u64>,
}

/// Spec of a Lease.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct LeaseSpec {
    /// Who leads: a pod's name, or a node's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub holder_identity: Option<String>,
    /// How long a renewal counts, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lease_duration_seconds: Option<i64>,
    /// When it was last renewed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub renew_time: Option<Timestamp>,
}
