//! What is likely when the time of a step is up. A likely cause is called likely.

use super::certain;
use super::waiting::{is_homeless, is_taken, lacks_members, makes_room, waiting};
use crate::model::check::Check;
use crate::model::command::kubectl;
use crate::model::finding::{Evidence, Fix};
use crate::model::kubernetes::Metadata;
use crate::model::object::Kind;
use crate::model::round_trip::StepId;
use crate::moment::grpc::Code;
use crate::moment::{Advice, Explanation, Moment, with_sidecar_log};
use crate::roundtrip::{
    admission_allows, everything_removed, pod_starts, provisioning_succeeds, restore_succeeds, round_trip,
    snapshot_controller_works, snapshot_sidecar_works, snapshot_succeeds, write_succeeds,
};

/// The result of a step whose time is up.
#[must_use]
pub fn timed_out(moment: &Moment<'_>) -> Explanation {
    if let Some(explanation) = certain(moment) {
        return explanation;
    }
    if moment.step == StepId::Snapshot && moment.volume_snapshot().is_some() {
        return snapshot_controller_works::likely(moment)
            .or_else(|| snapshot_sidecar_works::likely(moment))
            .unwrap_or_else(|| snapshot(moment));
    }
    let check = check(moment);
    if check.id == pod_starts::CHECK.id {
        return pod(moment);
    }
    let explanation = waited(moment, check);
    if [provisioning_succeeds::CHECK.id, restore_succeeds::CHECK.id].contains(&check.id) {
        return claim(moment, explanation);
    }
    let (cause, text) = match moment.step {
        StepId::Write => (
            "likely: the volume does not take writes, or only slowly",
            "Check the driver's node plugin on the pod's node.",
        ),
        StepId::Cleanup => (
            "likely: a finalizer keeps an object, or the driver does not delete",
            "Check which finalizers are left, and whether their owners run.",
        ),
        _ => (
            "likely: the node or its volume does not answer",
            "Check the pod's events and the driver's node plugin on the pod's node.",
        ),
    };
    with_sidecar_log(explanation.cause(cause), moment, Fix::text(text))
}

/// What is likely to be the cause of a wait that goes on; `None` if it is not worth telling before the time is up.
pub(crate) fn so_far(moment: &Moment<'_>) -> Option<String> {
    timed_out(moment).finding().cause.clone().filter(|cause| cause.starts_with("likely: "))
}

