//! Kasten K10, by Kanister's library.

use crate::model::command::kubectl;
use crate::model::finding::Fix;
use crate::products::product::{Answer, Classes, Outcome, Product, Question, Remedy};
use crate::products::rehearsal;
use crate::products::rules::takes;
use crate::text::names::fix_with;

const KEY: &str = "k10.kasten.io/is-snapshot-class";

/// Kasten K10.
pub const PRODUCT: Product = Product {
    word: "kasten",
    name: "Kasten K10",
    source: "kanisterio/kanister pkg/kube/snapshot",
    images: &["kasten", "kasten-images", "k10"],
    classes: Classes::Chosen { by: choose, remedy: Remedy::Mark(KEY) },
    expires: false,
    patience: None,
    restore_patience: None,
    rehearsals: rehearsal::ANYWHERE,
    kinds: &[],
};

/// The `StorageClass` names a class, whose driver is not compared; else the first class with the annotation.
fn choose(question: &Question<'_>) -> Answer {
    let storage = question.storage;
    if let Some(name) = storage.metadata.annotations.get(KEY) {
        let why = format!("annotation {KEY} of the StorageClass");
        let fix = || {
            let fix = Fix::text("Let the annotation name a class of the driver, or remove it.");
            Some(fix_with(fix, [&storage.metadata.name], |[name]| {
                kubectl("annotate storageclass").word(name).word(format!("{KEY}-"))
            }))
        };
        return Answer::from(match question.classes.iter().find(|class| class.metadata.name == *name) {
            Some(class) if class.driver == storage.provisioner => takes(class, why),
            Some(class) => Outcome::Nothing {
                why: format!("{why} names {name}, whose driver is {}, not {}", class.driver, storage.provisioner),
                fix: fix(),
            },
            None => Outcome::Nothing { why: format!("{why} names {name}, which does not exist"), fix: fix() },
        });
    }
    let nothing = || {
        Outcome::nothing(format!(
            "\"Failed to find VolumeSnapshotClass with annotation in the cluster\": no class of {} has {KEY}=true",
            storage.provisioner
        ))
    };
    Answer::from(question.by_mark(KEY).unwrap_or_else(nothing))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::facts::Facts;
    use crate::model::kubernetes::{StorageClass, VolumeSnapshotClass};

    fn class(name: &str, value: Option<&str>) -> VolumeSnapshotClass {
        let mut class = VolumeSnapshotClass { driver: "d".to_owned(), ..VolumeSnapshotClass::default() };
        class.metadata.name = name.to_owned();
        class.metadata.annotations.extend(value.map(|value| (KEY.to_owned(), value.to_owned())));
        class
    }

    #[test]
    fn kasten_reads_the_value_and_the_storage_class() {
        let mut storage = StorageClass { provisioner: "d".to_owned(), ..StorageClass::default() };
        let takes = |storage: &StorageClass, classes: &[VolumeSnapshotClass]| {
            choose(&Question { storage, classes, facts: &Facts::default() }).outcome
        };
        let marked = class("a", Some("true"));
        assert!(matches!(takes(&storage, std::slice::from_ref(&marked)), Outcome::Takes { .. }));
        for wrong in [class("a", Some("false")), class("a", None)] {
            assert!(matches!(takes(&storage, &[wrong]), Outcome::Nothing { .. }));
        }
        storage.metadata.annotations.insert(KEY.to_owned(), "b".to_owned());
        let missing = takes(&storage, std::slice::from_ref(&marked));
        assert!(matches!(missing, Outcome::Nothing { why, .. } if why.contains("does not exist")));
        let named = takes(&storage, &[marked, class("b", None)]);
        assert!(matches!(named, Outcome::Takes { class, .. } if class == "b"));
    }
}
