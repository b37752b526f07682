//! The driver's csi-snapshotter works on snapshots.

use crate::model::check::{Check, Group};
use crate::roundtrip::check;

/// See `doc.md`.
pub const CHECK: Check =
    check("SR304", "snapshot-sidecar-works", "The driver's csi-snapshotter works on snapshots", include_str!("doc.md"));

use std::time::Duration;

use crate::knowledge::control_plane::containers::is_csi_snapshotter;
use crate::knowledge::control_plane::out_of_service::csi_snapshotter;
use crate::knowledge::control_plane::presence::{Presence, sidecar_of};
use crate::knowledge::control_plane::sidecars::surely_of;
use crate::knowledge::rights::judge::silenced;
use crate::knowledge::version::Component;
use crate::model::chain::BEING_CREATED;
use crate::model::command::{Command, kubectl};
use crate::model::finding::{Evidence, Finding, Fix};
use crate::model::kubernetes::VolumeSnapshotContentStatus;
use crate::moment::grpc::Code;
use crate::moment::{Advice, Explanation, Moment, Subject};
use crate::roundtrip::snapshot_controller_works;
use crate::roundtrip::snapshot_succeeds::{LAG, Worker, about, answers, lacks_right, shown_by};

/// The sidecar's first sign of life comes within a second of the content.
const ANSWER: Duration = Duration::from_secs(6);

/// For `kubectl -o`: each pod with its containers.
const CONTAINERS: &str =
    r#"jsonpath='{range .items[*]}{.metadata.namespace}/{.metadata.name} {.spec.containers[*].name}{"\n"}{end}'"#;

/// The csi-snapshotter says that its account lacks a right.
pub(crate) fn sidecar_lacks_right(moment: &Moment<'_>) -> Option<Explanation> {
    lacks_right(
        moment,
        &Worker { check: &CHECK, name: "csi-snapshotter", role: "external-snapshotter-runner", writes_content: true },
    )
}

/// A csi-snapshotter of 4.x writes contents of CRDs of 8.x without `spec.sourceVolumeMode`, which a rule of the CRD refuses.
/// How the API server words the rest differs from version to version.
pub(crate) fn sidecar_too_old(moment: &Moment<'_>) -> Option<Explanation> {
    let answer = answers(moment).find(|answer| answer.text.contains("sourceVolumeMode is required once set"))?;
    let message = "the csi-snapshotter is too old for these CRDs: it cannot update the content";
    (moment.elapsed >= LAG).then(|| {
        shown_by(&answer, &CHECK, moment, message)
            .cause("it drops spec.sourceVolumeMode, which it does not know, and the CRD of 8.x refuses that")
            .fix(Fix::text("Upgrade the driver to one with csi-snapshotter 6.0 or later; its ClusterRole then needs patch on volumesnapshotcontents and volumesnapshotcontents/status."))
            .follows_from("SR123", moment.subject.driver.as_deref())
    })
}

/// The driver's controller is visible, without a csi-snapshotter.
pub(crate) fn no_sidecar(moment: &Moment<'_>) -> Option<Explanation> {
    let driver = moment.subject.driver.as_deref()?;
    if !is_left_alone(moment) || moment.elapsed < ANSWER {
        return None;
    }
    match sidecar_of(moment.facts, driver) {
        Presence::Absent { because, .. } => {
            let cause = format!("no csi-snapshotter of this driver is installed: {because}");
            Some(not_picked_up(moment, &cause).follows_from("SR121", Some(driver)))
        }
        Presence::Present { .. } | Presence::Unknown { .. } => None,
    }
}

/// RBAC does not grant it what it takes to work, or to say that it cannot.
pub(crate) fn sidecar_silenced(moment: &Moment<'_>) -> Option<Explanation> {
    let driver = moment.subject.driver.as_deref()?;
    if !is_left_alone(moment) || moment.elapsed < ANSWER {
        return None;
    }
    let sidecars = surely_of(moment.facts, driver, is_csi_snapshotter);
    let found = silenced(moment.facts, Component::CsiSnapshotter, &sidecars, &[driver.to_owned()])?;
    let message = format!("no csi-snapshotter of driver {driver} works on its content: {}", found.message);
    Some(about(&CHECK, moment, &message).with_finding(found).follows_from("SR127", None))
}

/// It was out of service in two looks.
pub(crate) fn sidecar_out_of_service(moment: &Moment<'_>) -> Option<Explanation> {
    let driver = moment.subject.driver.as_deref()?;
    if !is_left_alone(moment) && !is_unanswered(moment) {
        return None;
    }
    let found = csi_snapshotter(moment.facts, moment.earlier?, driver)?;
    let message = format!("no csi-snapshotter of driver {driver} works on its content: {}", found.finding.message);
    (moment.elapsed >= found.patience())
        .then(|| about(&CHECK, moment, &message).with_finding(found.finding).follows_from("SR122", Some(driver)))
}

