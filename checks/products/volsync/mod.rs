//! `VolSync`.

use crate::products::product::{Answer, Classes, Product, Question, Remedy};
use crate::products::rules::own_or_default;

/// `VolSync`.
pub const PRODUCT: Product = Product {
    word: "volsync",
    name: "VolSync",
    source: "backube/volsync documentation",
    images: &["volsync"],
    classes: Classes::Chosen { by: choose, remedy: Remedy::Default },
};

fn choose(question: &Question<'_>) -> Answer {
    own_or_default(question, "volumeSnapshotClassName of the ReplicationSource")
}
