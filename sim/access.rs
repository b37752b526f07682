//! Access reviews. Everything is allowed that no fault forbids.

use serde_json::{Value, json};

use super::faults::Faults;
use super::object::Object;
use super::resources::ALL;

const VERBS: [&str; 8] = ["get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"];

/// Answers a `SelfSubjectAccessReview`.
pub(super) fn access_review(faults: &Faults, mut review: Value) -> Value {
    let verb = review.text("/spec/resourceAttributes/verb");
    let resource = review.text("/spec/resourceAttributes/resource");
    let forbidden = if verb == "*" || resource == "*" {
        VERBS.iter().any(|verb| ALL.iter().any(|definition| faults.forbids(verb, definition.plural)))
    } else {
        !resource.is_empty() && faults.forbids(verb, resource)
    };
    review.set(&["kind"], json!("SelfSubjectAccessReview"));
    review.set(&["apiVersion"], json!("authorization.k8s.io/v1"));
    review.set(&["status"], json!({ "allowed": !forbidden }));
    review
}
