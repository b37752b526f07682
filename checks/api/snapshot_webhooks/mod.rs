//! Whether the admission webhooks that are called for snapshot objects answer.

mod trusted;
mod upstream;

use crate::api::snapshot_webhooks::trusted::{Distrust, distrust};
use crate::api::snapshot_webhooks::upstream::{OfUpstream, of_upstream};
use crate::model::check::{Check, Group, How, Severity};
use crate::model::command::{Command, kubectl};
use crate::model::facts::Facts;
use crate::model::finding::{Evidence, Finding, Findings, Fix, Status};
use crate::model::need::Need;
use crate::model::probe::{Missing, Probe};
use crate::model::webhooks::{ServiceState, Webhook, WebhookConfiguration, WebhookRule};
use crate::text::names::is_object_name;
use crate::text::words::list;

/// See `doc.md`.
pub const CHECK: Check = Check {
    id: "SR108",
    slug: "snapshot-webhooks",
    title: "The admission webhooks for snapshots answer",
    group: Group::Api,
    severity: Severity::Error,
    since: "0.2.0",
    needs: &[Need::WebhookConfigurations, Need::WebhookServices],
    uses: &[Need::Pods, Need::Workloads],
    doc: include_str!("doc.md"),
    how: How::Looking(run),
};

/// Whether whoever a webhook calls is there.
enum Callee {
    Answers(String),
    Gone { what: String, evidence: Vec<Evidence> },
    Outside(String),
    Unknown(String),
}

fn run(facts: &Facts, findings: &mut Findings) {
    let Some(configurations) = facts.webhook_configurations.seen() else { return };
    let webhooks = configurations.iter().flat_map(|one| one.webhooks.iter().map(move |webhook| (one, webhook)));
    let mut any = false;
    for (configuration, webhook) in webhooks {
        any = true;
        // Components register one name for both kinds.
        let kind = if configuration.kind.starts_with("Mutating") { ", mutating" } else { "" };
        let target = format!("{}/{}{kind}", configuration.metadata.name, webhook.name);
        findings.push(look(facts, configuration, webhook).target(target));
    }
    if !any {
        findings.pass("no webhook is called for snapshot objects");
    }
}

fn look(facts: &Facts, configuration: &WebhookConfiguration, webhook: &Webhook) -> Finding {
    let about = list(webhook.rules.iter().flat_map(WebhookRule::of_snapshots));
    let leftover = of_upstream(facts, configuration, webhook);
    let callee = callee(facts, webhook);
    if let Callee::Gone { what, evidence } = callee {
        let effect = effect(webhook);
        let message = format!("webhook {} for {about} does not answer: {what}; {}", webhook.name, effect.1);
        let finding = evidence.into_iter().fold(Finding::new(effect.0, message), Finding::evidence);
        let finding = finding.evidence(rules(configuration, webhook));
        return match leftover {
            Some(found) => finding.cause(found.cause).fix(remove(configuration)),
            None => finding
                .cause("The component that registered it is gone or down: each request that its rules name waits for its answer, those of the controllers as well.")
                .fix(Fix::text("Make the component work again; if it was uninstalled, delete its configuration.").commands(get(configuration))),
        };
    }
    if let Some(distrust) = distrust(webhook, facts.collected_at) {
        return untrusted(configuration, webhook, &about, distrust, leftover);
    }
    match callee {
        Callee::Answers(what) => match leftover {
            Some(found) if found.is_wrong => Finding::new(Status::Warn, found.message)
                .evidence(rules(configuration, webhook))
                .cause(found.cause)
                .fix(remove(configuration)),
            _ => Finding::new(Status::Pass, format!("{} for {about}: {what}", configuration.metadata.name)),
        },
        // Those of managed control planes; a create is what shows whether they answer.
        Callee::Outside(url) => {
            Finding::new(Status::Skip, format!("webhook {} for {about} is outside of the cluster: {url}", webhook.name))
        }
        Callee::Gone { what: why, .. } | Callee::Unknown(why) => {
            Finding::new(Status::Unknown, format!("whether webhook {} answers: {why}", webhook.name))
        }
    }
}

/// What it means that a webhook cannot be called.
fn effect(webhook: &Webhook) -> (Status, &'static str) {
    if webhook.failure_policy.as_deref() == Some("Ignore") {
        (Status::Warn, "its failurePolicy is Ignore, so each request only waits for it")
    } else if webhook.is_selective() {
        (Status::Warn, "and its failurePolicy refuses those that its selectors and conditions choose")
    } else if is_written(webhook) && webhook.leaves_some_out() {
        (Status::Fail, "and its failurePolicy refuses all that its selectors do not leave out")
    } else if is_written(webhook) {
        (Status::Fail, "and its failurePolicy refuses them all")
    } else {
        (Status::Warn, "and its failurePolicy refuses the operations that its rules name")
    }
}

