//! Whether the snapshot API is served in version v1.

use crate::knowledge::crds::release::{has_status, served};
use crate::knowledge::crds::{CONTENTS, SNAPSHOTS, crd_evidence, install, installed};
use crate::model::check::{Check, Group, How, Severity};
use crate::model::facts::Facts;
use crate::model::finding::{Evidence, Finding, Findings, Status};
use crate::model::need::Need;
use crate::model::object::SNAPSHOT_GROUP;

/// See `doc.md`.
pub const CHECK: Check = Check {
    id: "SR104",
    slug: "snapshot-api-v1-served",
    title: "snapshot.storage.k8s.io is served at v1",
    group: Group::Api,
    severity: Severity::Error,
    since: "0.1.0",
    needs: &[Need::SnapshotApis],
    uses: &[Need::CustomResourceDefinitions, Need::ServerVersion],
    doc: include_str!("doc.md"),
    how: How::Looking(run),
};

const UPGRADE: &str = "Install CRDs of a current release; objects of version v1beta1 stay readable.";

fn run(facts: &Facts, findings: &mut Findings) {
    let Some(apis) = facts.snapshot_apis.seen() else {
        return;
    };
    let crds = installed(facts);
    let Some(versions) = apis.0.get(SNAPSHOT_GROUP) else {
        if facts.custom_resource_definitions.seen().is_some() && crds.is_empty() {
            findings.skip("no snapshot CRD is installed");
        } else {
            findings.push(
                Finding::new(Status::Fail, format!("{SNAPSHOT_GROUP} is not served"))
                    .evidence(Evidence::cluster("APIGroup", SNAPSHOT_GROUP, "versions", "not served"))
                    .cause("The snapshot CRDs are not installed, or the API server has not accepted them.")
                    .fix(install(facts, "Install the CRDs.")),
            );
        }
        return;
    };
    if !versions.iter().any(|version| version == "v1") {
        let versions = versions.join(", ");
        findings.push(
            Finding::new(Status::Fail, format!("{SNAPSHOT_GROUP} is served at {versions}, not at v1"))
                .evidence(Evidence::cluster("APIGroup", SNAPSHOT_GROUP, "versions", versions))
                .cause("The CRDs are older than external-snapshotter 4.0; every controller since then speaks v1.")
                .fix(install(facts, UPGRADE)),
        );
        return;
    }
    // The group has every version that one of its CRDs serves; each of the three must serve v1 itself.
    let mut whole = true;
    for crd in crds {
        let name = crd.metadata.name.as_str();
        let finding = if !served(crd).contains(&"v1") {
            let versions = served(crd).join(", ");
            Finding::new(Status::Fail, format!("{name} is not served at v1"))
                .evidence(crd_evidence(name, "spec.versions", format!("served: {versions}")))
                .cause("An upgrade of the CRDs stopped halfway.")
        } else if [SNAPSHOTS, CONTENTS].contains(&name) && !has_status(crd, "v1") {
            Finding::new(Status::Fail, format!("{name} has no status subresource, so no controller can report on it"))
                .evidence(crd_evidence(name, "spec.versions[v1].subresources.status", "not set"))
                .cause("No release of external-snapshotter ships such a CRD: it was edited.")
        } else {
            continue;
        };
        whole = false;
        findings.push(finding.target(name).fix(install(facts, UPGRADE)));
    }
    if whole {
        findings.pass(format!("{SNAPSHOT_GROUP} is served at {}", versions.join(", ")));
    }
}
