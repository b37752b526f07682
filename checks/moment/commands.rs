//! Commands for fixes. A fix is read after the clean-up, when the run's own objects are gone, and mostly their namespace
//! too. So a command is about what stays: classes, the driver's logs, nodes and policies.

use crate::knowledge::control_plane::commands::{log, restart};
use crate::knowledge::control_plane::containers::{is_csi_provisioner, is_csi_snapshotter};
use crate::knowledge::control_plane::presence::snapshot_controllers;
use crate::knowledge::control_plane::sidecars::sidecar_in_sight;
use crate::model::command::Command;
use crate::model::facts::Facts;
use crate::model::finding::Fix;
use crate::model::round_trip::StepId;
use crate::moment::{Advice, Explanation, Moment};

/// A fix with the way to see more: the log of the sidecar that has to act, if it is visible, and the same once more.
pub(crate) fn with_sidecar_log(explanation: Explanation, moment: &Moment<'_>, fix: Fix) -> Explanation {
    let sidecar = if moment.step == StepId::Snapshot { is_csi_snapshotter } else { is_csi_provisioner };
    let driver = moment.subject.driver.as_deref();
    let running = driver.and_then(|driver| sidecar_in_sight(moment.facts, driver, sidecar));
    explanation.fix(fix.commands(running.and_then(|running| log(&running)))).advise(Advice::Again)
}

/// A fix with the log of the snapshot-controller, if it is visible.
pub(crate) fn with_controller_log(facts: &Facts, fix: Fix) -> Fix {
    fix.commands(snapshot_controllers(facts).installations().first().and_then(log))
}

/// Restarts the snapshot-controller, if it is visible.
pub(crate) fn restart_controller(facts: &Facts) -> Option<Command> {
    snapshot_controllers(facts).installations().iter().find_map(restart)
}
