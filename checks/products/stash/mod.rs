//! Stash.

use crate::products::product::{Answer, Classes, Product, Question, Remedy};
use crate::products::rules::own_or_default;

/// Stash.
pub const PRODUCT: Product = Product {
    word: "stash",
    name: "Stash",
    source: "stashed/docs",
    images: &["stash", "stash-enterprise"],
    classes: Classes::Chosen { by: choose, remedy: Remedy::Default },
};

fn choose(question: &Question<'_>) -> Answer {
    own_or_default(question, "spec.target.snapshotClassName of the BackupConfiguration")
}
