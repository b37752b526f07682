//! What a step waits for, and what is likely when its time is up. A likely cause is called likely.

use serde_json::Value;
use snapready_checks::controller::find::{Presence, snapshot_controllers};
use snapready_checks::model::finding::{Evidence, Fix};
use snapready_checks::sidecars::find::sidecar_of;

use super::commands::see_more;
use super::grpc::Code;
use super::pods::{is_deleting, statuses};
use super::result::{Found, RoundTripCheck, line};
use super::snapshots::{is_left_alone, is_untouched, no_controller_result, no_sidecar_result};
use super::{Observation, certain, list, text};
use crate::model::{CheckResult, StepId};

/// What has to come, and what was last seen.
pub(super) fn waiting(observation: &Observation<'_>) -> (String, String) {
    let named = |kind: &str, object: Option<&Value>| match object.and_then(|object| text(object, "/metadata/name")) {
        Some(name) => format!("{kind} {name}"),
        None => format!("the {kind}"),
    };
    let claim = named("claim", observation.claim);
    let pod = named("pod", observation.pod);
    let snapshot = named("VolumeSnapshot", observation.volume_snapshot);
    let bound = observation.claim.and_then(|claim| text(claim, "/status/phase")) == Some("Bound");
    let waiting_for = match observation.step {
        StepId::Admission => "the API server's answer".to_owned(),
        StepId::Provision | StepId::Restore if goes(observation) => format!("{pod} to be gone"),
        StepId::Provision | StepId::Restore if homeless(observation).is_some() => format!("{pod} to be scheduled"),
        StepId::Provision | StepId::Restore if !bound => format!("{claim} to be bound"),
        StepId::Provision | StepId::Restore => format!("{pod} to start"),
        StepId::Write => format!("{pod} to write the data"),
        StepId::Snapshot => format!("{snapshot} to be ready to use"),
        StepId::Overwrite => format!("{pod} to overwrite the source and end"),
        StepId::Verify => format!("{pod} to read the restored data"),
        StepId::Cleanup => "everything to be gone".to_owned(),
    };
    (line(&waiting_for, 200), line(&last_seen(observation), 300))
}

/// Whether the pod for which the claim was bound is to make room for the next.
fn goes(observation: &Observation<'_>) -> bool {
    observation.pod.is_some_and(is_deleting)
}

fn homeless<'a>(observation: &Observation<'a>) -> Option<&'a str> {
    observation.pod.and_then(super::pods::homeless)
}

fn last_seen(observation: &Observation<'_>) -> String {
    if observation.step == StepId::Snapshot {
        return snapshot_state(observation);
    }
    let names =
        [observation.claim, observation.pod].map(|object| object.and_then(|object| text(object, "/metadata/name")));
    let warning = observation
        .events
        .iter()
        .rev()
        .find(|event| event.event_type == "Warning" && names.iter().flatten().any(|name| *name == event.name));
    if let Some(event) = warning {
        let times = if event.count > 1 { format!(" ×{}", event.count) } else { String::new() };
        return format!("{}{times}: {}", event.reason, event.message);
    }
    if let Some(pod) = observation.pod {
        if let Some(reason) = statuses(pod).find_map(|status| text(status, "/state/waiting/reason")) {
            return format!("pod is {}: {reason}", text(pod, "/status/phase").unwrap_or("unknown"));
        }
        let scheduled =
            list(pod, "/status/conditions").iter().find(|condition| text(condition, "/type") == Some("PodScheduled"));
        if let Some(message) = scheduled.and_then(|condition| text(condition, "/message")) {
            return message.to_owned();
        }
        return format!("pod is {}", text(pod, "/status/phase").unwrap_or("unknown"));
    }
    match observation.claim.and_then(|claim| text(claim, "/status/phase")) {
        Some(phase) => format!("claim is {phase}"),
        None => "nothing yet".to_owned(),
    }
}

