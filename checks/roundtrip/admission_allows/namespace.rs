//! What the namespace's own objects and labels do not allow.

use super::{Refusal, Why};
use crate::model::command::{Command, kubectl};
use crate::model::finding::Fix;
use crate::model::round_trip::PodUser;
use crate::moment::Advice;
use crate::text::between::between;
use crate::text::names::safe;

pub(super) fn explain(refusal: &Refusal<'_>) -> Option<Why> {
    quota(refusal)
        .or_else(|| limits(refusal))
        .or_else(|| pod_security(refusal))
        .or_else(|| security_context_constraints(refusal))
        .or_else(|| terminating(refusal))
}

/// What a namespace of the run had, every new namespace gets.
fn elsewhere(refusal: &Refusal<'_>) -> &'static str {
    if refusal.lasting_namespace().is_some() { "use another namespace" } else { "use an existing namespace" }
}

fn quota(refusal: &Refusal<'_>) -> Option<Why> {
    let look = |quota: &str| {
        let quota = safe(quota, "NAME");
        if refusal.lasting_namespace().is_some() {
            kubectl("describe resourcequota").word(quota).arguments(&refusal.scope())
        } else {
            kubectl("get resourcequotas -A --field-selector").word(format!("metadata.name={quota}"))
        }
    };
    let elsewhere = elsewhere(refusal);
    if refusal.says("exceeded quota: ") {
        let quota = between(refusal.message, "exceeded quota: ", ",").unwrap_or_default();
        let text = format!(
            "Raise the quota, free some of it, or {elsewhere}; a smaller size, and one volume at a time, need less."
        );
        let why = Why::new(format!("ResourceQuota {quota} has no room for it"), Fix::text(text).command(look(quota)));
        return Some(why.advise(Advice::OneAtATime));
    }
    if refusal.says("failed quota: ") {
        let quota = between(refusal.message, "failed quota: ", ":").unwrap_or_default();
        return Some(Why::new(
            format!("ResourceQuota {quota} wants something that the object does not set"),
            Fix::text(format!("Change the quota, or {elsewhere}.")).command(look(quota)),
        ));
    }
    None
}

fn limits(refusal: &Refusal<'_>) -> Option<Why> {
    let limit = ["minimum ", "maximum "].iter().any(|word| refusal.says(word))
        && [" per PersistentVolumeClaim is ", " per Container is ", " per Pod is "]
            .iter()
            .any(|word| refusal.says(word));
    if !limit && !refusal.says("max limit to request ratio per") {
        return None;
    }
    let of_claim = refusal.says("per PersistentVolumeClaim");
    let what = if of_claim { "Choose a size within the limits" } else { "Widen the LimitRange" };
    let fix = Fix::text(format!("{what}, or {}.", elsewhere(refusal)))
        .command(kubectl("describe limitranges").arguments(&refusal.scope()));
    let why = Why::new("a LimitRange of the namespace does not allow it", fix);
    Some(if of_claim { why.advise(Advice::Size) } else { why })
}

fn pod_security(refusal: &Refusal<'_>) -> Option<Why> {
    if !refusal.says("violates PodSecurity") {
        return None;
    }
    if refusal.user == PodUser::Root {
        let fix = Fix::text("Check what changes the labels of namespaces, and try again.")
            .command(kubectl("get namespaces -L pod-security.kubernetes.io/enforce"));
        let cause = "Pod Security Admission: the namespace's level allowed a pod that runs as root when it was asked, and does not any more";
        return Some(Why::new(cause, fix).advise(Advice::Again));
    }
    let fix = Fix::text("Check which fields the message names, and what sets them.")
        .command(kubectl("get mutatingwebhookconfigurations"));
    Some(Why::new(
        "Pod Security Admission: the namespace's level does not allow the pod, although it satisfies the restricted level as released; something changed it on its way, for example a mutating webhook",
        fix,
    ))
}

fn security_context_constraints(refusal: &Refusal<'_>) -> Option<Why> {
    let fix = Fix::text(
        "Let the cluster assign the user, and give the namespace's service account the restricted-v2 constraint.",
    )
    .command(Command::new("oc").words("adm policy who-can use scc restricted-v2").arguments(&refusal.scope()));
    refusal
        .says("unable to validate against any security context constraint")
        .then(|| Why::new("OpenShift's SecurityContextConstraints do not allow the pod's user or group", fix))
}

/// What the API server says of a namespace that is on its way out.
pub(super) const TERMINATING: &str = "because it is being terminated";

fn terminating(refusal: &Refusal<'_>) -> Option<Why> {
    if !refusal.says(TERMINATING) {
        return None;
    }
    let cause = "the namespace is being deleted";
    Some(match refusal.lasting_namespace() {
        Some(namespace) => {
            let fix = Fix::text("Wait until it is gone, or use another namespace.")
                .command(kubectl("get namespace").word(safe(namespace, "NAMESPACE")));
            Why::new(cause, fix)
        }
        None => Why::new(cause, Fix::text("Find out what deletes new namespaces, or use an existing one."))
            .advise(Advice::Namespace),
    })
}
