//! Whether the API server has accepted the three CRDs.

use crate::knowledge::crds::{crd_evidence, installed};
use crate::model::check::{Check, Group, How, Severity};
use crate::model::command::kubectl;
use crate::model::facts::Facts;
use crate::model::finding::{Finding, Findings, Fix, Status};
use crate::model::kubernetes::CustomResourceDefinition;
use crate::model::need::Need;
use crate::text::names::fix_with;

/// See `doc.md`.
pub const CHECK: Check = Check {
    id: "SR103",
    slug: "snapshot-crds-established",
    title: "The API server has accepted the snapshot CRDs",
    group: Group::Api,
    severity: Severity::Error,
    since: "0.1.0",
    needs: &[Need::CustomResourceDefinitions],
    uses: &[],
    doc: include_str!("doc.md"),
    how: How::Looking(run),
};

fn run(facts: &Facts, findings: &mut Findings) {
    let crds = installed(facts);
    if crds.is_empty() {
        findings.skip("no snapshot CRD is installed");
        return;
    }
    let troubled: Vec<Finding> = crds.iter().filter_map(|crd| trouble(crd)).collect();
    if troubled.is_empty() {
        findings.pass(format!("{} of {} are established", crds.len(), crds.len()));
    }
    for finding in troubled {
        findings.push(finding);
    }
}

fn trouble(crd: &CustomResourceDefinition) -> Option<Finding> {
    let name = crd.metadata.name.as_str();
    let look = |text: &str| {
        fix_with(Fix::text(text), [name], |[name]| kubectl("describe customresourcedefinition").word(name))
    };
    if let Some(asked) = crd.metadata.deletion_timestamp {
        return Some(
            Finding::new(Status::Fail, format!("{name} is being deleted, and all its objects with it"))
                .target(name)
                .evidence(crd_evidence(name, "metadata.deletionTimestamp", asked.to_string()))
                .fix(look("See what holds it, and install it again once it is gone.")),
        );
    }
    let condition = crd.status.conditions.iter().find(|condition| condition.kind == "Established");
    if condition.is_some_and(|condition| condition.status == "True") {
        return None;
    }
    let not_accepted = crd.status.conditions.iter().find(|condition| condition.status == "False");
    let value = condition.map_or("not set", |condition| condition.status.as_str());
    let finding = Finding::new(Status::Fail, format!("{name} is not established: it is not served"))
        .target(name)
        .evidence(crd_evidence(name, "status.conditions[Established].status", value))
        .fix(look("Read its conditions; most often another CRD has taken one of its names."));
    Some(match not_accepted {
        Some(condition) => finding.cause(format!("{}: {}", condition.reason, condition.message)),
        None => finding,
    })
}