fn snapshot_state(observation: &Observation<'_>) -> String {
    let Some(snapshot) = observation.volume_snapshot else {
        return "nothing yet".to_owned();
    };
    let error = observation.volume_snapshot_content.and_then(|content| text(content, "/status/error/message"));
    if let Some(error) = error.or_else(|| text(snapshot, "/status/error/message")) {
        return error.to_owned();
    }
    let handle = observation.volume_snapshot_content.and_then(|content| text(content, "/status/snapshotHandle"));
    if handle.is_some() {
        return "the snapshot is cut; the storage still copies or uploads it".to_owned();
    }
    if is_untouched(observation, snapshot) {
        return "neither status nor events: the snapshot-controller has not answered yet".to_owned();
    }
    if is_left_alone(observation, snapshot) {
        return "bound; the driver's csi-snapshotter has not answered yet".to_owned();
    }
    match observation.events.iter().rev().find(|event| event.kind == "VolumeSnapshot") {
        Some(event) => format!("{}: {}", event.reason, event.message),
        None => "the driver works on it".to_owned(),
    }
}

/// The result of a step whose time is up.
#[must_use]
pub fn timed_out(observation: &Observation<'_>) -> CheckResult {
    if let Some(result) = certain(observation) {
        return result;
    }
    if let (StepId::Snapshot, Some(snapshot)) = (observation.step, observation.volume_snapshot) {
        return snapshot_timed_out(observation, snapshot);
    }
    let (waiting_for, last_seen) = waiting(observation);
    let bound = observation.claim.and_then(|claim| text(claim, "/status/phase")) == Some("Bound");
    let check = match observation.step {
        StepId::Admission => RoundTripCheck::AdmissionAllows,
        StepId::Provision | StepId::Restore if homeless(observation).is_some() => RoundTripCheck::PodStarts,
        StepId::Provision if !bound => RoundTripCheck::ProvisioningSucceeds,
        StepId::Restore if !bound => RoundTripCheck::RestoreSucceeds,
        StepId::Provision | StepId::Restore => RoundTripCheck::PodStarts,
        StepId::Write => RoundTripCheck::WriteSucceeds,
        StepId::Snapshot => RoundTripCheck::SnapshotSucceeds,
        StepId::Overwrite | StepId::Verify => RoundTripCheck::RoundTrip,
        StepId::Cleanup => RoundTripCheck::EverythingRemoved,
    };
    let (cause, fix) = likely(observation, check);
    let warnings = observation.events.iter().rev().filter(|event| event.event_type == "Warning").take(3);
    found(observation, check, &waiting_for, &last_seen)
        .evidence(warnings.map(|event| observation.event_evidence(event)))
        .cause(cause)
        .fix(fix)
        .done()
}

fn found(observation: &Observation<'_>, check: RoundTripCheck, waiting_for: &str, last_seen: &str) -> Found {
    let seconds = observation.elapsed.as_secs();
    let message = format!("timed out after {seconds} s: waited for {waiting_for}; last seen: {last_seen}");
    let found = Found::fail(check, &observation.target.label(), &message);
    let namespace = observation.namespace_name();
    let object = |kind: &str, object: Option<&Value>, path: &str| {
        let object = object?;
        let value = text(object, &format!("/{}", path.replace('.', "/"))).unwrap_or("absent");
        Some(Evidence::namespaced(kind, &namespace, text(object, "/metadata/name")?, path, value))
    };
    let seen = [
        object("PersistentVolumeClaim", observation.claim, "status.phase"),
        object("Pod", observation.pod, "status.phase"),
        object("VolumeSnapshot", observation.volume_snapshot, "status.boundVolumeSnapshotContentName"),
    ];
    found.evidence(seen.into_iter().flatten())
}

