//! Whether the extensions of the API answer.

use crate::model::check::{Check, Group, How, Severity};
use crate::model::command::kubectl;
use crate::model::facts::Facts;
use crate::model::finding::{Evidence, Finding, Findings, Fix, Status};
use crate::model::need::Need;
use crate::model::webhooks::ApiService;
use crate::text::names::fix_with;
use crate::text::words::plural;

/// See `doc.md`.
pub const CHECK: Check = Check {
    id: "SR109",
    slug: "aggregated-apis",
    title: "The extensions of the Kubernetes API answer",
    group: Group::Api,
    severity: Severity::Warning,
    since: "0.2.0",
    needs: &[Need::ApiServices],
    uses: &[],
    doc: include_str!("doc.md"),
    how: How::Looking(run),
};

fn run(facts: &Facts, findings: &mut Findings) {
    let Some(services) = facts.api_services.seen() else { return };
    let mut broken = false;
    for service in services {
        if let Some(finding) = unavailable(service) {
            broken = true;
            findings.push(finding.target(service.metadata.name.as_str()));
        }
    }
    if !broken {
        findings.pass(match services.len() {
            0 => "there are none".to_owned(),
            number => format!("{}, available", plural(number, "extension")),
        });
    }
}

fn unavailable(service: &ApiService) -> Option<Finding> {
    // What is not said to be available is not asked (kube-aggregator, pkg/apiserver/handler_proxy.go).
    let condition = service.status.conditions.iter().find(|condition| condition.kind == "Available");
    if condition.is_some_and(|condition| condition.status == "True") {
        return None;
    }
    let seen = condition
        .map_or_else(|| "absent".to_owned(), |condition| format!("{}: {}", condition.reason, condition.message));
    let name = service.metadata.name.as_str();
    let place = service.spec.service.as_ref().map_or_else(String::new, |at| format!("{}/{}", at.namespace, at.name));
    let fix =
        Fix::text(format!("Make service {place} work again; if its component was uninstalled, delete the APIService."));
    Some(
        Finding::new(Status::Warn, format!("APIService {name}, which {place} answers, is not available"))
            .evidence(Evidence::cluster(
                "APIService",
                name,
                "status.conditions[Available]",
                seen,
            ))
            .cause("Discovery of the whole API is incomplete: no namespace can be deleted, that of a round trip neither, and backup products miss resources or abort.")
            .fix(fix_with(fix, [name], |[name]| kubectl("describe apiservice").word(name))),
    )
}
