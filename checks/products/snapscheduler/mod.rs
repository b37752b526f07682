//! snapscheduler.

use crate::products::product::{Answer, Classes, Product, Question, Remedy};
use crate::products::rules::own_or_default;

/// snapscheduler.
pub const PRODUCT: Product = Product {
    word: "snapscheduler",
    name: "snapscheduler",
    source: "backube/snapscheduler documentation",
    images: &["snapscheduler"],
    classes: Classes::Chosen { by: choose, remedy: Remedy::Default },
};

fn choose(question: &Question<'_>) -> Answer {
    own_or_default(question, "snapshotTemplate.snapshotClassName of the SnapshotSchedule")
}