/// A static check has found that nobody will remove the finalizers of the driver's snapshots: what a round trip creates could not be
/// deleted again, so it is not started. The check's group tells who it is that will not.
#[must_use]
pub fn not_started(subject: &Subject, check: &Check, found: Finding) -> Explanation {
    let driver = subject.driver_in_words();
    let (reported_by, why) = if check.group == Group::Controller {
        (&snapshot_controller_works::CHECK, "the snapshot-controller would not finish the VolumeSnapshot".to_owned())
    } else {
        (&CHECK, format!("no csi-snapshotter of {driver} would work on the VolumeSnapshot's content"))
    };
    let message = format!("not started (--force starts it): {why}, which could then not be deleted");
    let root = found.target.clone();
    // The check's own finding may not be in the report.
    let cause = match &found.cause {
        Some(cause) => format!("{}: {}", found.message, cause),
        None => found.message.clone(),
    };
    Explanation::fail(reported_by, &message)
        .about(subject)
        .with_finding(found)
        .cause(cause)
        .follows_from(check.id, root.as_deref())
        .advise(Advice::Force)
}

/// What is likely when the time is up.
pub(crate) fn likely(moment: &Moment<'_>) -> Option<Explanation> {
    if !is_left_alone(moment) {
        return None;
    }
    let cause = match sidecar_of(moment.facts, moment.subject.driver.as_deref().unwrap_or_default()) {
        Presence::Present { .. } => "likely: the driver's csi-snapshotter does not run, waits for another one's lease, lacks rights, or is too old".to_owned(),
        Presence::Absent { because: why, .. } | Presence::Unknown { why } => {
            format!("likely: no csi-snapshotter of this driver runs: {why}")
        }
    };
    Some(not_picked_up(moment, &cause))
}

/// What the snapshot-controller warns of before there is a content, and is over when there is one (external-snapshotter
/// pkg/common-controller/snapshot_controller.go).
const BEFORE_CONTENT: [&str; 3] =
    ["SetDefaultSnapshotClassFailed", "GetSnapshotClassFailed", "SnapshotContentCreationFailed"];

/// Bound, and not a sign of a sidecar on the content.
pub(crate) fn is_left_alone(moment: &Moment<'_>) -> bool {
    let (Some(snapshot), Some(content)) = (moment.waiting_snapshot(), moment.volume_snapshot_content()) else {
        return false;
    };
    let heard = moment.events.iter().any(|event| {
        event.involved_object.kind == "VolumeSnapshotContent"
            || event.component().starts_with("csi-snapshotter")
            || (event.involved_object.kind == "VolumeSnapshot"
                && event.warns()
                && !BEFORE_CONTENT.contains(&event.reason.as_str()))
    });
    snapshot.status.bound_volume_snapshot_content_name.is_some()
        && content.status == VolumeSnapshotContentStatus::default()
        && !content.metadata.annotations.contains_key(BEING_CREATED)
        && !heard
}

/// The sidecar has begun, and the driver has given no answer that is one: it was not reached, or not heard of again.
fn is_unanswered(moment: &Moment<'_>) -> bool {
    let Some(content) = moment.waiting_snapshot().and_then(|_| moment.volume_snapshot_content()) else {
        return false;
    };
    let answer = content.status.error.as_ref().and_then(|error| error.message.as_deref());
    let is_no_answer = |text: &str| Code::at(text, moment.step).is_some_and(|code| code.patience.is_none());
    content.status.snapshot_handle.is_none()
        && content.metadata.annotations.contains_key(BEING_CREATED)
        && answer.is_none_or(is_no_answer)
}

fn not_picked_up(moment: &Moment<'_>, cause: &str) -> Explanation {
    let driver = moment.subject.driver_in_words();
    let content = moment.volume_snapshot_content().map(|content| content.metadata.name.as_str()).unwrap_or_default();
    about(&CHECK, moment, &format!("no csi-snapshotter of {driver} works on its content"))
        .evidence([Evidence::cluster("VolumeSnapshotContent", content, "status", "absent")])
        .cause(cause)
        .fix(
            Fix::text("Install the driver with its csi-snapshotter sidecar; many charts leave it out if the snapshot CRDs come later, so upgrade the chart once more.")
                .command(kubectl("get pods -A -o").shell(CONTAINERS).pipe(Command::new("grep").words("csi-snapshotter"))),
        )
}