fn check(moment: &Moment<'_>) -> &'static Check {
    match moment.step {
        StepId::Admission => &admission_allows::CHECK,
        StepId::Provision | StepId::Restore if is_homeless(moment) || moment.has_bound_claim() => &pod_starts::CHECK,
        StepId::Provision | StepId::Restore => provisioning_succeeds::check_of(moment),
        StepId::Write => &write_succeeds::CHECK,
        StepId::Snapshot => &snapshot_succeeds::CHECK,
        StepId::Overwrite | StepId::Verify => &round_trip::CHECK,
        StepId::Cleanup => &everything_removed::CHECK,
    }
}

fn claim(moment: &Moment<'_>, explanation: Explanation) -> Explanation {
    if let Some((cause, seen)) = restore_succeeds::on_another_node(moment) {
        let explanation = explanation.evidence(seen).cause(cause);
        return with_sidecar_log(explanation, moment, Fix::text(restore_succeeds::STAY));
    }
    let driver = moment.subject.driver_in_words();
    let (cause, text) = match moment.claim_events(&["ProvisioningFailed"]).last() {
        Some(event) => keeps_failing(moment, &event.message, "the provisioner", "csi-provisioner"),
        None if moment.claim_events(&["Provisioning"]).next().is_some() => (
            format!("likely: {driver} or its storage does not answer"),
            "Check that the driver's controller runs and reaches its storage, or allow more time.".to_owned(),
        ),
        None => (
            format!("likely: no csi-provisioner of {driver} runs: no provisioner has reported anything"),
            "Check that the driver's controller, with its csi-provisioner, runs.".to_owned(),
        ),
    };
    with_sidecar_log(explanation.cause(cause), moment, Fix::text(text))
}

fn pod(moment: &Moment<'_>) -> Explanation {
    let explanation = waited(moment, &pod_starts::CHECK);
    let nodes = |text: &str| Fix::text(text).command(kubectl("get nodes"));
    if is_homeless(moment) {
        let fix = nodes("Make a node available that takes pods: uncordon one, add one, or free room on one.");
        return explanation
            .cause("no node takes the pod, and a volume that waits for its first consumer is not provisioned before")
            .fix(fix);
    }
    if makes_room(moment) {
        let fix = nodes("Check whether the pod's node is ready, and its kubelet runs.");
        return explanation.cause("likely: the pod's node does not answer").fix(fix);
    }
    let cause =
        "likely: no node has room for the pod, its volume cannot be attached or mounted, or its image is slow to come";
    let fix = Fix::text("Check the pod's events; allow more time if they get on.");
    with_sidecar_log(explanation.cause(cause), moment, fix)
}

fn snapshot(moment: &Moment<'_>) -> Explanation {
    let content = moment.volume_snapshot_content();
    let error = content
        .and_then(|content| content.status.error.as_ref())
        .or_else(|| moment.volume_snapshot()?.status.error.as_ref())
        .map(|error| error.message.as_deref().unwrap_or_default());
    let explanation = waited(moment, &snapshot_succeeds::CHECK);
    if lacks_members(moment) {
        let cause =
            "likely: the driver has left out a volume of the group, or the snapshot-controller has not found it";
        return explanation.cause(cause).fix(Fix::text("Look into the log of the snapshot-controller."));
    }
    if let Some(error) = error {
        let (cause, text) = keeps_failing(moment, error, "the snapshot", "csi-snapshotter");
        return with_sidecar_log(explanation.cause(cause), moment, Fix::text(text));
    }
    if is_taken(moment) {
        let cause = "the snapshot has been taken, but the storage has not finished it; cloud storage uploads the first one whole";
        let fix = Fix::text("Allow more time; a backup product's own time-out must be longer, too.");
        return with_sidecar_log(explanation.cause(cause).advise(Advice::SnapshotTime), moment, fix);
    }
    let driver = moment.subject.driver_in_words();
    let cause = if moment.chain.is_group {
        format!(
            "likely: {driver} does not answer CreateVolumeGroupSnapshot; its csi-snapshotter tries again every minute"
        )
    } else {
        format!("likely: {driver} does not answer CreateSnapshot; its csi-snapshotter tries again every minute")
    };
    let fix = Fix::text("Look into the logs of the driver's controller and of its storage.");
    with_sidecar_log(explanation.cause(cause), moment, fix)
}

/// What the last error of something that is tried again and again means: cause and fix.
fn keeps_failing(moment: &Moment<'_>, error: &str, what: &str, sidecar: &str) -> (String, String) {
    let log = format!("Look into the log of the driver's {sidecar}.");
    match Code::at(error, moment.step) {
        Some(code) => (format!("likely: {}", code.meaning), code.advice.to_owned()),
        None if is_wordless(error) => (format!("{what} keeps failing, and its error has no text"), log),
        None => (format!("{what} keeps failing; see its message"), log),
    }
}

/// Whether an error has no text. Some releases of csi-snapshotter put nothing, `%!q(<nil>)`, in the place of the driver's answer
/// (kubernetes-sigs/alibaba-cloud-csi-driver issue 970).
fn is_wordless(error: &str) -> bool {
    error.trim().is_empty() || error.ends_with("%!q(<nil>)")
}

/// What was waited for, with the last warnings and the state of the objects.
fn waited(moment: &Moment<'_>, check: &'static Check) -> Explanation {
    let (waiting_for, last_seen) = waiting(moment);
    let seconds = moment.elapsed.as_secs();
    let message = format!("timed out after {seconds} s: waited for {waiting_for}; last seen: {last_seen}");
    let state = |kind: Kind, metadata: &Metadata, path: &str, value: &str| {
        let value = if value.is_empty() { "absent" } else { value };
        Evidence::namespaced(kind.name, moment.namespace(), &metadata.name, path, value)
    };
    let claim = moment
        .claim()
        .map(|claim| state(Kind::PERSISTENT_VOLUME_CLAIM, &claim.metadata, "status.phase", &claim.status.phase));
    let pod = moment.pod().map(|pod| state(Kind::POD, &pod.metadata, "status.phase", &pod.status.phase));
    let snapshot = moment.volume_snapshot().filter(|_| !moment.chain.is_group).map(|snapshot| {
        let content = snapshot.status.bound_volume_snapshot_content_name.as_deref().unwrap_or_default();
        state(Kind::VOLUME_SNAPSHOT, &snapshot.metadata, "status.boundVolumeSnapshotContentName", content)
    });
    Explanation::fail(check, &message)
        .about(moment.subject)
        .evidence([claim, pod, snapshot].into_iter().flatten())
        .evidence(moment.warnings())
}
