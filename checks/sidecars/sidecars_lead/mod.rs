//! Whether the sidecars have leaders.

use crate::knowledge::control_plane::containers::{is_csi_provisioner, is_csi_snapshotter};
use crate::knowledge::control_plane::leading::leader;
use crate::knowledge::control_plane::leases::{SNAPSHOTTER_LEASE, sanitised};
use crate::knowledge::control_plane::sidecars::{Sidecar, sidecars};
use crate::knowledge::rights::judge::why_no_leader;
use crate::knowledge::version::Component;
use crate::model::check::{Check, Group, How, Severity};
use crate::model::facts::Facts;
use crate::model::finding::{Finding, Findings};
use crate::model::kubernetes::Container;
use crate::model::need::Need;
use crate::sidecars::SIGNS_AND_RIGHTS;
use crate::sidecars::sidecar_rights;

/// See `doc.md`.
pub const CHECK: Check = Check {
    id: "SR125",
    slug: "sidecars-lead",
    title: "The sidecars have elected their leaders",
    group: Group::Sidecars,
    severity: Severity::Error,
    since: "0.2.0",
    needs: &[Need::Pods],
    uses: SIGNS_AND_RIGHTS,
    doc: include_str!("doc.md"),
    how: How::Looking(run),
};

/// A kind of sidecar, how it is told, and what its leases' names begin with; the driver's follows.
type Kind = (Component, fn(&Container) -> bool, &'static str);

const KINDS: [Kind; 2] = [
    (Component::CsiSnapshotter, is_csi_snapshotter, SNAPSHOTTER_LEASE),
    (Component::CsiProvisioner, is_csi_provisioner, ""),
];

fn run(facts: &Facts, findings: &mut Findings) {
    let mut elects = false;
    for (component, is_kind, prefix) in KINDS {
        for sidecar in sidecars(facts, is_kind) {
            let found = of(facts, &sidecar, component, prefix);
            elects |= found.is_some();
            if let Some(finding) = found {
                findings.push(finding);
            }
        }
    }
    if !elects {
        findings.skip("no sidecar that runs elects a leader");
    }
}

fn of(facts: &Facts, sidecar: &Sidecar<'_>, component: Component, prefix: &str) -> Option<Finding> {
    let names: Vec<String> = sidecar.drivers.iter().map(|driver| format!("{prefix}{}", sanitised(driver))).collect();
    let is_its_lease = |name: &str| match names.as_slice() {
        // Whose it is nobody knows, so any lease of its kind may be its own.
        [] => name.starts_with(prefix),
        known => known.iter().any(|known| known == name),
    };
    let wanted = names.first().cloned().unwrap_or_else(|| format!("{prefix}..."));
    let found = leader(facts, &sidecar.running, component.name(), &wanted, is_its_lease)?;
    let found = if is_csi_snapshotter(sidecar.running.container) { found.strands() } else { found };
    let target = sidecar.target();
    let rights = (sidecar_rights::CHECK.id, Some(target.as_str()));
    let found = why_no_leader(found, facts, component, &sidecar.running, &sidecar.drivers, rights);
    // It takes its lease only after its driver has answered.
    let found = found.follows_from("SR128", Some(&target));
    Some(found.target(target).drivers(&sidecar.drivers))
}
