//! Refusals of the API server, at a dry run or at a create: who refused, and what they want.

use snapready_checks::model::finding::{Evidence, Fix};
use snapready_checks::refusals::{lacks_service_account, may_pass};
use snapready_checks::upstream;

use super::in_words;
use super::result::{Found, RoundTripCheck, safe};
use crate::model::{CheckResult, ObjectName};

/// Why the API server does not take an object. `own_namespace` is whether the run has made the namespace: then it is gone
/// when the fix is read, and no command names it.
#[must_use]
pub fn refused(status: u16, reason: &str, message: &str, what: &ObjectName, own_namespace: bool) -> CheckResult {
    let namespace = what.namespace.as_deref().filter(|_| !own_namespace);
    let (cause, fix) = explain(status, reason, message, what, namespace);
    // A server that does not know a kind answers with plain text, and the client then complains of that.
    let plain = status == 404 && message.contains("404 page not found");
    let (reason, message) = if plain { ("NotFound", "404 page not found") } else { (reason, message) };
    let why = if plain { "the API server does not know this kind" } else { message };
    let evidence = Evidence {
        kind: what.kind.clone(),
        namespace: what.namespace.clone(),
        name: what.name.clone(),
        path: format!("HTTP {status} {reason}"),
        value: message.to_owned(),
    };
    Found::new(
        RoundTripCheck::AdmissionAllows,
        snapready_checks::model::finding::Status::Fail,
        None,
        &format!("{} is refused: {why}", in_words(what)),
    )
    .evidence([evidence])
    .cause(cause)
    .fix(fix)
    .done()
}

/// The text between two marks.
fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    text.split_once(before)?.1.split_once(after).map(|(found, _)| found)
}

fn explain(status: u16, reason: &str, message: &str, what: &ObjectName, lasting: Option<&str>) -> (String, Fix) {
    by_namespace(message, lasting)
        .or_else(|| by_policy(message))
        .unwrap_or_else(|| by_status(status, reason, message, what, lasting))
}

/// `-n NAMESPACE` for a namespace that stays, all namespaces otherwise.
fn scope(lasting: Option<&str>) -> String {
    lasting.map_or_else(|| "-A".to_owned(), |namespace| format!("-n {}", safe(namespace, "NAMESPACE")))
}

/// What the namespace's own objects and labels do not allow.
fn by_namespace(message: &str, lasting: Option<&str>) -> Option<(String, Fix)> {
    let scope = scope(lasting);
    // What a namespace of the run had, every new namespace gets.
    let elsewhere = if lasting.is_some() { "name another namespace" } else { "name an existing namespace with -n" };
    let quotas = |quota: &str| match lasting {
        Some(_) => format!("kubectl describe resourcequota {} {scope}", safe(quota, "NAME")),
        None => format!("kubectl get resourcequotas -A --field-selector metadata.name={}", safe(quota, "NAME")),
    };
    let says = |part: &str| message.contains(part);
    if says("exceeded quota: ") {
        let quota = between(message, "exceeded quota: ", ",").unwrap_or_default();
        let text =
            format!("Raise the quota, free some of it, or {elsewhere}; a smaller --size and --parallel 1 need less.");
        return Some((format!("ResourceQuota {quota} has no room for it"), Fix::text(text).command(quotas(quota))));
    }
    if says("failed quota: ") {
        let quota = between(message, "failed quota: ", ":").unwrap_or_default();
        return Some((
            format!("ResourceQuota {quota} wants something that the object does not set"),
            Fix::text(format!("Change the quota, or {elsewhere}.")).command(quotas(quota)),
        ));
    }
    let limit = ["minimum ", "maximum "].iter().any(|word| says(word))
        && (says(" per PersistentVolumeClaim is ") || says(" per Container is ") || says(" per Pod is "));
    if limit || says("max limit to request ratio per") {
        let text = if says("per PersistentVolumeClaim") {
            format!("Choose a size within the limits with --size, or {elsewhere}.")
        } else {
            format!("Widen the LimitRange, or {elsewhere}.")
        };
        return Some((
            "a LimitRange of the namespace does not allow it".to_owned(),
            Fix::text(text).command(format!("kubectl describe limitranges {scope}")),
        ));
    }
    if says("violates PodSecurity") {
        return Some((
            "Pod Security Admission: the namespace's level does not allow the pod, although it satisfies the restricted level as released; something changed it on its way, for example a mutating webhook".to_owned(),
            Fix::text("See which fields the message names, and what sets them.")
                .command("kubectl get mutatingwebhookconfigurations"),
        ));
    }
    if says("unable to validate against any security context constraint") {
        return Some((
            "OpenShift's SecurityContextConstraints do not allow the pod's user or group".to_owned(),
            Fix::text("Let the cluster assign the user, and give the namespace's service account the restricted-v2 constraint.")
                .command(format!("oc adm policy who-can use scc restricted-v2 {scope}")),
        ));
    }
    if says("because it is being terminated") {
        let cause = "the namespace is being deleted".to_owned();
        return Some(match lasting {
            Some(namespace) => (
                cause,
                Fix::text("Wait until it is gone, or name another namespace.")
                    .command(format!("kubectl get namespace {}", safe(namespace, "NAMESPACE"))),
            ),
            None => (cause, Fix::text("Find out what deletes new namespaces, or name an existing one with -n.")),
        });
    }
    None
}

