//! The `CronJob` snapshotter of Kyma and Gardener.

use crate::products::product::{Answer, Classes, Product, Question, Remedy};
use crate::products::rules::own_or_default;

/// The `CronJob` snapshotter of Kyma and Gardener.
pub const PRODUCT: Product = Product {
    word: "kyma",
    name: "Kyma and Gardener CronJob",
    source: "kyma-project/kyma documentation, volume snapshotter",
    images: &["volume-snapshotter"],
    classes: Classes::Chosen { by: choose, remedy: Remedy::Default },
};

fn choose(question: &Question<'_>) -> Answer {
    own_or_default(question, "volumeSnapshotClassName in the script")
}
