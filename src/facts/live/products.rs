//! The objects of backup products: of each kind what its product's folder names.

use futures::future::join_all;
use serde_json::Value;
use snapready_checks::model::object::Kind;
use snapready_checks::model::probe::Probe;
use snapready_checks::model::products::{ProductKind, ProductObject, ProductObjects};

use crate::facts::live::list::list_with;
use crate::facts::live::request::Requests;

/// The objects of these kinds.
pub(super) async fn objects(requests: &Requests<'_>, kinds: &[&'static ProductKind]) -> Probe<Vec<ProductObjects>> {
    Probe::from(
        join_all(kinds.iter().map(async |kind| ProductObjects {
            group: kind.group.to_owned(),
            plural: kind.plural.to_owned(),
            objects: of_kind(requests, kind).await,
        }))
        .await,
    )
}

/// In the first version that is served: a product's release decides which one that is.
async fn of_kind(requests: &Requests<'_>, kind: &ProductKind) -> Probe<Vec<ProductObject>> {
    for version in kind.versions {
        let served = Kind { group: kind.group, version, name: kind.name, plural: kind.plural, namespaced: true };
        match list_with(requests, &served, |object: Value| kind.keep(&object)).await {
            Ok(objects) => return Probe::from(objects),
            Err(Probe::NotServed) => {}
            Err(unseen) => return unseen,
        }
    }
    Probe::NotServed
}
