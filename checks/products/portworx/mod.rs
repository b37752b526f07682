//! Portworx Backup, by Stork.

use jiff::SignedDuration;

use crate::model::facts::Facts;
use crate::products::product::{Answer, Classes, Outcome, Patience, Product, Question, Remedy};
use crate::products::rehearsal;
use crate::products::rules::takes;

/// Portworx Backup.
pub const PRODUCT: Product = Product {
    word: "portworx",
    name: "Portworx Backup (Stork)",
    source: "libopenstorage/stork drivers/volume/csi",
    images: &["stork"],
    classes: Classes::Chosen {
        by: choose,
        remedy: Remedy::Text("Create the class of that name with the parameters that the driver needs."),
    },
    expires: false,
    patience: Some(patience),
    restore_patience: Some(|facts| Some(patience(facts))),
    rehearsals: rehearsal::ANYWHERE,
    kinds: &[],
};

fn choose(question: &Question<'_>) -> Answer {
    let wanted = format!("stork-csi-snapshot-class-{}", question.driver());
    Answer::from(match question.own().iter().find(|class| class.metadata.name == wanted) {
        Some(class) => takes(class, "its name"),
        None => Outcome::Creates { why: format!("there is no class {wanted}, so it creates one without parameters") },
    })
}

/// Stork's own limit for a snapshot, and for a restore (`drivers/volume/csi`).
fn patience(_: &Facts) -> Patience {
    Patience { limit: SignedDuration::from_mins(5), set_by: "Stork, which gives no way to raise it" }
}
