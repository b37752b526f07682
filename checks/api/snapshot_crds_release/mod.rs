//! From which release the three CRDs come, and whether it is one and the same.

use crate::knowledge::crds::release::{Release, Together, listed, together};
use crate::knowledge::crds::{CLASSES, CONTENTS, SNAPSHOTS, crd, crd_evidence, install};
use crate::model::check::{Check, Group, How, Severity};
use crate::model::facts::Facts;
use crate::model::finding::{Finding, Findings, Fix, Status};
use crate::model::need::Need;
use crate::text::words::list;

/// See `doc.md`.
pub const CHECK: Check = Check {
    id: "SR106",
    slug: "snapshot-crds-release",
    title: "The snapshot CRDs are of one release, and whole",
    group: Group::Api,
    severity: Severity::Warning,
    since: "0.1.0",
    needs: &[Need::CustomResourceDefinitions],
    uses: &[Need::ServerVersion],
    doc: include_str!("doc.md"),
    how: How::Looking(run),
};

fn run(facts: &Facts, findings: &mut Findings) {
    let (Some(snapshots), Some(contents), Some(classes)) =
        (crd(facts, SNAPSHOTS), crd(facts, CONTENTS), crd(facts, CLASSES))
    else {
        findings.skip("the snapshot CRDs are not all installed");
        return;
    };
    match together(snapshots, contents, classes) {
        Together::Release { release: Release::V8, rules_dropped: true } => findings.push(
            Finding::new(Status::Warn, "the CRDs are of 8.0 to 8.7, but the API server has dropped their validation rules")
                .evidence(crd_evidence(SNAPSHOTS, "spec.versions[v1].schema..x-kubernetes-validations", "not set"))
                .cause("Kubernetes below 1.25 does not know such rules, so nothing refuses a snapshot with two sources or none.")
                .fix(install(facts, "Use the CRDs of release 7.0, or upgrade Kubernetes to 1.25 or later.")),
        ),
        Together::Release { release, .. } if release < Release::V4_0 => findings.push(
            Finding::new(Status::Warn, format!("the CRDs are of external-snapshotter {}", release.releases()))
                .evidence(crd_evidence(SNAPSHOTS, "spec.versions", list(listed(snapshots))))
                .cause("They are older than the v1 API, which every controller since 4.0 needs.")
                .fix(install(facts, "Install CRDs of a current release."))
                .follows_from("SR104", None),
        ),
        Together::Release { release, .. } => {
            findings.pass(format!("the CRDs are of external-snapshotter {}", release.releases()));
        }
        Together::HalfDone { each } => {
            let says: Vec<String> = each
                .iter()
                .map(|(name, releases)| {
                    let releases: Vec<&str> = releases.iter().map(|release| release.releases()).collect();
                    format!("{name} is of {}", releases.join(" or "))
                })
                .collect();
            let finding = Finding::new(Status::Warn, format!("the CRDs are of different releases: {}", says.join("; ")))
                .cause("An upgrade stopped halfway, or two installers each brought some of them.");
            let fix = match facts.server_version.seen() {
                Some(_) => install(facts, "Install all CRDs of one release."),
                None => Fix::text("Install all CRDs of one release."),
            };
            let finding = each.iter().fold(finding, |finding, (name, _)| {
                let versions = crd(facts, name).map(listed).unwrap_or_default();
                finding.evidence(crd_evidence(name, "spec.versions", list(versions)))
            });
            findings.push(finding.fix(fix));
        }
    }
}
