//! `KubeStash`.

use crate::products::product::{Answer, Classes, Product, Question, Remedy};
use crate::products::rules::own_or_default;

/// `KubeStash`.
pub const PRODUCT: Product = Product {
    word: "kubestash",
    name: "KubeStash",
    source: "kubestash/docs",
    images: &["kubestash"],
    classes: Classes::Chosen { by: choose, remedy: Remedy::Default },
};

fn choose(question: &Question<'_>) -> Answer {
    own_or_default(question, "volumeSnapshotClassName of the BackupConfiguration")
}
