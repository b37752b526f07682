//! The snapshot-controller works on snapshots.

use crate::model::check::Check;
use crate::roundtrip::check;

/// See `doc.md`.
pub const CHECK: Check =
    check("SR303", "snapshot-controller-works", "The snapshot-controller works on snapshots", include_str!("doc.md"));

use std::time::Duration;

use crate::knowledge::control_plane::install::install;
use crate::knowledge::control_plane::out_of_service::{scaled_to_zero, snapshot_controller};
use crate::knowledge::control_plane::presence::{Presence, snapshot_controllers};
use crate::knowledge::rights::judge::silenced;
use crate::knowledge::version::Component;
use crate::model::finding::{Evidence, Fix};
use crate::model::volumes::{VolumeSnapshot, VolumeSnapshotStatus};
use crate::moment::{Explanation, Moment, with_controller_log};
use crate::roundtrip::snapshot_succeeds::{LAG, Worker, about, answers, lacks_right, shown_by};

/// The controller's answer comes within a second; a cluster under load gets five.
const ANSWER: Duration = Duration::from_secs(5);
/// After the sidecar has done its part the controller may be electing a new leader.
const ELECTION: Duration = Duration::from_secs(10);

/// The snapshot-controller says that its account lacks a right.
pub(crate) fn controller_lacks_right(moment: &Moment<'_>) -> Option<Explanation> {
    lacks_right(
        moment,
        &Worker {
            check: &CHECK,
            name: "snapshot-controller",
            role: "snapshot-controller-runner",
            writes_content: false,
        },
    )
}

/// A snapshot-controller of 6.0 and later writes a field that an API server older than 1.20 refuses (external-snapshotter issue
/// 773).
pub(crate) fn server_too_old(moment: &Moment<'_>) -> Option<Explanation> {
    let says = |text: &str| text.contains("spec.sourceVolumeMode: Invalid value: \"null\"");
    let answer = answers(moment).find(|answer| says(&answer.text))?;
    (moment.elapsed >= LAG).then(|| {
        shown_by(&answer, &CHECK, moment, "the API server refuses the content that the snapshot-controller creates")
            .cause("this snapshot-controller needs Kubernetes 1.20 or later")
            .fix(Fix::text("Upgrade Kubernetes, or install snapshot-controller 4.0 with the CRDs of its release."))
    })
}

/// None is installed.
pub(crate) fn no_controller(moment: &Moment<'_>) -> Option<Explanation> {
    if !is_left_alone(moment) || moment.elapsed < ANSWER {
        return None;
    }
    absent(moment, "no snapshot-controller is installed")
}

/// All that are installed are scaled to 0.
pub(crate) fn controller_scaled_to_zero(moment: &Moment<'_>) -> Option<Explanation> {
    if !is_left_alone(moment) || moment.elapsed < ANSWER {
        return None;
    }
    let controllers = snapshot_controllers(moment.facts);
    let found = scaled_to_zero(controllers.installations(), "the snapshot-controller")?;
    let explanation = not_picked_up(moment, &found.message, found.fix.unwrap_or_default());
    Some(explanation.evidence(found.evidence).follows_from("SR112", None))
}

/// RBAC does not grant it what it takes to work, or to say that it cannot.
pub(crate) fn controller_silenced(moment: &Moment<'_>) -> Option<Explanation> {
    let is_silent =
        (is_left_alone(moment) && moment.elapsed >= ANSWER) || (is_ready_below(moment) && moment.elapsed >= ELECTION);
    if !is_silent {
        return None;
    }
    let controllers = snapshot_controllers(moment.facts);
    let found = silenced(moment.facts, Component::SnapshotController, controllers.installations(), &[])?;
    let message = format!("no snapshot-controller works on it: {}", found.message);
    Some(about(&CHECK, moment, &message).with_finding(found).follows_from("SR116", None))
}

