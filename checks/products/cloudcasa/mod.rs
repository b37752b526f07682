//! `CloudCasa`.

use crate::products::product::{Answer, Classes, Outcome, Product, Question, Remedy};
use crate::products::rehearsal;

const KEY: &str = "cloudcasa.io/csi-volumesnapshot-class";

/// `CloudCasa`.
pub const PRODUCT: Product = Product {
    word: "cloudcasa",
    name: "CloudCasa",
    source: "docs.cloudcasa.io reference-vol-snapshot; catalogicsoftware/cloudcasa-artifacts",
    images: &["cloudcasa", "catalogicsoftware"],
    classes: Classes::Chosen { by: choose, remedy: Remedy::Mark(KEY) },
    expires: false,
    patience: None,
    restore_patience: None,
    rehearsals: rehearsal::IN_PLACE,
    kinds: &[],
};

fn choose(question: &Question<'_>) -> Answer {
    Answer::from(question.by_mark(KEY).unwrap_or_else(|| Outcome::Creates {
        why: format!(
            "no class of {} has label {KEY}=true, so it creates one without parameters, which drivers that need some cannot use",
            question.driver()
        ),
    }))
}
