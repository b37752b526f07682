//! A quota that has no room for a round trip, known before anything is created.

use super::CHECK;
use crate::model::command::kubectl;
use crate::model::finding::{Evidence, Fix};
use crate::model::quantity::Quantity;
use crate::moment::Explanation;
use crate::text::names::safe;

/// What a quota leaves, and what a round trip needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoRoom<'a> {
    /// The namespace, which was given.
    pub namespace: &'a str,
    /// The `ResourceQuota`.
    pub quota: &'a str,
    /// The resource, as the quota names it.
    pub resource: &'a str,
    /// As much as there may be.
    pub hard: u64,
    /// As much as is left.
    pub free: u64,
    /// As much as the round trip has at a time.
    pub needed: u64,
    /// Whether these are bytes.
    pub in_bytes: bool,
}

/// A quota has no room for a round trip, even if it is alone.
#[must_use]
pub fn no_room(found: &NoRoom<'_>) -> Explanation {
    let NoRoom { namespace, quota, resource, hard, free, needed, in_bytes } = *found;
    let amount = |number: u64| if in_bytes { Quantity(number).to_string() } else { number.to_string() };
    let message = format!(
        "ResourceQuota {quota} of namespace {namespace} leaves {} of {} {resource}, and the round trip needs {}",
        amount(free),
        amount(hard),
        amount(needed)
    );
    let smaller = if in_bytes { ", or choose a smaller --size" } else { "" };
    let text = format!("Raise the quota, free some of it, use another namespace{smaller}.");
    let look =
        kubectl("describe resourcequota").word(safe(quota, "NAME")).words("-n").word(safe(namespace, "NAMESPACE"));
    Explanation::fail(&CHECK, &message)
        .evidence([
            Evidence::namespaced("ResourceQuota", namespace, quota, &format!("status.hard {resource}"), amount(hard)),
            Evidence::namespaced(
                "ResourceQuota",
                namespace,
                quota,
                &format!("status.used {resource}"),
                amount(hard.saturating_sub(free)),
            ),
        ])
        .cause(format!("ResourceQuota {quota} has no room for it, so nothing was created"))
        .fix(Fix::text(text).command(look))
}
