//! Whether there is only one snapshot-controller at work.

use crate::knowledge::control_plane::arguments::is_on;
use crate::knowledge::control_plane::containers::is_snapshot_controller;
use crate::knowledge::control_plane::leases::{CONTROLLER_LEASE, is_fresh, lease_evidence};
use crate::knowledge::control_plane::running::{Running, running};
use crate::model::check::{Check, Group, How, Severity};
use crate::model::command::kubectl;
use crate::model::facts::Facts;
use crate::model::finding::{Finding, Findings, Fix, Status};
use crate::model::need::Need;
use crate::text::names::fix_with;
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
    uses: &[Need::Workloads, Need::Leases],
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
        let places: Vec<String> = installations.iter().map(Running::place).collect();
        let finding = Finding::new(
            Status::Warn,
            format!("{} snapshot-controllers are installed: {}", installations.len(), list(places.iter().map(String::as_str))),
        )
        .cause("Each works on every snapshot; leader election does not help across namespaces. They overwrite each other's changes.");
        let finding = installations.iter().fold(finding, |finding, installation| {
            finding.evidence(installation.evidence("spec.template.spec.containers", &installation.container.image))
        });
        let mut fix = Fix::text(
            "Keep one, the distribution's if it brings one, and remove the others through what installed them.",
        );
        for installation in &installations {
            fix = fix_with(fix, [&installation.namespace], |[namespace]| {
                kubectl("-n").word(namespace).words("get pods -o wide")
            });
        }
        fix.commands.dedup();
        findings.push(finding.fix(fix));
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
    findings.pass(format!("{}, and no other", installation.place()));
}
