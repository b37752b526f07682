//! Veritas `NetBackup`.

use crate::products::product::{Answer, Classes, Outcome, Product, Question, Remedy};
use crate::products::rehearsal;

const KEY: &str = "netbackup.veritas.com/default-csi-volume-snapshot-class";

/// `NetBackup`.
pub const PRODUCT: Product = Product {
    word: "netbackup",
    name: "NetBackup",
    source: "Veritas NetBackup for Kubernetes administrator guide",
    images: &["netbackup", "netbackupkops"],
    classes: Classes::Chosen { by: choose, remedy: Remedy::Mark(KEY) },
    expires: false,
    patience: None,
    restore_patience: None,
    rehearsals: rehearsal::IN_PLACE,
    kinds: &[],
};

fn choose(question: &Question<'_>) -> Answer {
    let nothing = || Outcome::nothing(format!("no class of {} has label {KEY}=true", question.driver()));
    Answer::from(question.by_mark(KEY).unwrap_or_else(nothing))
}
