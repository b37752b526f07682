//! `VolSync`.

use crate::model::products::ProductKind;
use crate::products::product::{Answer, Classes, Product, Question, Remedy};
use crate::products::rehearsal;
use crate::products::rules::own_or_default;

/// `VolSync`.
pub const PRODUCT: Product = Product {
    word: "volsync",
    name: "VolSync",
    source: "backube/volsync documentation",
    images: &["volsync"],
    classes: Classes::Chosen { by: choose, remedy: Remedy::Default },
    expires: true,
    patience: None,
    restore_patience: None,
    rehearsals: rehearsal::COPIES,
    kinds: &[&REPLICATION_SOURCE, &REPLICATION_DESTINATION],
};

/// What is copied when, and how.
pub const REPLICATION_SOURCE: ProductKind = ProductKind::new(
    "volsync.backube",
    &["v1alpha1"],
    "ReplicationSource",
    "replicationsources",
    &["spec.sourcePVC", "spec.paused", "spec.*.copyMethod", "spec.*.volumeSnapshotClassName"],
);

/// Where it is copied to.
pub const REPLICATION_DESTINATION: ProductKind = ProductKind::new(
    "volsync.backube",
    &["v1alpha1"],
    "ReplicationDestination",
    "replicationdestinations",
    &["spec.paused", "spec.*.copyMethod", "spec.*.volumeSnapshotClassName"],
);

fn choose(question: &Question<'_>) -> Answer {
    own_or_default(question, "volumeSnapshotClassName of the ReplicationSource")
}
