//! Why a step of a round trip does not go on. A wait ends as soon as its outcome is certain; what may still pass keeps
//! waiting and says for what. Everything here is a function of what was seen: no clock, no cluster.

mod claims;
mod commands;
mod data;
mod dead;
mod grpc;
mod pods;
mod refused;
mod result;
mod snapshots;
mod stuck;
#[cfg(test)]
mod tests;
mod timeout;

use std::time::Duration;

use serde_json::Value;
use snapready_checks::model::facts::Facts;
use snapready_checks::model::finding::Evidence;
use snapready_checks::model::look_again::Earlier;

pub use data::{data_result, unreadable_result, write_result};
pub use refused::refused;
pub use result::RoundTripCheck;
pub use stuck::{StuckObject, stuck, vanished};
pub use timeout::timed_out;

use crate::model::{CheckResult, ObjectName, StepId};
use crate::roundtrip::plan::Target;
pub(crate) use result::line;

/// Everything that was seen while a step waits. Objects are as last seen; `None` is not seen.
#[derive(Debug, Clone, Copy)]
pub struct Observation<'a> {
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
    /// The round trip.
    pub target: &'a Target,
    /// The step's claim: the source's, and the restored one from `restore` on.
    pub claim: Option<&'a Value>,
    /// The step's pod: the writer, and the reader from `restore` on; before it is made, the one for which the claim is bound.
    pub pod: Option<&'a Value>,
    /// The `VolumeSnapshot`.
    pub volume_snapshot: Option<&'a Value>,
    /// The `VolumeSnapshotContent` that it is bound to, if the caller may see it.
    pub volume_snapshot_content: Option<&'a Value>,
    /// Events about the run's objects.
    pub events: &'a [SeenEvent],
}

/// An event about an object of the run.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SeenEvent {
    /// The object's kind.
    pub kind: String,
    /// The object's name.
    pub name: String,
    /// `Normal` or `Warning`.
    pub event_type: String,
    /// Reason in one word.
    pub reason: String,
    /// Text.
    pub message: String,
    /// How often it was seen; 0 counts as once.
    pub count: u64,
    /// The component that wrote it.
    pub component: String,
}

/// Whether a wait goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Diagnosis {
    /// It may still come.
    Waiting {
        /// What has to come.
        waiting_for: String,
        /// What was last seen.
        last_seen: String,
    },
    /// It will not come, for certain.
    Certain(Box<CheckResult>),
}

/// Whether a step may still get on.
#[must_use]
pub fn diagnose(observation: &Observation<'_>) -> Diagnosis {
    if let Some(result) = certain(observation) {
        return Diagnosis::Certain(Box::new(result));
    }
    let (waiting_for, last_seen) = timeout::waiting(observation);
    Diagnosis::Waiting { waiting_for, last_seen }
}

/// Why a round trip will fail, if that is certain before anything is made.
#[must_use]
pub fn foreseen(facts: &Facts, target: &Target) -> Option<CheckResult> {
    snapshots::foreseen(facts, target)
}

fn certain(observation: &Observation<'_>) -> Option<CheckResult> {
    match observation.step {
        StepId::Admission | StepId::Cleanup => None,
        StepId::Provision | StepId::Restore => claims::certain(observation).or_else(|| pods::certain(observation)),
        StepId::Write | StepId::Overwrite | StepId::Verify => pods::certain(observation),
        StepId::Snapshot => pods::let_go(observation).or_else(|| snapshots::certain(observation)),
    }
}

impl Observation<'_> {
    /// Events about an object of a kind, of one of some reasons.
    fn events_of<'e>(&'e self, kind: &'e str, reasons: &'e [&'e str]) -> impl Iterator<Item = &'e SeenEvent> {
        self.events.iter().filter(move |event| event.kind == kind && reasons.contains(&event.reason.as_str()))
    }

    /// Warnings about the step's own claim. Those about the other claim are of another step.
    fn claim_events<'e>(&'e self, reasons: &'e [&'e str]) -> impl Iterator<Item = &'e SeenEvent> {
        let name = self.claim.and_then(|claim| text(claim, "/metadata/name"));
        self.events_of("PersistentVolumeClaim", reasons).filter(move |event| name.is_none_or(|name| name == event.name))
    }

    /// Events about the step's own pod.
    fn pod_events<'e>(&'e self, reasons: &'e [&'e str]) -> impl Iterator<Item = &'e SeenEvent> {
        let name = self.pod.and_then(|pod| text(pod, "/metadata/name"));
        self.events_of("Pod", reasons).filter(move |event| name.is_none_or(|name| name == event.name))
    }

    /// The namespace's name, for commands.
    fn namespace_name(&self) -> String {
        let from_object = |object: Option<&Value>| {
            object.and_then(|object| text(object, "/metadata/namespace")).map(ToOwned::to_owned)
        };
        from_object(self.claim)
            .or_else(|| from_object(self.volume_snapshot))
            .or_else(|| from_object(self.pod))
            .unwrap_or_default()
    }

    fn event_evidence(&self, event: &SeenEvent) -> Evidence {
        let times = if event.count > 1 { format!(" ×{}", event.count) } else { String::new() };
        let path = format!("event {}{times}", line(&event.reason, 60));
        let value = event.message.as_str();
        if event.kind == "VolumeSnapshotContent" {
            return Evidence::cluster(&event.kind, &event.name, &path, value);
        }
        Evidence::namespaced(&event.kind, &self.namespace_name(), &event.name, &path, value)
    }
}

/// A text field, by JSON pointer.
fn text<'a>(object: &'a Value, pointer: &str) -> Option<&'a str> {
    object.pointer(pointer)?.as_str()
}

/// The elements of a list field.
fn list<'a>(object: &'a Value, pointer: &str) -> &'a [Value] {
    object.pointer(pointer).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// An object in words: `PersistentVolumeClaim ns/name`.
fn in_words(object: &ObjectName) -> String {
    match &object.namespace {
        Some(namespace) => format!("{} {namespace}/{}", object.kind, object.name),
        None => format!("{} {}", object.kind, object.name),
    }
}
