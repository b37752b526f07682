//! Whether the three CRDs that snapshots need are there.

use crate::knowledge::crds::{NEEDED, crd_evidence, install, installed};
use crate::model::check::{Check, Group, How, Severity};
use crate::model::facts::Facts;
use crate::model::finding::{Finding, Findings, Status};
use crate::model::need::Need;
use crate::text::words::list;

/// See `doc.md`.
pub const CHECK: Check = Check {
    id: "SR102",
    slug: "snapshot-crds-installed",
    title: "The three snapshot CRDs are installed",
    group: Group::Api,
    severity: Severity::Error,
    since: "0.1.0",
    needs: &[Need::CustomResourceDefinitions],
    uses: &[Need::ServerVersion],
    doc: include_str!("doc.md"),
    how: How::Looking(run),
};

fn run(facts: &Facts, findings: &mut Findings) {
    let found = installed(facts);
    let missing: Vec<&str> =
        NEEDED.into_iter().filter(|name| !found.iter().any(|crd| crd.metadata.name == *name)).collect();
    if missing.is_empty() {
        findings.pass("VolumeSnapshot, VolumeSnapshotContent and VolumeSnapshotClass are installed");
        return;
    }
    let message = if found.is_empty() {
        "no snapshot CRD is installed".to_owned()
    } else {
        format!("of the three snapshot CRDs these are missing: {}", list(missing.iter().copied()))
    };
    let finding = Finding::new(Status::Fail, message)
        .cause("Kubernetes does not bring them; the distribution, the driver or the administrator installs them.")
        .fix(install(facts, "Install the CRDs, then a snapshot-controller of the same release."));
    findings.push(
        missing
            .iter()
            .fold(finding, |finding, name| finding.evidence(crd_evidence(name, "metadata.name", "not found"))),
    );
}
