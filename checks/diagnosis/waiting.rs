//! What a step waits for, and what was last seen.

use crate::model::kubernetes::Metadata;
use crate::model::round_trip::StepId;
use crate::moment::{Moment, line};
use crate::roundtrip::pod_starts::scheduling::homeless;
use crate::roundtrip::pod_starts::statuses;
use crate::roundtrip::{snapshot_controller_works, snapshot_sidecar_works};

/// What has to come, and what was last seen.
pub(crate) fn waiting(moment: &Moment<'_>) -> (String, String) {
    (line(&waiting_for(moment), 200), line(&last_seen(moment), 300))
}

fn waiting_for(moment: &Moment<'_>) -> String {
    let named = |kind: &str, metadata: Option<&Metadata>| match metadata {
        Some(metadata) => format!("{kind} {}", metadata.name),
        None => format!("the {kind}"),
    };
    let claim = named("claim", moment.claim().map(|claim| &claim.metadata));
    let pod = named("pod", moment.pod().map(|pod| &pod.metadata));
    let snapshot = named(moment.snapshot_kind(), moment.volume_snapshot().map(|snapshot| &snapshot.metadata));
    match moment.step {
        StepId::Admission => "the API server's answer".to_owned(),
        StepId::Provision | StepId::Restore if makes_room(moment) => format!("{pod} to be gone"),
        StepId::Provision | StepId::Restore if is_homeless(moment) => format!("{pod} to be scheduled"),
        StepId::Provision | StepId::Restore if !moment.has_bound_claim() => format!("{claim} to be bound"),
        StepId::Provision | StepId::Restore => format!("{pod} to start"),
        StepId::Write => format!("{pod} to write the data"),
        StepId::Snapshot if lacks_members(moment) => format!("the VolumeSnapshot of each claim of {snapshot}"),
        StepId::Snapshot => format!("{snapshot} to be ready to use"),
        StepId::Overwrite => format!("{pod} to overwrite the source and exit"),
        StepId::Verify => format!("{pod} to read the restored data"),
        StepId::Cleanup => "everything to be gone".to_owned(),
    }
}

/// Whether the driver has taken the snapshot. That of a group says so itself, as its content is not looked at.
pub(crate) fn is_taken(moment: &Moment<'_>) -> bool {
    let content = moment.volume_snapshot_content();
    let group = moment.volume_snapshot().filter(|_| moment.chain.is_group);
    content.is_some_and(|content| content.status.snapshot_handle.is_some())
        || group.is_some_and(|group| group.status.creation_time.is_some())
}

/// Whether a group snapshot is ready, and the snapshot-controller has not made its members.
pub(crate) fn lacks_members(moment: &Moment<'_>) -> bool {
    let is_ready = moment.volume_snapshot().is_some_and(|snapshot| snapshot.status.ready_to_use == Some(true));
    moment.chain.is_group && is_ready
}

/// Whether the pod for which the claim was bound is to make room for the next.
pub(crate) fn makes_room(moment: &Moment<'_>) -> bool {
    moment.pod().is_some_and(|pod| pod.metadata.deletion_timestamp.is_some())
}

pub(crate) fn is_homeless(moment: &Moment<'_>) -> bool {
    moment.pod().and_then(homeless).is_some()
}

fn last_seen(moment: &Moment<'_>) -> String {
    if moment.step == StepId::Snapshot {
        return snapshot_state(moment);
    }
    let claim = moment.claim().map(|claim| claim.metadata.name.as_str());
    let pod = moment.pod().map(|pod| pod.metadata.name.as_str());
    let of_step = |name: &str| [claim, pod].contains(&Some(name));
    let mut latest = moment.events.iter().rev();
    if let Some(event) = latest.find(|event| event.warns() && of_step(&event.involved_object.name)) {
        let times = if event.times() > 1 { format!(" ×{}", event.times()) } else { String::new() };
        return format!("{}{times}: {}", event.reason, event.message);
    }
    if let Some(pod) = moment.pod() {
        let phase = if pod.status.phase.is_empty() { "unknown" } else { &pod.status.phase };
        if let Some(waiting) = statuses(pod).find_map(|status| status.state.waiting.as_ref()) {
            return format!("pod is {phase}: {}", waiting.reason);
        }
        let scheduled = pod.status.conditions.iter().find(|condition| condition.kind == "PodScheduled");
        return match scheduled {
            Some(condition) if !condition.message.is_empty() => condition.message.clone(),
            _ => format!("pod is {phase}"),
        };
    }
    match moment.claim().map(|claim| claim.status.phase.as_str()) {
        Some(phase) if !phase.is_empty() => format!("claim is {phase}"),
        _ => "nothing yet".to_owned(),
    }
}

fn snapshot_state(moment: &Moment<'_>) -> String {
    let Some(snapshot) = moment.volume_snapshot() else {
        return "nothing yet".to_owned();
    };
    if lacks_members(moment) {
        return "it is ready to use; the snapshot-controller has not made them".to_owned();
    }
    let content = moment.volume_snapshot_content();
    let error = content.and_then(|content| content.status.error.as_ref()).or(snapshot.status.error.as_ref());
    if let Some(message) = error.and_then(|error| error.message.clone()) {
        return message;
    }
    if snapshot_controller_works::is_ready_below(moment) {
        return "its content is ready; the snapshot-controller has not said so yet".to_owned();
    }
    if is_taken(moment) {
        return "the snapshot has been taken; the storage still copies or uploads it".to_owned();
    }
    if snapshot_controller_works::is_left_alone(moment) {
        return "neither status nor events: the snapshot-controller has not answered yet".to_owned();
    }
    if snapshot_sidecar_works::is_left_alone(moment) {
        return "bound; the driver's csi-snapshotter has not answered yet".to_owned();
    }
    match moment.events.iter().rev().find(|event| event.involved_object.kind == moment.snapshot_kind()) {
        Some(event) => format!("{}: {}", event.reason, event.message),
        None => "the driver works on it".to_owned(),
    }
}
