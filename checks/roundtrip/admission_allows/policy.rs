//! What a policy or webhook does not allow, and what passes within moments elsewhere.

use super::{Refusal, Why};
use crate::knowledge::refusals::{lacks_service_account, may_pass};
use crate::model::command::kubectl;
use crate::model::finding::Fix;
use crate::model::object::Kind;
use crate::moment::Advice;
use crate::text::between::between;
use crate::text::names::safe;

pub(super) fn explain(refusal: &Refusal<'_>) -> Option<Why> {
    let message = refusal.message;
    if refusal.says("ValidatingAdmissionPolicy '") {
        let policy = between(message, "ValidatingAdmissionPolicy '", "'").unwrap_or_default();
        return Some(Why::new(
            format!("ValidatingAdmissionPolicy {policy} denies it"),
            Fix::text("Make an exception for the run's namespace or labels (app.kubernetes.io/managed-by: snapready), or use a namespace that the policy leaves out.")
                .command(kubectl("get validatingadmissionpolicy").word(safe(policy, "NAME")).words("-o yaml")),
        ));
    }
    if refusal.says("failed calling webhook") {
        return Some(webhook_down(message));
    }
    if refusal.says("admission webhook \"") {
        return Some(webhook_denied(message, refusal.object.kind == Kind::POD.name));
    }
    may_pass(message).then(|| still_refused(message))
}

pub(super) fn webhook_down(message: &str) -> Why {
    let webhook = between(message, "failed calling webhook \"", "\"").unwrap_or_default();
    let is_of_upstream = webhook.contains("snapshot");
    let text = if is_of_upstream {
        "external-snapshotter has no webhook any more from 8.2 on: delete the configuration that was left behind, or bring its service back."
    } else {
        "Bring the webhook's service back; its owner decides whether its failurePolicy may be Ignore."
    };
    Why::new(
        format!("admission webhook {webhook} does not answer, and nothing is let through without it"),
        Fix::text(text).command(kubectl("get validatingwebhookconfigurations,mutatingwebhookconfigurations")),
    )
    .told_by(if is_of_upstream { &["SR108"] } else { &[] })
}

/// What a webhook has decided; its own sentence says why. Only pods have images.
pub(super) fn webhook_denied(message: &str, is_pod: bool) -> Why {
    let webhook = between(message, "admission webhook \"", "\"").unwrap_or_default();
    let (who, command) = if webhook.contains("kyverno") {
        ("a Kyverno policy", kubectl("get clusterpolicies,policies -A"))
    } else if webhook.contains("gatekeeper") {
        ("a Gatekeeper constraint", kubectl("get constraints"))
    } else {
        ("an admission webhook", kubectl("get validatingwebhookconfigurations"))
    };
    let sentence = message.split_once("denied the request: ").map(|(_, sentence)| sentence.trim());
    let cause = match sentence.filter(|sentence| !sentence.is_empty()) {
        Some(sentence) => format!("{who} denies it (webhook {webhook}): {sentence}"),
        None => format!("{who} denies it (webhook {webhook}), and does not say why"),
    };
    let exception = "Make an exception for the run's namespace or labels (app.kubernetes.io/managed-by: snapready), or use a namespace that is left out";
    if !is_pod {
        return Why::new(cause, Fix::text(format!("Do what it asks for. {exception}.")).command(command));
    }
    let text = format!("{exception}; if it is about the image, name one of an allowed registry.");
    Why::new(cause, Fix::text(text).command(command)).advise(Advice::Image)
}

/// What passes within moments elsewhere, and did not here.
fn still_refused(message: &str) -> Why {
    if lacks_service_account(message) {
        return Why::new(
            "the namespace has no service account for it, and gets none: kube-controller-manager creates the account default in every namespace",
            Fix::text("Check kube-controller-manager, or what deletes service accounts.")
                .command(kubectl("get serviceaccounts -A")),
        );
    }
    if !message.contains("quota") {
        return Why::new(
            "what admits it changes an object that others change at the same time",
            Fix::text("Check which object the message names, and what changes it all the time."),
        );
    }
    Why::new(
        "a ResourceQuota of the namespace cannot be evaluated: it is changed too often, or its usage is not known",
        Fix::text("Check the quota's status, and what creates objects beside this run; one volume at a time needs fewer changes.")
            .command(kubectl("get resourcequotas -A")),
    )
    .advise(Advice::OneAtATime)
}