fn untrusted(
    configuration: &WebhookConfiguration,
    webhook: &Webhook,
    about: &str,
    distrust: Distrust,
    leftover: Option<OfUpstream>,
) -> Finding {
    let Distrust { what, value, is_certain } = distrust;
    let (status, effect) = effect(webhook);
    let name = &webhook.name;
    let (status, message) = if is_certain {
        (status, format!("the API server does not trust webhook {name} for {about}: {what}; {effect}"))
    } else {
        (Status::Warn, format!("the API server may not trust webhook {name} for {about}: {what}"))
    };
    let path = format!("webhooks[{name}].clientConfig.caBundle");
    let finding = Finding::new(status, message)
        .evidence(Evidence::cluster(&configuration.kind, &configuration.metadata.name, &path, value))
        .evidence(rules(configuration, webhook));
    match leftover {
        Some(found) => finding.cause(found.cause).fix(remove(configuration)),
        None => finding
            .cause("The API server connects to a webhook only if a certificate of its caBundle has signed the webhook's own. Whatever writes and renews the caBundle, such as cert-manager's cainjector or the component itself, has not done so.")
            .fix(Fix::text("Have the certificates renewed: look at the component's Certificate where cert-manager makes it, else restart the component; if it was uninstalled, delete its configuration.").commands(get(configuration))),
    }
}

/// Whether it is called when snapshots or contents are created or updated: the controllers set finalizers and status by updates.
/// Classes are written by people alone, and those that exist are used without it.
fn is_written(webhook: &Webhook) -> bool {
    let rules = webhook.rules.iter().filter(|rule| rule.of_snapshots().any(|one| !one.contains("class")));
    rules.flat_map(|rule| &rule.operations).any(|one| matches!(one.as_str(), "*" | "CREATE" | "UPDATE"))
}

fn callee(facts: &Facts, webhook: &Webhook) -> Callee {
    let Some(service) = &webhook.client_config.service else {
        return Callee::Outside(webhook.client_config.url.clone().unwrap_or_default());
    };
    let place = format!("{}/{}", service.namespace, service.name);
    let states = facts.webhook_services.seen().into_iter().flatten();
    let Some(ServiceState { exists, ready, .. }) = states.into_iter().find(|state| state.service == *service) else {
        return Callee::Unknown(format!("service {place} was not looked at"));
    };
    let evidence =
        |path: &str, value: &str| Evidence::namespaced("Service", &service.namespace, &service.name, path, value);
    match (exists.seen(), ready.seen()) {
        (Some(false), _) => Callee::Gone {
            what: format!("service {place} does not exist"),
            evidence: vec![evidence("metadata.name", "not found")],
        },
        (_, Some(0)) => Callee::Gone {
            what: format!("service {place} has no ready endpoints"),
            evidence: vec![evidence("endpoints", "none is ready")],
        },
        (_, Some(number)) => Callee::Answers(format!("service {place} has {number} ready")),
        (_, None) => Callee::Unknown(format!("service {place}: {}", why_unseen(ready))),
    }
}

fn why_unseen(probe: &Probe<usize>) -> String {
    match probe.missing() {
        Some(Missing::Forbidden { rule }) => format!("the API server refuses to {rule}"),
        Some(Missing::Failed { reason }) => reason,
        _ => "its endpoints could not be read".to_owned(),
    }
}

fn rules(configuration: &WebhookConfiguration, webhook: &Webhook) -> Evidence {
    let one = |rule: &WebhookRule| {
        format!("{} {} of {}", rule.operations.join(","), rule.resources.join(","), rule.api_groups.join(","))
    };
    let rules: Vec<String> = webhook.rules.iter().filter(|rule| rule.is_about_snapshots()).map(one).collect();
    let path = format!("webhooks[{}].rules", webhook.name);
    Evidence::cluster(&configuration.kind, &configuration.metadata.name, &path, rules.join("; "))
}

fn get(configuration: &WebhookConfiguration) -> Option<Command> {
    let name = configuration.metadata.name.as_str();
    let kind = configuration.kind.to_ascii_lowercase();
    (is_object_name(name) && is_object_name(&kind)).then(|| kubectl("get").word(kind).word(name).words("-o yaml"))
}

fn remove(configuration: &WebhookConfiguration) -> Fix {
    let fix = Fix::text(
        "Delete the configuration: since 8.0 rules in the CRDs do its work, and since 8.2 its image is no longer built.",
    );
    let name = configuration.metadata.name.as_str();
    let kind = configuration.kind.to_ascii_lowercase();
    let is_safe = is_object_name(name) && is_object_name(&kind);
    fix.commands(is_safe.then(|| kubectl("delete").word(kind).word(name)))
}