/// What a policy or webhook does not allow.
fn by_policy(message: &str) -> Option<(String, Fix)> {
    let says = |part: &str| message.contains(part);
    if says("ValidatingAdmissionPolicy '") {
        let policy = between(message, "ValidatingAdmissionPolicy '", "'").unwrap_or_default();
        return Some((
            format!("ValidatingAdmissionPolicy {policy} denies it"),
            Fix::text("Make an exception for the run's namespace or labels (app.kubernetes.io/managed-by: snapready), or name a namespace that the policy leaves out.")
                .command(format!("kubectl get validatingadmissionpolicy {} -o yaml", safe(policy, "NAME"))),
        ));
    }
    if says("failed calling webhook") {
        return Some(webhook_down(message));
    }
    if says("admission webhook \"") {
        return Some(webhook_denied(message));
    }
    may_pass(message).then(|| still_refused(message))
}

/// What the API server itself says.
fn by_status(status: u16, reason: &str, message: &str, what: &ObjectName, lasting: Option<&str>) -> (String, Fix) {
    let says = |part: &str| message.contains(part);
    if status == 401 {
        return (
            "the API server does not accept the credentials".to_owned(),
            Fix::text("Log in again.").command("kubectl auth whoami"),
        );
    }
    if status == 403 && says(" cannot ") && says(" resource \"") {
        return missing_right(message, what, lasting);
    }
    if status == 404 && says("namespaces \"") {
        return (
            "the namespace does not exist".to_owned(),
            Fix::text("Create it, or leave out --namespace so that the run makes one.")
                .command(format!("kubectl create namespace {}", safe(lasting.unwrap_or_default(), "NAMESPACE"))),
        );
    }
    if status == 404 {
        return (
            format!(
                "the API server does not serve {} objects: their CRD is missing, or serves another version",
                what.kind
            ),
            Fix::text("Install the snapshot CRDs in version v1.")
                .command(upstream::apply(upstream::CRDS, upstream::NEWEST)),
        );
    }
    if status == 409 {
        return (
            "an object of this name is there already, from another run or from somebody else".to_owned(),
            Fix::text("Run again: every run has names of its own. Remove what older runs left.")
                .command("snapready cleanup --expired"),
        );
    }
    if status == 422 || reason == "Invalid" {
        return (
            "the API server's rules for this kind do not allow one of its fields".to_owned(),
            Fix::text("See which field the message names; a class that it names must exist and fit."),
        );
    }
    if status == 429 || status >= 500 {
        return (
            "the API server could not answer".to_owned(),
            Fix::text("Run again when the control plane is well.").command("kubectl get --raw '/readyz?verbose'"),
        );
    }
    (
        "an admission rule of this cluster denies it".to_owned(),
        Fix::text("See what the message names, and make an exception for it."),
    )
}

/// What passes within moments elsewhere, and did not here.
fn still_refused(message: &str) -> (String, Fix) {
    if lacks_service_account(message) {
        return (
            "the namespace has no service account for it, and gets none: kube-controller-manager creates the account default in every namespace".to_owned(),
            Fix::text("Look at kube-controller-manager, or for what deletes service accounts.")
                .command("kubectl get serviceaccounts -A"),
        );
    }
    if !message.contains("quota") {
        return (
            "what admits it changes an object that others change at the same time".to_owned(),
            Fix::text("See which object the message names, and what changes it all the time."),
        );
    }
    (
        "a ResourceQuota of the namespace cannot be evaluated: it is changed too often, or its usage is not known".to_owned(),
        Fix::text("Look at the quota's status, and at what creates objects beside this run; --parallel 1 needs fewer changes.")
            .command("kubectl get resourcequotas -A"),
    )
}

fn webhook_down(message: &str) -> (String, Fix) {
    let webhook = between(message, "failed calling webhook \"", "\"").unwrap_or_default();
    let leftover = webhook.contains("snapshot");
    let text = if leftover {
        "external-snapshotter has no webhook any more from 8.2 on: delete the configuration that was left behind, or bring its service back."
    } else {
        "Bring the webhook's service back; its owner decides whether its failurePolicy may be Ignore."
    };
    (
        format!("admission webhook {webhook} does not answer, and nothing is let through without it"),
        Fix::text(text).command("kubectl get validatingwebhookconfigurations,mutatingwebhookconfigurations"),
    )
}

fn webhook_denied(message: &str) -> (String, Fix) {
    let webhook = between(message, "admission webhook \"", "\"").unwrap_or_default();
    let (who, command) = if webhook.contains("kyverno") {
        ("a Kyverno policy", "kubectl get clusterpolicies,policies -A")
    } else if webhook.contains("gatekeeper") {
        ("a Gatekeeper constraint", "kubectl get constraints")
    } else {
        ("an admission webhook", "kubectl get validatingwebhookconfigurations")
    };
    (
        format!("{who} denies it (webhook {webhook})"),
        Fix::text("Make an exception for the run's namespace or labels (app.kubernetes.io/managed-by: snapready), or name a namespace that is left out; if it is about the image, name one of an allowed registry with --image.")
            .command(command),
    )
}

/// `pods is forbidden: User "x" cannot create resource "pods" in API group "" in the namespace "y"`.
fn missing_right(message: &str, what: &ObjectName, lasting: Option<&str>) -> (String, Fix) {
    let verb = between(message, "\" cannot ", " resource").unwrap_or("create");
    let resource = between(message, "resource \"", "\"").unwrap_or_default();
    let group = between(message, "API group \"", "\"").unwrap_or_default();
    let qualified = if group.is_empty() { resource.to_owned() } else { format!("{resource}.{group}") };
    let qualified = safe(&qualified, "RESOURCE");
    let verb = safe(verb, "create");
    let scope = if what.namespace.is_some() { format!(" {}", scope(lasting)) } else { String::new() };
    (
        format!("the caller lacks the right to {verb} {qualified}"),
        Fix::text(format!("Grant: {verb} {qualified}. `snapready rbac` prints all rules that a run needs."))
            .command("snapready rbac")
            .command(format!("kubectl auth can-i {verb} {qualified}{scope}")),
    )
}
