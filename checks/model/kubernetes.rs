//! Kubernetes objects, cut down to the fields that checks read. The names are Kubernetes' own, so that a list from the
//! API server, a file of a bundle and a hand-written case are read by the same code; what is not named here is dropped
//! while reading, and memory does not grow with it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

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

/// A `Pod`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Pod {
    /// Metadata.
    pub metadata: Metadata,
    /// Spec.
    pub spec: PodSpec,
    /// Status.
    pub status: PodStatus,
}

/// Spec of a `Pod`, and of a workload's template.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PodSpec {
    /// Node that it runs on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node_name: Option<String>,
    /// Whether it uses the node's network: leases are then held under the node's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host_network: Option<bool>,
    /// The account of its pods; `default` if none is set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_account_name: Option<String>,
    /// Containers without the init containers.
    pub containers: Vec<Container>,
    /// Init containers: plugins of some products are copied by them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub init_containers: Vec<Container>,
    /// Volumes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub volumes: Vec<Volume>,
}

/// A container.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Container {
    /// Name.
    pub name: String,
    /// Image as written.
    pub image: String,
    /// Command, if not the image's own.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub command: Vec<String>,
    /// Arguments.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub args: Vec<String>,
    /// Environment. Only literal values are kept, and only of variables that name a driver.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub env: Vec<EnvironmentVariable>,
    /// Where it sees the pod's volumes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub volume_mounts: Vec<VolumeMount>,
}

/// Where a container sees a volume of its pod.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct VolumeMount {
    /// The volume's name.
    pub name: String,
    /// The path in the container.
    pub mount_path: String,
    /// What of the volume is there, if it is not all of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sub_path: Option<String>,
}

/// An environment variable with a literal value.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct EnvironmentVariable {
    /// Name.
    pub name: String,
    /// Value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
}

/// A volume of a pod.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Volume {
    /// Name.
    pub name: String,
    /// A folder of the node: where CSI sockets lie.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host_path: Option<HostPath>,
}

/// A folder of the node.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct HostPath {
    /// Path.
    pub path: String,
}

/// Status of a `Pod`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PodStatus {
    /// Phase.
    pub phase: String,
    /// Why it failed, in one word: `Evicted`, …
    #[serde(skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// The same for people.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub message: String,
    /// `PodScheduled`, `Ready`, …
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
    /// State of each init container.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub init_container_statuses: Vec<ContainerStatus>,
    /// State of each container.
    pub container_statuses: Vec<ContainerStatus>,
}

/// State of a container.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ContainerStatus {
    /// Name.
    pub name: String,
    /// Image, as the runtime names it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub image: String,
    /// Whether it is ready.
    pub ready: bool,
    /// How often it was started again.
    pub restart_count: i64,
    /// What it does now.
    pub state: ContainerState,
    /// How it ended the last time.
    pub last_state: ContainerState,
}

impl ContainerStatus {
    /// How it ended: before it was started again, or now.
    #[must_use]
    pub fn ended(&self) -> Option<&ContainerTerminated> {
        self.last_state.terminated.as_ref().or(self.state.terminated.as_ref())
    }
}

/// A node.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Node {
    /// Metadata.
    pub metadata: Metadata,
    /// Spec.
    pub spec: NodeSpec,
    /// Status.
    pub status: NodeStatus,
}

/// Which pods a node takes.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct NodeSpec {
    /// Whether it takes no new pods.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub unschedulable: bool,
    /// What keeps pods away that do not tolerate it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub taints: Vec<Taint>,
}

/// What keeps pods away from a node.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Taint {
    /// Key.
    pub key: String,
    /// `NoSchedule`, `PreferNoSchedule` or `NoExecute`.
    pub effect: String,
}

/// What a kubelet reports of its node.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct NodeStatus {
    /// `Ready` and others.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
    /// About its system.
    pub node_info: NodeInfo,
}

/// A node's system.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct NodeInfo {
    /// `amd64`, `arm64`, …
    pub architecture: String,
    /// The operating system in words: `Talos (v1.9.1)`, `Ubuntu 24.04.1 LTS`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub os_image: String,
}

/// What a container does, or did.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ContainerState {
    /// It waits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waiting: Option<ContainerWaiting>,
    /// It runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub running: Option<ContainerRunning>,
    /// It ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub terminated: Option<ContainerTerminated>,
}

/// A container that runs.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ContainerRunning {
    /// Since when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Timestamp>,
}

/// Why a container waits.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ContainerWaiting {
    /// Reason: `CrashLoopBackOff`, `ErrImagePull`, …
    pub reason: String,
    /// Text for people.
    pub message: String,
}

/// How a container ended.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ContainerTerminated {
    /// Exit code.
    pub exit_code: i64,
    /// Reason in one word.
    pub reason: String,
    /// What it wrote to its termination log.
    pub message: String,
}

/// A Deployment, `StatefulSet` or `DaemonSet`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Workload {
    /// Kind.
    pub kind: String,
    /// Metadata.
    pub metadata: Metadata,
    /// Spec.
    pub spec: WorkloadSpec,
    /// Status.
    pub status: WorkloadStatus,
}

/// Spec of a workload.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct WorkloadSpec {
    /// Wanted number of pods; a `DaemonSet` has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replicas: Option<i64>,
    /// Template of its pods.
    pub template: PodTemplate,
}

/// Template of pods.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct PodTemplate {
    /// Metadata of the pods.
    pub metadata: Metadata,
    /// Spec of the pods.
    pub spec: PodSpec,
}

/// Status of a workload.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct WorkloadStatus {
    /// Ready pods of a Deployment or `StatefulSet`.
    pub ready_replicas: i64,
    /// Ready pods of a `DaemonSet`.
    pub number_ready: i64,
    /// Wanted pods of a `DaemonSet`.
    pub desired_number_scheduled: i64,
    /// `Available`, `Progressing`, `ReplicaFailure` of a Deployment.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
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
