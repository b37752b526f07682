//! The objects that a snapshot and its restore rest on, from the claim to the driver's answer, and what the cluster says of
//! them.

use serde::{Deserialize, Serialize};

use crate::model::kubernetes::{ObjectReference, Pod, VolumeSnapshotContent};
use crate::model::volumes::{PersistentVolumeClaim, VolumeSnapshot};

/// The annotation that a csi-snapshotter sets on a `VolumeSnapshotContent` before it calls the driver, and removes when the
/// driver's answer is final (external-snapshotter pkg/utils/util.go).
pub const BEING_CREATED: &str = "snapshot.storage.kubernetes.io/volumesnapshot-being-created";

/// The objects of one step, as last seen; `None` is not seen.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Chain {
    /// The claim: the source's, and for a restore the restored one.
    pub claim: Option<PersistentVolumeClaim>,
    /// The pod that uses the claim.
    pub pod: Option<Pod>,
    /// The snapshot.
    pub volume_snapshot: Option<VolumeSnapshot>,
    /// Whether that is the `VolumeGroupSnapshot` of several volumes, as far as the two are alike.
    pub is_group: bool,
    /// The content that it is bound to, if the caller may see it.
    pub volume_snapshot_content: Option<VolumeSnapshotContent>,
    /// The node of the pod that used the source.
    pub source_node: Option<String>,
}

/// An event about an object.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Event {
    /// The object.
    pub involved_object: ObjectReference,
    /// `Normal` or `Warning`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Reason in one word.
    pub reason: String,
    /// Text for people.
    pub message: String,
    /// How often it was seen; 0 where a series counts instead.
    pub count: u64,
    /// The same for components that write events.k8s.io.
    pub series: EventSeries,
    /// Who wrote it.
    pub source: EventSource,
    /// The same for components that write events.k8s.io.
    pub reporting_component: String,
}

/// How often an event of events.k8s.io was seen.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct EventSeries {
    /// How often.
    pub count: u64,
}

/// Who wrote an event.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct EventSource {
    /// The component: `snapshot-controller`, `csi-snapshotter DRIVER`, …
    pub component: String,
}

impl Event {
    /// How often it was seen.
    #[must_use]
    pub fn times(&self) -> u64 {
        self.count.max(self.series.count).max(1)
    }

    /// Whether it warns.
    #[must_use]
    pub fn warns(&self) -> bool {
        self.kind == "Warning"
    }

    /// Who wrote it.
    #[must_use]
    pub fn component(&self) -> &str {
        if self.source.component.is_empty() { &self.reporting_component } else { &self.source.component }
    }
}
