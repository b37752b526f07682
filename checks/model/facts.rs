//! Everything that was seen of a cluster, as plain data with the time at which it was seen.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::kubernetes::{
    CsiDriver, CsiNode, CustomResourceDefinition, Lease, Pod, ServerVersion, StorageClass, VolumeSnapshotClass,
    VolumeSnapshotContent, Workload,
};
use crate::model::need::{Need, Rule};
use crate::model::probe::{Missing, Probe};

/// What was seen of a cluster. A field that was not looked at is [`Probe::NotCollected`].
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Facts {
    /// When collection began. Ages of leases and of objects are measured against it, never against a clock.
    pub collected_at: Timestamp,
    /// See [`Need::ServerVersion`].
    pub server_version: Probe<ServerVersion>,
    /// See [`Need::SnapshotApis`].
    pub snapshot_apis: Probe<SnapshotApis>,
    /// See [`Need::CustomResourceDefinitions`]. One that does not exist is left out.
    pub custom_resource_definitions: Probe<Vec<CustomResourceDefinition>>,
    /// See [`Need::StorageClasses`].
    pub storage_classes: Probe<Vec<StorageClass>>,
    /// See [`Need::VolumeSnapshotClasses`].
    pub volume_snapshot_classes: Probe<Vec<VolumeSnapshotClass>>,
    /// See [`Need::VolumeSnapshotContents`].
    pub volume_snapshot_contents: Probe<Vec<VolumeSnapshotContent>>,
    /// See [`Need::CsiDrivers`].
    pub csi_drivers: Probe<Vec<CsiDriver>>,
    /// See [`Need::CsiNodes`].
    pub csi_nodes: Probe<Vec<CsiNode>>,
    /// See [`Need::Pods`].
    pub pods: Probe<Vec<Pod>>,
    /// See [`Need::Workloads`].
    pub workloads: Probe<Vec<Workload>>,
    /// See [`Need::Leases`].
    pub leases: Probe<Vec<Lease>>,
    /// See [`Need::ClassSecrets`].
    pub class_secrets: Probe<Vec<SecretExistence>>,
    /// See [`Need::RoundTripAccess`].
    pub round_trip_access: Probe<Vec<AccessReview>>,
    /// See [`Need::SecurityContextConstraints`].
    pub security_context_constraints: Probe<bool>,
}

impl Facts {
    /// Why a need could not be met; `None` if it was.
    #[must_use]
    pub fn missing(&self, need: Need) -> Option<Missing> {
        match need {
            Need::ServerVersion => self.server_version.missing(),
            Need::SnapshotApis => self.snapshot_apis.missing(),
            Need::CustomResourceDefinitions => self.custom_resource_definitions.missing(),
            Need::StorageClasses => self.storage_classes.missing(),
            Need::VolumeSnapshotClasses => self.volume_snapshot_classes.missing(),
            Need::VolumeSnapshotContents => self.volume_snapshot_contents.missing(),
            Need::CsiDrivers => self.csi_drivers.missing(),
            Need::CsiNodes => self.csi_nodes.missing(),
            Need::Pods => self.pods.missing(),
            Need::Workloads => self.workloads.missing(),
            Need::Leases => self.leases.missing(),
            Need::ClassSecrets => self.class_secrets.missing(),
            Need::RoundTripAccess => self.round_trip_access.missing(),
            Need::SecurityContextConstraints => self.security_context_constraints.missing(),
        }
    }
}

/// The versions in which the API server serves the snapshot API groups: group name to versions, preferred one first.
/// A group that is not served is not in the map.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct SnapshotApis(pub BTreeMap<String, Vec<String>>);

/// Whether a secret exists.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SecretExistence {
    /// The secret's namespace.
    pub namespace: String,
    /// The secret's name.
    pub name: String,
    /// Whether it exists, or why that could not be seen.
    pub exists: Probe<bool>,
}

/// The API server's answer to "may I?".
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AccessReview {
    /// What was asked for; one verb.
    pub rule: Rule,
    /// The namespace that it was asked for; `None` for all namespaces and for cluster-scoped resources.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// The answer.
    pub allowed: bool,
}