fn likely(observation: &Observation<'_>, check: RoundTripCheck) -> (String, Fix) {
    let last = observation.claim_events(&["ProvisioningFailed"]).last();
    let driver = observation.target.driver.as_deref().unwrap_or("of the StorageClass");
    let (cause, fix) = match check {
        RoundTripCheck::ProvisioningSucceeds | RoundTripCheck::RestoreSucceeds => match last {
            Some(event) => match Code::find(&event.message) {
                Some(code) => (format!("likely: {}", code.meaning()), Fix::text(code.advice())),
                None => ("the provisioner keeps failing; see its message".to_owned(), Fix::text("Look into the log of the driver's csi-provisioner.")),
            },
            None if observation.claim_events(&["Provisioning"]).next().is_some() => (
                format!("likely: driver {driver} or its storage does not answer"),
                Fix::text("Check that the driver's controller runs and reaches its storage, or allow more time with --step-timeout."),
            ),
            None => (
                format!("likely: no csi-provisioner of driver {driver} runs: nobody but Kubernetes itself has said a word"),
                Fix::text("Check that the driver's controller, with its csi-provisioner, runs."),
            ),
        },
        RoundTripCheck::PodStarts if homeless(observation).is_some() => {
            let cause = "no node takes the pod, and a volume that waits for its first consumer is not provisioned before";
            let fix = Fix::text("Make a node available that takes pods: uncordon one, add one, or free room on one.");
            return (cause.to_owned(), fix.command("kubectl get nodes"));
        }
        RoundTripCheck::PodStarts if goes(observation) => {
            let fix = Fix::text("See whether the pod's node is ready, and its kubelet runs.");
            return ("likely: the pod's node does not answer".to_owned(), fix.command("kubectl get nodes"));
        }
        RoundTripCheck::PodStarts => (
            "likely: no node has room for the pod, its volume cannot be attached or mounted, or its image is slow to come".to_owned(),
            Fix::text("See the pod's events; allow more time with --step-timeout if they get on."),
        ),
        RoundTripCheck::WriteSucceeds => (
            "likely: the volume does not take writes, or only slowly".to_owned(),
            Fix::text("Look into the driver's node plugin on the pod's node."),
        ),
        RoundTripCheck::EverythingRemoved => (
            "likely: a finalizer keeps an object, or the driver does not delete".to_owned(),
            Fix::text("See which finalizers are left, and whether their owners run."),
        ),
        _ => (
            "likely: the node or its volume does not answer".to_owned(),
            Fix::text("See the pod's events and the driver's node plugin on the pod's node."),
        ),
    };
    (cause, see_more(observation, fix))
}

fn snapshot_timed_out(observation: &Observation<'_>, snapshot: &Value) -> CheckResult {
    let driver = observation.target.driver.as_deref().unwrap_or("of the StorageClass");
    if is_untouched(observation, snapshot) {
        return match snapshot_controllers(observation.facts) {
            Presence::Present { .. } => no_controller_result(
                observation,
                "likely: the snapshot-controller that is installed does not run, waits for another one's lease, lacks rights, or watches another API version",
            ),
            Presence::Absent { because: why, .. } | Presence::Unknown { why } => {
                no_controller_result(observation, &format!("likely: no snapshot-controller runs: {why}"))
            }
        };
    }
    if is_left_alone(observation, snapshot) {
        return match sidecar_of(observation.facts, driver) {
            Presence::Present { .. } => no_sidecar_result(
                observation,
                driver,
                "likely: the driver's csi-snapshotter does not run, waits for another one's lease, lacks rights, or is too old",
            ),
            Presence::Absent { because: why, .. } | Presence::Unknown { why } => {
                let cause = format!("likely: no csi-snapshotter of this driver runs: {why}");
                no_sidecar_result(observation, driver, &cause)
            }
        };
    }
    let (waiting_for, last_seen) = waiting(observation);
    let content = observation.volume_snapshot_content;
    let error = content
        .and_then(|content| text(content, "/status/error/message"))
        .or_else(|| text(snapshot, "/status/error/message"));
    let cut = content.is_some_and(|content| text(content, "/status/snapshotHandle").is_some());
    let (cause, advice) = match error {
        Some(error) => match Code::find(error) {
            Some(code) => (format!("likely: {}", code.meaning()), code.advice()),
            None => (
                "the snapshot keeps failing; see its message".to_owned(),
                "Look into the log of the driver's csi-snapshotter.",
            ),
        },
        None if cut => (
            "the snapshot is cut, but the storage has not finished it; cloud storage uploads the first one whole"
                .to_owned(),
            "Allow more time with --step-timeout snapshot=10m; a backup product's own time-out must be longer, too.",
        ),
        None => (
            format!(
                "likely: driver {driver} does not answer CreateSnapshot; its csi-snapshotter tries again every minute"
            ),
            "Look into the logs of the driver's controller and of its storage.",
        ),
    };
    let warnings = observation.events.iter().rev().filter(|event| event.event_type == "Warning").take(3);
    found(observation, RoundTripCheck::SnapshotSucceeds, &waiting_for, &last_seen)
        .evidence(warnings.map(|event| observation.event_evidence(event)))
        .cause(cause)
        .fix(see_more(observation, Fix::text(advice)))
        .done()
}
