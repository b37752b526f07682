//! Gemini.

use crate::model::products::ProductKind;
use crate::products::product::{Answer, Classes, Product, Question, Remedy};
use crate::products::rehearsal;
use crate::products::rules::own_or_default;

/// Gemini.
pub const PRODUCT: Product = Product {
    word: "gemini",
    name: "Gemini",
    source: "FairwindsOps/gemini pkg/types/snapshotgroup",
    images: &["gemini"],
    classes: Classes::Chosen { by: choose, remedy: Remedy::Default },
    expires: true,
    patience: None,
    restore_patience: None,
    rehearsals: rehearsal::SCHEDULED,
    kinds: &[&SNAPSHOT_GROUP],
};

/// Which claim is snapshotted when.
pub const SNAPSHOT_GROUP: ProductKind = ProductKind::new(
    "gemini.fairwinds.com",
    &["v1", "v1beta1"],
    "SnapshotGroup",
    "snapshotgroups",
    &["spec.template.spec.volumeSnapshotClassName", "spec.persistentVolumeClaim.claimName"],
);

fn choose(question: &Question<'_>) -> Answer {
    own_or_default(question, "template.spec.volumeSnapshotClassName of the SnapshotGroup")
}
