//! Waiting for what is known to be dead: the control plane as it was read again while a step waits. What is ready and
//! merely slow is waited for.

use std::time::Duration;

use serde_json::Value;
use snapready_checks::controller::find::{Presence, snapshot_controllers};
use snapready_checks::out_of_service::{OutOfService, csi_provisioner, csi_snapshotter, snapshot_controller};

use super::claims::is_unheard;
use super::result::{Found, RoundTripCheck};
use super::snapshots::{is_left_alone, is_untouched, name, no_controller_result};
use super::{Observation, text};
use crate::model::{CheckResult, StepId};

/// So long into the step, what two looks found not working, with the reason, is believed.
const EXPLAINED: Duration = Duration::from_secs(10);
/// The same without a reason: a pod that is being started gets this long.
const UNEXPLAINED: Duration = Duration::from_secs(18);

/// Whether the snapshot waits for a controller or a sidecar that does not work.
pub(super) fn snapshot(observation: &Observation<'_>, snapshot: &Value) -> Option<CheckResult> {
    let earlier = observation.earlier?;
    let driver = observation.target.driver.as_deref()?;
    if is_untouched(observation, snapshot) || is_ready_below(observation) {
        let Some(found) = snapshot_controller(observation.facts, earlier) else {
            return gone(observation);
        };
        let what = "no snapshot-controller works on it";
        let message = format!("VolumeSnapshot {}: {what}: {}", name(observation), found.finding.message);
        return believed(observation, RoundTripCheck::SnapshotControllerWorks, &message, found);
    }
    if !is_left_alone(observation, snapshot) {
        return None;
    }
    let found = csi_snapshotter(observation.facts, earlier, driver)?;
    let what = format!("no csi-snapshotter of driver {driver} works on its content");
    let message = format!("VolumeSnapshot {}: {what}: {}", name(observation), found.finding.message);
    believed(observation, RoundTripCheck::SnapshotSidecarWorks, &message, found)
}

/// Whether a claim waits for a provisioner that does not work.
pub(super) fn claim(observation: &Observation<'_>, check: RoundTripCheck, claim: &str) -> Option<CheckResult> {
    let earlier = observation.earlier?;
    let driver = observation.target.driver.as_deref()?;
    if !is_unheard(observation) {
        return None;
    }
    let found = csi_provisioner(observation.facts, earlier, driver)?;
    let what = if observation.step == StepId::Provision { "is not provisioned" } else { "is not restored" };
    let message = format!("claim {claim} {what}: {}", found.finding.message);
    believed(observation, check, &message, found)
}

/// The sidecar has done its part, and only the controller is to say so: it has gone since it made the content.
fn gone(observation: &Observation<'_>) -> Option<CheckResult> {
    if !(is_ready_below(observation) && observation.elapsed >= EXPLAINED) {
        return None;
    }
    match snapshot_controllers(observation.facts) {
        Presence::Absent { because, .. } => {
            Some(no_controller_result(observation, &format!("the snapshot-controller has gone: {because}")))
        }
        Presence::Present { .. } | Presence::Unknown { .. } => None,
    }
}

fn is_ready_below(observation: &Observation<'_>) -> bool {
    observation.volume_snapshot_content.is_some_and(|content| {
        content.pointer("/status/readyToUse") == Some(&Value::Bool(true))
            && text(content, "/status/snapshotHandle").is_some()
    })
}

fn believed(
    observation: &Observation<'_>,
    check: RoundTripCheck,
    message: &str,
    found: OutOfService,
) -> Option<CheckResult> {
    let patience = if found.is_explained { EXPLAINED } else { UNEXPLAINED };
    if observation.elapsed < patience {
        return None;
    }
    let finding = found.finding;
    let result = Found::fail(check, &observation.target.label(), message).evidence(finding.evidence);
    let result = match finding.cause {
        Some(cause) => result.cause(cause),
        None => result,
    };
    Some(match finding.fix {
        Some(fix) => result.fix(fix).done(),
        None => result.done(),
    })
}
