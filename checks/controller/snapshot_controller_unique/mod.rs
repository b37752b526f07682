//! Whether there is only one snapshot-controller at work.

use crate::knowledge::control_plane::arguments::{is_on, value};
use crate::knowledge::control_plane::bundled::{Owner, bundled, hides_its_own, keep, owner};
use crate::knowledge::control_plane::commands::show_labels;
use crate::knowledge::control_plane::containers::is_snapshot_controller;
use crate::knowledge::control_plane::leases::{CONTROLLER_LEASE, is_fresh, lease_evidence};
use crate::knowledge::control_plane::running::{Running, running};
use crate::model::check::{Check, Group, How, Severity};
use crate::model::command::kubectl;
use crate::model::facts::Facts;
use crate::model::finding::{Finding, Findings, Fix, Status};
use crate::model::need::Need;
use crate::text::names::{fix_with, is_object_name};
use crate::text::words::list;

/// See `doc.md`.
pub const CHECK: Check = Check {
    id: "SR113",
    slug: "snapshot-controller-unique",
    title: "Only one snapshot-controller is at work",
    group: Group::Controller,
    severity: Severity::Warning,
    since: "0.1.0",
    needs: &[Need::Pods],
    uses: &[
        Need::Workloads,
        Need::Leases,
        Need::Nodes,
        Need::ServerVersion,
        Need::CsiDrivers,
        Need::CsiNodes,
        Need::StorageClasses,
    ],
    doc: include_str!("doc.md"),
    how: How::Looking(run),
};

fn run(facts: &Facts, findings: &mut Findings) {
    let mut installations = running(facts, is_snapshot_controller);
    installations.retain(|installation| installation.wanted > 0);
    let leases = facts.leases.seen().into_iter().flatten();
    let mut leases: Vec<_> =
        leases.filter(|lease| lease.metadata.name == CONTROLLER_LEASE && is_fresh(lease, facts)).collect();
    leases.sort_by(|a, b| a.metadata.namespace.cmp(&b.metadata.namespace));
    if installations.len() > 1 {
        findings.push(several(facts, &installations));
        return;
    }
    if leases.len() > 1 {
        let finding =
            Finding::new(Status::Warn, format!("{} snapshot-controllers lead at the same time", leases.len()))
                .cause("One is out of sight; each works on every snapshot, and they overwrite each other's changes.")
                .fix(Fix::text("Remove the one that is visible: the distribution brings its own.").command(kubectl(
                    "get leases --all-namespaces --field-selector metadata.name=snapshot-controller-leader",
                )));
        findings.push(leases.into_iter().fold(finding, |finding, lease| finding.evidence(lease_evidence(lease))));
        return;
    }
    let Some(installation) = installations.first() else {
        findings.skip("no snapshot-controller is visible");
        return;
    };
    if installation.wanted > 1 && !is_on(installation.container, "leader-election") {
        let fix = Fix::text("Switch leader election on with the argument --leader-election=true, or run one replica.");
        let names = [installation.namespace.as_str(), installation.name.as_str()];
        let scales = matches!(installation.kind.as_str(), "Deployment" | "StatefulSet");
        let scale = |[namespace, name]: [&str; 2]| {
            let resource = installation.kind.to_ascii_lowercase();
            kubectl("-n").word(namespace).words("scale").word(resource).word(name).words("--replicas=1")
        };
        findings.push(
            Finding::new(
                Status::Warn,
                format!("{} runs {} replicas without leader election", installation.place(), installation.wanted),
            )
            .evidence(
                installation.evidence("spec.template.spec.containers[].args", installation.container.args.join(" ")),
            )
            .cause(
                "Leader election is off unless the argument switches it on, so each replica works on every snapshot.",
            )
            .fix(if scales { fix_with(fix, names, scale) } else { fix }),
        );
        return;
    }
    // What is out of sight cannot be counted.
    match hides_its_own(facts) {
        Some(distribution) => findings.unknown(format!(
            "whether {} is the only one: {distribution} runs its own out of sight, unless that was switched off",
            installation.place()
        )),
        None => findings.pass(format!("{}, and no other", installation.place())),
    }
}

fn several(facts: &Facts, installations: &[Running<'_>]) -> Finding {
    let places: Vec<String> = installations.iter().map(Running::place).collect();
    let finding = Finding::new(
        Status::Warn,
        format!("{} snapshot-controllers are installed: {}", installations.len(), list(places.iter().map(String::as_str))),
    )
    .cause(if share_a_lease(installations) {
        "They share a lease, so one of them works at a time: whichever has it, of whatever version."
    } else {
        "Each works on every snapshot; leader election does not help across namespaces. They overwrite each other's changes."
    });
    let finding = installations.iter().fold(finding, |finding, installation| {
        finding.evidence(installation.evidence("spec.template.spec.containers", &installation.container.image))
    });
    let bundled = bundled(facts);
    let (kept, advice) = match (hides_its_own(facts), keep(&bundled, installations)) {
        (Some(distribution), _) => {
            (None, format!("Remove all of them through what installed them: {distribution} runs its own out of sight."))
        }
        (None, Some((kept, why))) => (
            Some(kept.place()),
            format!("Keep {}, {why}. Remove the others through what installed them.", kept.place()),
        ),
        (None, None) => (None, "Keep one, and remove the others through what installed them.".to_owned()),
    };
    let others = || installations.iter().filter(|installation| Some(installation.place()) != kept);
    let in_drivers: Vec<String> =
        others().filter(|other| owner(&bundled, other) == Owner::Driver).map(Running::place).collect();
    let advice = if in_drivers.is_empty() {
        advice
    } else {
        let places = list(in_drivers.iter().map(String::as_str));
        format!("{advice} In a driver's pod ({places}), switch it off in the driver's chart.")
    };
    finding.fix(Fix::text(advice).commands(others().filter_map(show_labels)))
}

/// Whether all elect their leader by one lease.
fn share_a_lease(installations: &[Running<'_>]) -> bool {
    let namespace = |running: &Running<'_>| {
        let named = value(running.container, "leader-election-namespace").filter(|name| is_object_name(name));
        is_on(running.container, "leader-election").then(|| named.unwrap_or_else(|| running.namespace.clone()))
    };
    let mut leases = installations.iter().map(namespace);
    leases.next().flatten().is_some_and(|first| leases.all(|other| other.as_ref() == Some(&first)))
}
