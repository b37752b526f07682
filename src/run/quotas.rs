//! The quotas of a namespace that was given.

use kube::api::ListParams;
use snapready_checks::model::object::Kind;

use crate::api::Objects;
use crate::roundtrip::quota::{Quota, quotas};

/// How often they are asked for at most.
const TRIES: u32 = 3;

/// The quotas of a namespace. Where they cannot be read, nothing is known of them: what they refuse is told then.
pub(super) async fn read(server: &Objects, namespace: &str) -> Vec<Quota> {
    let list = server.list(&Kind::RESOURCE_QUOTA, Some(namespace), &ListParams::default(), TRIES).await;
    quotas(&list.unwrap_or_default())
}
