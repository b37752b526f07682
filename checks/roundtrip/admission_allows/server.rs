//! What the API server itself answers.

use super::{Refusal, Why};
use crate::knowledge::upstream;
use crate::model::command::kubectl;
use crate::model::finding::Fix;
use crate::moment::Advice;
use crate::text::between::between;
use crate::text::names::safe;

pub(super) fn explain(refusal: &Refusal<'_>) -> Why {
    match refusal.status {
        401 => Why::new(
            "the API server does not accept the credentials",
            Fix::text("Log in again.").command(kubectl("auth whoami")),
        ),
        403 if refusal.says(" cannot ") && refusal.says(" resource \"") => missing_right(refusal),
        404 if refusal.says("namespaces \"") => {
            let namespace = safe(refusal.lasting_namespace().unwrap_or_default(), "NAMESPACE");
            Why::new(
                "the namespace does not exist",
                Fix::text("Create it, or name none, so that the run creates one of its own.")
                    .command(kubectl("create namespace").word(namespace)),
            )
        }
        404 => Why::new(
            format!(
                "the API server does not serve {} objects: their CRD is missing, or serves another version",
                refusal.object.kind
            ),
            Fix::text("Install the snapshot CRDs in version v1.")
                .command(upstream::apply(upstream::CRDS, upstream::NEWEST)),
        )
        .told_by(&["SR102", "SR103", "SR104"]),
        409 => Why::new(
            "an object of this name is there already, from another run or from somebody else",
            Fix::text("Try again: every run has names of its own. Remove what older runs left."),
        )
        .advise(Advice::CleanUp),
        429 | 500.. => Why::new(
            "the API server could not answer",
            Fix::text("Try again when the control plane is well.")
                .command(kubectl("get --raw").word("/readyz?verbose")),
        ),
        status if status == 422 || refusal.reason == "Invalid" => Why::new(
            "the API server's rules for this kind do not allow one of its fields",
            Fix::text("Check which field the message names; a class that it names must exist and fit."),
        ),
        _ => Why::new(
            "an admission rule of this cluster denies it",
            Fix::text("Check what the message names, and make an exception for it."),
        ),
    }
}

/// `pods is forbidden: User "x" cannot create resource "pods" in API group "" in the namespace "y"`.
fn missing_right(refusal: &Refusal<'_>) -> Why {
    let verb = between(refusal.message, "\" cannot ", " resource").unwrap_or("create");
    let resource = between(refusal.message, "resource \"", "\"").unwrap_or_default();
    let group = between(refusal.message, "API group \"", "\"").unwrap_or_default();
    let qualified = if group.is_empty() { resource.to_owned() } else { format!("{resource}.{group}") };
    let qualified = safe(&qualified, "RESOURCE");
    let verb = safe(verb, "create");
    let scope = if refusal.object.namespace.is_some() { refusal.scope() } else { Vec::new() };
    let fix = Fix::text(format!("Grant: {verb} {qualified}. `snapready rbac` prints all rules that a run needs."))
        .command(kubectl("auth can-i").word(verb).word(qualified).arguments(&scope));
    Why::new(format!("the caller lacks the right to {verb} {qualified}"), fix).advise(Advice::Rights)
}
