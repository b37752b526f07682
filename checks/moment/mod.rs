//! What is known while a step of a snapshot or a restore waits, and the words in which rules explain it.

mod advice;
mod commands;
mod explanation;
pub(crate) mod grpc;

pub use advice::Advice;
pub(crate) use commands::{restart_controller, with_controller_log, with_sidecar_log};
pub use explanation::{Explanation, line};

use std::time::Duration;

use crate::model::chain::{Chain, Event};
use crate::model::facts::Facts;
use crate::model::finding::Evidence;
use crate::model::kubernetes::{Pod, VolumeSnapshotClass, VolumeSnapshotContent};
use crate::model::look_again::Earlier;
use crate::model::object::Kind;
use crate::model::round_trip::{Origin, StepId, VolumeMode};
use crate::model::volumes::{PersistentVolumeClaim, VolumeSnapshot};

/// What is asked for: a volume, and a snapshot of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// What results are about, stable from run to run.
    pub label: String,
    /// The `StorageClass` of source and restored volume.
    pub storage_class: String,
    /// Its provisioner; `None` if it could not be seen.
    pub driver: Option<String>,
    /// The `VolumeSnapshotClass`; `None` if the cluster's default has to do.
    pub snapshot_class: Option<String>,
    /// The volume mode.
    pub volume_mode: VolumeMode,
    /// What the volume is made from that is compared with its source.
    pub origin: Origin,
}

impl Subject {
    /// The driver in a sentence: `driver x`.
    pub(crate) fn driver_in_words(&self) -> String {
        match &self.driver {
            Some(driver) => format!("driver {driver}"),
            None => "the StorageClass's driver".to_owned(),
        }
    }
}

/// Everything that was seen while a step waits.
#[derive(Debug, Clone, Copy)]
pub struct Moment<'a> {
    /// The step.
    pub step: StepId,
    /// Since the step began.
    pub elapsed: Duration,
    /// Since the step's pod was first seen.
    pub pod_elapsed: Duration,
    /// The cluster, as it was last read.
    pub facts: &'a Facts,
    /// Its control plane in the look before that; `None` if the cluster was read once.
    pub earlier: Option<&'a Earlier>,
    /// What is asked for.
    pub subject: &'a Subject,
    /// The step's objects.
    pub chain: &'a Chain,
    /// Events about them, and about other objects of the namespace, oldest first.
    pub events: &'a [Event],
}

impl<'a> Moment<'a> {
    pub(crate) fn claim(&self) -> Option<&'a PersistentVolumeClaim> {
        self.chain.claim.as_ref()
    }

    /// The claim, unless it is bound.
    pub(crate) fn unbound_claim(&self) -> Option<&'a PersistentVolumeClaim> {
        self.claim().filter(|claim| claim.status.phase != "Bound")
    }

    pub(crate) fn has_bound_claim(&self) -> bool {
        self.claim().is_some_and(|claim| claim.status.phase == "Bound")
    }

    pub(crate) fn pod(&self) -> Option<&'a Pod> {
        self.chain.pod.as_ref()
    }

    /// The kind of the snapshot.
    pub(crate) fn snapshot_kind(&self) -> &'static str {
        let kind = if self.chain.is_group { Kind::VOLUME_GROUP_SNAPSHOT } else { Kind::VOLUME_SNAPSHOT };
        kind.name
    }

    /// The snapshot, unless it is ready.
    pub(crate) fn waiting_snapshot(&self) -> Option<&'a VolumeSnapshot> {
        self.volume_snapshot().filter(|snapshot| snapshot.status.ready_to_use != Some(true))
    }

    pub(crate) fn volume_snapshot(&self) -> Option<&'a VolumeSnapshot> {
        self.chain.volume_snapshot.as_ref()
    }

    pub(crate) fn volume_snapshot_content(&self) -> Option<&'a VolumeSnapshotContent> {
        self.chain.volume_snapshot_content.as_ref()
    }

    pub(crate) fn snapshot_classes(&self) -> &'a [VolumeSnapshotClass] {
        self.facts.volume_snapshot_classes.seen().map(Vec::as_slice).unwrap_or_default()
    }

    /// Events about an object of a kind, of one of some reasons.
    fn events_of(&self, kind: &'a str, reasons: &'a [&'a str]) -> impl Iterator<Item = &'a Event> + use<'a> {
        let events = self.events;
        events
            .iter()
            .filter(move |event| event.involved_object.kind == kind && reasons.contains(&event.reason.as_str()))
    }

    /// Events about the step's own claim. Those about the other claim are of another step.
    pub(crate) fn claim_events(&self, reasons: &'a [&'a str]) -> impl Iterator<Item = &'a Event> + use<'a> {
        let name = self.claim().map(|claim| claim.metadata.name.as_str());
        self.events_of("PersistentVolumeClaim", reasons)
            .filter(move |event| name.is_none_or(|name| name == event.involved_object.name))
    }

    /// Events about the step's own pod.
    pub(crate) fn pod_events(&self, reasons: &'a [&'a str]) -> impl Iterator<Item = &'a Event> + use<'a> {
        let name = self.pod().map(|pod| pod.metadata.name.as_str());
        self.events_of("Pod", reasons).filter(move |event| name.is_none_or(|name| name == event.involved_object.name))
    }

    /// The last three warnings.
    pub(crate) fn warnings(&self) -> impl Iterator<Item = Evidence> {
        self.events.iter().rev().filter(|event| event.warns()).take(3).map(|event| self.event_evidence(event))
    }

    /// The name of the objects' namespace.
    pub(crate) fn namespace(&self) -> &'a str {
        let claim = self.claim().map(|claim| &claim.metadata);
        let snapshot = self.volume_snapshot().map(|snapshot| &snapshot.metadata);
        let pod = self.pod().map(|pod| &pod.metadata);
        let mut all = [claim, snapshot, pod].into_iter().flatten();
        all.find_map(|metadata| metadata.namespace.as_deref()).unwrap_or_default()
    }

    pub(crate) fn event_evidence(&self, event: &Event) -> Evidence {
        let times = if event.times() > 1 { format!(" ×{}", event.times()) } else { String::new() };
        let path = format!("event {}{times}", line(&event.reason, 60));
        let object = &event.involved_object;
        if object.kind == "VolumeSnapshotContent" {
            return Evidence::cluster(&object.kind, &object.name, &path, event.message.as_str());
        }
        Evidence::namespaced(&object.kind, self.namespace(), &object.name, &path, event.message.as_str())
    }
}

/// How often some events were seen in all.
pub(crate) fn times<'a>(events: impl IntoIterator<Item = &'a Event>) -> u64 {
    events.into_iter().fold(0, |sum: u64, event| sum.saturating_add(event.times()))
}
