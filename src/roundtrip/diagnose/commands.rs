//! Commands for fixes. A fix is read after the clean-up, when the run's own objects are gone, and mostly their namespace
//! too. So a command is about what stays, such as classes, the driver's logs, nodes and policies, or it runs the round
//! trip again with `--keep`, which leaves its objects to be looked at.

use snapready_checks::controller::find::snapshot_controllers;
use snapready_checks::model::facts::Facts;
use snapready_checks::model::finding::Fix;
use snapready_checks::model::kubernetes::Container;
use snapready_checks::running::Running;
use snapready_checks::sidecars::find::sidecar_in_sight;
use snapready_checks::sidecars::mapping::{is_csi_provisioner, is_csi_snapshotter};

use super::Observation;
use super::result::safe;
use crate::model::{StepId, VolumeMode};
use crate::roundtrip::plan::Target;

/// The same round trip once more, which leaves its objects in the cluster if it fails.
pub(super) fn again(target: &Target) -> String {
    let mode = match target.volume_mode {
        VolumeMode::Filesystem => "filesystem",
        VolumeMode::Block => "block",
    };
    let class = safe(&target.storage_class, "CLASS");
    format!("snapready roundtrip --storage-class {class} --volume-mode {mode} --keep on-failure")
}

/// Adds the way to see more: the log of the sidecar that has to act, if it is in sight, and the round trip once more.
pub(super) fn see_more(observation: &Observation<'_>, fix: Fix) -> Fix {
    let sidecar = if observation.step == StepId::Snapshot { is_csi_snapshotter } else { is_csi_provisioner };
    let fix = match sidecar_log(observation.facts, observation.target, sidecar) {
        Some(command) => fix.command(command),
        None => fix,
    };
    fix.command(again(observation.target))
}

fn sidecar_log(facts: &Facts, target: &Target, matches: fn(&Container) -> bool) -> Option<String> {
    let driver = target.driver.as_deref()?;
    log(&sidecar_in_sight(facts, driver, matches)?)
}

fn log(running: &Running<'_>) -> Option<String> {
    let container = Some(running.container.name.as_str()).filter(|name| safe(name, "") == *name)?;
    Some(format!("kubectl logs -n {} -c {container} --tail=50", workload(running)?))
}

/// `NAMESPACE deployment/NAME`; nothing of a kind that kubectl would have to be told the group of.
fn workload(running: &Running<'_>) -> Option<String> {
    let kind = match running.kind.as_str() {
        kind @ ("Deployment" | "StatefulSet" | "DaemonSet" | "Pod") => kind.to_ascii_lowercase(),
        _ => return None,
    };
    let name = |name: &str| safe(name, "") == name && !name.is_empty();
    (name(&running.namespace) && name(&running.name)).then(|| format!("{} {kind}/{}", running.namespace, running.name))
}

/// Restarts the snapshot-controller, if it is in sight.
pub(super) fn restart_controller(facts: &Facts) -> Option<String> {
    let controllers = snapshot_controllers(facts);
    let running = controllers.installations().iter().find(|running| running.kind == "Deployment")?;
    Some(format!("kubectl rollout restart -n {}", workload(running)?))
}
