//! What the checks that judge each sidecar have in common.

use crate::knowledge::control_plane::running::Running;
use crate::knowledge::control_plane::sidecars::{Sidecar, sidecars};
use crate::model::facts::Facts;
use crate::model::finding::{Finding, Findings};
use crate::model::kubernetes::Container;

/// One finding for each sidecar of a kind, with its driver as the target. `judge` is told the sidecar and whether another
/// one that serves the same driver is ready.
pub(crate) fn each(
    facts: &Facts,
    findings: &mut Findings,
    what: &str,
    matches: fn(&Container) -> bool,
    judge: impl Fn(&Running<'_>, bool) -> Finding,
) {
    let all = sidecars(facts, matches);
    if all.is_empty() {
        findings.skip(format!("no {what} is visible"));
    }
    for sidecar in &all {
        let shares = |other: &&Sidecar<'_>| other.drivers.iter().any(|driver| sidecar.drivers.contains(driver));
        // Several workloads for one driver (one per node) are told apart by their places, and several in a pod by their names.
        let place = sidecar.running.place();
        let target = match sidecar.drivers.as_slice() {
            [driver] if all.iter().filter(shares).count() == 1 => driver.clone(),
            _ if all.iter().filter(|other| other.running.place() == place).count() == 1 => place,
            _ => format!("{place}/{}", sidecar.running.container.name),
        };
        let others = all.iter().filter(shares).filter(|other| !std::ptr::eq(*other, sidecar));
        let covered = others.into_iter().any(|other| other.running.ready > 0);
        findings.push(judge(&sidecar.running, covered).target(target).drivers(&sidecar.drivers));
    }
}
