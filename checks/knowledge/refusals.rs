//! Refusals of the API server: which pass by themselves, and who refuses a pod's user.

use std::fmt::{self, Display, Formatter};

use crate::text::between::between;

/// Texts of refusals after which the same request is accepted moments later, and where Kubernetes makes them.
const PASSING: [&str; 5] = [
    // A new namespace gets its default service account a moment later.
    // plugin/pkg/admission/serviceaccount/admission.go
    "error looking up service account",
    "no API token found for service account",
    // The quota controller has not yet counted what a new ResourceQuota is about.
    // apiserver/pkg/admission/plugin/resourcequota/controller.go, CheckRequest
    "status unknown for quota",
    // The same file, Evaluate: an answer within 10 s or none.
    "resource quota evaluation timed out",
    // Several creates at once in a namespace with a ResourceQuota: each writes its usage, three times at most.
    // The same file, checkQuotas; the text is registry/generic/registry/store.go's.
    "the object has been modified",
];

/// Whether a refusal passes by itself within moments, so that the same request should be sent again: `message` is that of
/// the API server's Status object. Such a request was refused before anything was stored.
#[must_use]
pub fn may_pass(message: &str) -> bool {
    // apiserver/pkg/admission/plugin/webhook/errors/statuserror.go: the webhook was too slow, this time.
    let slow_webhook = message.contains("failed calling webhook")
        && (message.contains("context deadline exceeded") || message.contains("i/o timeout"));
    slow_webhook || PASSING.iter().any(|text| message.contains(text))
}

/// Whether a refusal, for which [`may_pass`] holds, is about a service account that is not there yet.
#[must_use]
pub fn lacks_service_account(message: &str) -> bool {
    message.contains("service account")
}

/// Who refuses a pod because of the user that it runs as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refuser<'a> {
    /// Pod Security Admission, by this level of the namespace: `restricted:latest`.
    PodSecurity(&'a str),
    /// `OpenShift`.
    SecurityContextConstraints,
    /// This `ValidatingAdmissionPolicy`.
    Policy(&'a str),
    /// This webhook.
    Webhook(&'a str),
    /// The text does not say who.
    Unnamed,
}

impl<'a> Refuser<'a> {
    /// From the text of the refusal.
    #[must_use]
    pub fn of(message: &'a str) -> Self {
        let named = |before, after| between(message, before, after).filter(|found| !found.is_empty());
        // pod-security-admission/admission/admission.go: violates PodSecurity "restricted:latest": ...
        if let Some(level) = named("violates PodSecurity \"", "\"") {
            return Self::PodSecurity(level);
        }
        if message.contains("unable to validate against any security context constraint") {
            return Self::SecurityContextConstraints;
        }
        if let Some(policy) = named("ValidatingAdmissionPolicy '", "'") {
            return Self::Policy(policy);
        }
        named("admission webhook \"", "\"").map_or(Self::Unnamed, Self::Webhook)
    }
}

impl Display for Refuser<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::PodSecurity(level) => write!(f, "Pod Security level {level} of the namespace"),
            Self::SecurityContextConstraints => f.write_str("OpenShift's SecurityContextConstraints"),
            Self::Policy(policy) => write!(f, "ValidatingAdmissionPolicy {policy}"),
            Self::Webhook(webhook) => write!(f, "admission webhook {webhook}"),
            Self::Unnamed => f.write_str("an admission rule of this cluster"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_refuses_a_user_is_named() {
        for (message, who) in [
            (
                "pods \"writer\" is forbidden: violates PodSecurity \"restricted:latest\": runAsNonRoot != true",
                "Pod Security level restricted:latest of the namespace",
            ),
            (
                "pods \"writer\" is forbidden: unable to validate against any security context constraint: []",
                "OpenShift's SecurityContextConstraints",
            ),
            (
                "ValidatingAdmissionPolicy 'no-root' with binding 'b' denied request: no",
                "ValidatingAdmissionPolicy no-root",
            ),
            (
                "admission webhook \"validate.kyverno.svc\" denied the request: no",
                "admission webhook validate.kyverno.svc",
            ),
            ("no", "an admission rule of this cluster"),
        ] {
            assert_eq!(Refuser::of(message).to_string(), who);
        }
    }

    #[test]
    fn what_comes_of_haste_passes_and_what_was_decided_does_not() {
        for message in [
            "pods \"writer\" is forbidden: error looking up service account ns/default: serviceaccount \"default\" not found",
            "pods \"writer\" is forbidden: status unknown for quota: q, resources: pods",
            "Internal error occurred: resource quota evaluation timed out",
            "Operation cannot be fulfilled on resourcequotas \"q\": the object has been modified; please apply your changes to the latest version and try again",
            "Internal error occurred: failed calling webhook \"w.example.com\": failed to call webhook: Post \"https://w.ns.svc:443/?timeout=10s\": context deadline exceeded",
        ] {
            assert!(may_pass(message), "{message}");
        }
        for message in [
            "pods \"writer\" is forbidden: exceeded quota: q, requested: pods=1, used: pods=4, limited: pods=4",
            "admission webhook \"w.example.com\" denied the request: no",
            "Internal error occurred: failed calling webhook \"w.example.com\": failed to call webhook: no endpoints available for service \"w\"",
            "pods \"writer\" already exists",
            "Operation cannot be fulfilled on pods \"writer\": Precondition failed: UID in precondition: 1, UID in object meta: 2",
        ] {
            assert!(!may_pass(message), "{message}");
        }
    }
}
