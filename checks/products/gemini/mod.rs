//! Gemini.

use crate::products::product::{Answer, Classes, Product, Question, Remedy};
use crate::products::rules::own_or_default;

/// Gemini.
pub const PRODUCT: Product = Product {
    word: "gemini",
    name: "Gemini",
    source: "FairwindsOps/gemini pkg/types/snapshotgroup",
    images: &["gemini"],
    classes: Classes::Chosen { by: choose, remedy: Remedy::Default },
};

fn choose(question: &Question<'_>) -> Answer {
    own_or_default(question, "template.spec.volumeSnapshotClassName of the SnapshotGroup")
}
