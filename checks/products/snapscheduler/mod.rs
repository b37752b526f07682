//! snapscheduler.

use crate::model::products::ProductKind;
use crate::products::product::{Answer, Classes, Product, Question, Remedy};
use crate::products::rehearsal;
use crate::products::rules::own_or_default;

/// snapscheduler.
pub const PRODUCT: Product = Product {
    word: "snapscheduler",
    name: "snapscheduler",
    source: "backube/snapscheduler documentation",
    images: &["snapscheduler"],
    classes: Classes::Chosen { by: choose, remedy: Remedy::Default },
    expires: true,
    patience: None,
    restore_patience: None,
    rehearsals: rehearsal::SCHEDULED,
    kinds: &[&SNAPSHOT_SCHEDULE],
};

/// Which claims are snapshotted when.
pub const SNAPSHOT_SCHEDULE: ProductKind = ProductKind::new(
    "snapscheduler.backube",
    &["v1"],
    "SnapshotSchedule",
    "snapshotschedules",
    &["spec.disabled", "spec.snapshotTemplate.snapshotClassName"],
);

fn choose(question: &Question<'_>) -> Answer {
    own_or_default(question, "snapshotTemplate.snapshotClassName of the SnapshotSchedule")
}
