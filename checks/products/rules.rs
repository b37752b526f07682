//! What the rules of several products have in common.

use crate::knowledge::classes::choose::{Choice, DEFAULT_SNAPSHOT_CLASS, choose_snapshot_class, classes_of};
use crate::knowledge::classes::marks::Mark;
use crate::model::kubernetes::VolumeSnapshotClass;
use crate::products::product::{Answer, Outcome, Question};
use crate::text::words::list;

impl<'a> Question<'a> {
    /// The driver of the volumes.
    pub(super) fn driver(&self) -> &'a str {
        &self.storage.provisioner
    }

    /// The classes of the driver, in the order of their names, as the API server lists them.
    pub(super) fn own(&self) -> Vec<&'a VolumeSnapshotClass> {
        classes_of(self.classes, self.driver())
    }

    /// What a product comes to by its mark; `None` if no class of the driver has it.
    pub(super) fn by_mark(&self, key: &str) -> Option<Outcome> {
        let mark = Mark::with_key(key)?;
        let marked: Vec<&VolumeSnapshotClass> = self.own().into_iter().filter(|class| mark.counts(class)).collect();
        let value = if mark.reads_value { "=true" } else { "" };
        (!marked.is_empty()).then(|| first(&marked, &format!("{} {key}{value}", mark.place.word())))
    }

    /// Those of them that have the annotation of the default, whatever its value.
    pub(super) fn annotated(&self) -> Vec<&'a VolumeSnapshotClass> {
        let has = |class: &&VolumeSnapshotClass| class.metadata.annotations.contains_key(DEFAULT_SNAPSHOT_CLASS);
        self.own().into_iter().filter(has).collect()
    }
}

/// It takes this class.
pub(super) fn takes(class: &VolumeSnapshotClass, why: impl Into<String>) -> Outcome {
    Outcome::Takes { class: class.metadata.name.clone(), why: why.into() }
}

/// The first one, with a word about the others.
pub(super) fn first(found: &[&VolumeSnapshotClass], why: &str) -> Outcome {
    match found {
        [] => Outcome::nothing(why.to_owned()),
        [class] => takes(class, why),
        [class, ..] => Outcome::Ambiguous {
            class: class.metadata.name.clone(),
            why: format!("{why} is on {}, and it takes the first of the list", names(found)),
        },
    }
}

pub(super) fn names(classes: &[&VolumeSnapshotClass]) -> String {
    list(classes.iter().map(|class| class.metadata.name.as_str()))
}

/// A field of the product's own objects, or Kubernetes' default rule, as the snapshot-controller applies it.
pub(super) fn own_or_default(question: &Question<'_>, field: &str) -> Answer {
    let driver = question.driver();
    Answer::from(match choose_snapshot_class(question.classes, driver) {
        Choice::One(class) => takes(class, format!("the default class of the driver, unless {field} names another")),
        Choice::Several(several) => Outcome::SeveralDefaults {
            why: format!(
                "{} are all default, and Kubernetes takes none then, unless {field} names one",
                names(&several)
            ),
        },
        Choice::None => Outcome::Names { why: format!("{driver} has no default class: {field} has to name one") },
    })
}
