//! Refusals of the API server that pass by themselves.

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

/// Who refuses a pod because of the user that it runs as, from the text of the refusal.
#[must_use]
pub fn refuses_users(message: &str) -> String {
    let named = |before: &str, after: &str| {
        let found = message.split_once(before)?.1.split_once(after)?.0;
        (!found.is_empty()).then(|| found.to_owned())
    };
    // pod-security-admission/admission/admission.go: violates PodSecurity "restricted:latest": ...
    if let Some(level) = named("violates PodSecurity \"", "\"") {
        return format!("Pod Security level {level} of the namespace");
    }
    if message.contains("unable to validate against any security context constraint") {
        return "OpenShift's SecurityContextConstraints".to_owned();
    }
    if let Some(policy) = named("ValidatingAdmissionPolicy '", "'") {
        return format!("ValidatingAdmissionPolicy {policy}");
    }
    match named("admission webhook \"", "\"") {
        Some(webhook) => format!("admission webhook {webhook}"),
        None => "an admission rule of this cluster".to_owned(),
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
            assert_eq!(refuses_users(message), who);
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
