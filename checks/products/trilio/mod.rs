//! Trilio.

use crate::knowledge::classes::choose::{Choice, choose_snapshot_class};
use crate::products::product::{Answer, Classes, Outcome, Product, Question, Remedy};
use crate::products::rehearsal;
use crate::products::rules::{names, takes};

/// Trilio.
pub const PRODUCT: Product = Product {
    word: "trilio",
    name: "Trilio",
    source: "trilioData/tvk-plugins preflight",
    images: &["trilio", "triliovault", "trilio-public-images"],
    classes: Classes::Chosen { by: choose, remedy: Remedy::Default },
    expires: false,
    patience: None,
    restore_patience: None,
    rehearsals: &[rehearsal::SNAPSHOT, rehearsal::STOPPED],
    kinds: &[],
};

/// A class of the driver, of several the default one. The preflight plugin creates one where there is none; whether backups do is
/// not public.
fn choose(question: &Question<'_>) -> Answer {
    let driver = question.driver();
    Answer::from(match (choose_snapshot_class(question.classes, driver), question.own().as_slice()) {
        (_, []) => Outcome::Unknown {
            why: format!("no class has driver {driver}; its preflight plugin creates one, its backups may not"),
        },
        (_, [class]) => takes(class, "the only class of the driver"),
        (Choice::One(class), _) => takes(class, "the default class of the driver"),
        (_, [class, ..]) => Outcome::Ambiguous {
            class: class.metadata.name.clone(),
            why: format!("{driver} has the classes {}, and not one of them is the default", names(&question.own())),
        },
    })
}