/// It was out of service in two looks, or has gone between them.
pub(crate) fn controller_out_of_service(moment: &Moment<'_>) -> Option<Explanation> {
    moment.waiting_snapshot()?;
    let earlier = moment.earlier?;
    if !is_left_alone(moment) && !is_ready_below(moment) {
        return None;
    }
    if let Some(found) = snapshot_controller(moment.facts, earlier) {
        let message = format!("no snapshot-controller works on it: {}", found.finding.message);
        return (moment.elapsed >= found.patience())
            .then(|| about(&CHECK, moment, &message).with_finding(found.finding).follows_from("SR112", None));
    }
    if !is_ready_below(moment) || moment.elapsed < ELECTION {
        return None;
    }
    // The sidecar has done its part, and only the controller is to say so.
    absent(moment, "the snapshot-controller has gone")
}

/// None is there, for certain.
fn absent(moment: &Moment<'_>, what: &str) -> Option<Explanation> {
    match snapshot_controllers(moment.facts) {
        Presence::Absent { because, .. } => {
            let explanation = not_picked_up(moment, &format!("{what}: {because}"), install(moment.facts));
            Some(explanation.follows_from("SR111", None))
        }
        Presence::Present { .. } | Presence::Unknown { .. } => None,
    }
}

/// What is likely when the time is up.
pub(crate) fn likely(moment: &Moment<'_>) -> Option<Explanation> {
    if is_ready_below(moment) {
        let message = "its content is ready, and the snapshot-controller does not say so";
        let fix = Fix::text("Check the pods and the log of the snapshot-controller.");
        return Some(
            about(&CHECK, moment, message)
                .evidence(ready_below(moment))
                .cause("likely: the snapshot-controller has stopped, or lacks rights, since it took up the snapshot")
                .fix(with_controller_log(moment.facts, fix)),
        );
    }
    if !is_left_alone(moment) {
        return None;
    }
    Some(match snapshot_controllers(moment.facts) {
        Presence::Present { .. } => not_picked_up(
            moment,
            "likely: the snapshot-controller that is installed does not run, waits for another one's lease, lacks rights, or watches another API version",
            with_controller_log(moment.facts, Fix::text("Check the pods and the log of the snapshot-controller.")),
        ),
        Presence::Absent { because: why, .. } | Presence::Unknown { why } => {
            not_picked_up(moment, &format!("likely: no snapshot-controller runs: {why}"), install(moment.facts))
        }
    })
}

/// How the finalizers of the snapshot-controller begin. csi-provisioner sets one of its own on a snapshot from which something is to be
/// restored, whether it is ready or not (external-provisioner pkg/controller/controller.go).
const OF_CONTROLLER: &str = "snapshot.storage.kubernetes.io/";

/// Nobody has picked the snapshot up.
pub(crate) fn is_left_alone(moment: &Moment<'_>) -> bool {
    let untouched = |snapshot: &VolumeSnapshot| {
        let mut finalizers = snapshot.metadata.finalizers.iter();
        snapshot.status == VolumeSnapshotStatus::default()
            && !finalizers.any(|finalizer| finalizer.starts_with(OF_CONTROLLER))
    };
    moment.waiting_snapshot().is_some_and(untouched)
        && !moment.events.iter().any(|event| event.involved_object.kind == moment.snapshot_kind())
}

/// The sidecar has done its part, and only the controller is to say so.
pub(crate) fn is_ready_below(moment: &Moment<'_>) -> bool {
    moment.waiting_snapshot().is_some() && ready_below(moment).is_some()
}

fn ready_below(moment: &Moment<'_>) -> Option<Evidence> {
    let content = moment.volume_snapshot_content()?;
    (content.status.ready_to_use == Some(true) && content.status.snapshot_handle.is_some())
        .then(|| Evidence::cluster("VolumeSnapshotContent", &content.metadata.name, "status.readyToUse", "true"))
}

fn not_picked_up(moment: &Moment<'_>, cause: &str, fix: Fix) -> Explanation {
    let name = moment.volume_snapshot().map(|snapshot| snapshot.metadata.name.as_str()).unwrap_or_default();
    let what = "no controller has picked it up (no status, no finalizers, no events)";
    about(&CHECK, moment, what)
        .evidence([Evidence::namespaced(moment.snapshot_kind(), moment.namespace(), name, "status", "absent")])
        .cause(cause)
        .fix(fix)
}
