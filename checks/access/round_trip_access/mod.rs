//! Whether the caller may do what a round trip does.

use crate::model::check::{Check, Group, How, Severity};
use crate::model::command::snapready;
use crate::model::facts::{AccessReview, Facts};
use crate::model::finding::{Evidence, Finding, Findings, Fix, Status};
use crate::model::need::Need;
use crate::text::words::{list, plural};

/// See `doc.md`.
pub const CHECK: Check = Check {
    id: "SR401",
    slug: "round-trip-access",
    title: "The caller may run a round trip",
    group: Group::Access,
    severity: Severity::Warning,
    since: "0.1.0",
    needs: &[Need::RoundTripAccess],
    uses: &[],
    doc: include_str!("doc.md"),
    how: How::Looking(run),
};

fn run(facts: &Facts, findings: &mut Findings) {
    let Some(reviews) = facts.round_trip_access.seen() else {
        return;
    };
    if reviews.is_empty() {
        findings.unknown("no right was asked for");
        return;
    }
    let denied: Vec<&AccessReview> = reviews.iter().filter(|review| !review.allowed).collect();
    if denied.is_empty() {
        findings.pass(format!("all {} are granted", plural(reviews.len(), "right")));
        return;
    }
    let rules: Vec<String> = denied.iter().map(|review| review.rule.to_string()).collect();
    let finding = Finding::new(Status::Warn, format!("the caller may not: {}", list(rules.iter().map(String::as_str))))
        .cause("Without these rights only a look is possible, not the proof that the data comes back.");
    let finding = denied.iter().fold(finding, |finding, review| {
        let rule = review.rule.to_string();
        finding.evidence(match &review.namespace {
            Some(namespace) => {
                Evidence::namespaced("SelfSubjectAccessReview", namespace, &rule, "status.allowed", "false")
            }
            None => Evidence::cluster("SelfSubjectAccessReview", &rule, "status.allowed", "false"),
        })
    });
    let namespaces = denied.iter().any(|review| review.rule.group.is_empty() && review.rule.resource == "namespaces");
    let text = if namespaces {
        "Have an administrator apply the printed roles, or name an existing namespace with --namespace."
    } else {
        "Have an administrator apply the printed roles."
    };
    findings.push(finding.fix(Fix::text(text).command(snapready("rbac"))));
}
