//! `KubeVirt`'s snapshots of virtual machines.

use crate::products::product::{Answer, Classes, Outcome, Product, Question, Remedy};
use crate::products::rules::{names, takes};

/// `KubeVirt`.
pub const PRODUCT: Product = Product {
    word: "kubevirt",
    name: "KubeVirt",
    source: "kubevirt/kubevirt pkg/storage/snapshot (getVolumeSnapshotClass)",
    images: &["virt-controller", "virt-operator"],
    classes: Classes::Chosen { by: choose, remedy: Remedy::Default },
};

/// The only class of the driver; of several the one with the annotation of the default, whatever its value; of several of these any,
/// as they come from a store without an order. Without a class the volume is left out of the snapshot. Releases with CDI's
/// `StorageProfiles` take the class that the profile names before all that.
fn choose(question: &Question<'_>) -> Answer {
    let (driver, own, annotated) = (question.driver(), question.own(), question.annotated());
    Answer::from(match (own.as_slice(), annotated.as_slice()) {
        ([], _) => Outcome::nothing(format!("no class has driver {driver}, so it leaves these volumes out")),
        ([class], _) => takes(class, "the only class of the driver"),
        (_, [class]) => takes(class, "the annotation of the default class"),
        (_, [class, ..]) => Outcome::Ambiguous {
            class: class.metadata.name.clone(),
            why: format!("the annotation of the default class is on {}", names(&annotated)),
        },
        (own, []) => Outcome::nothing(format!(
            "\"{} matching VolumeSnapshotClasses for {}\": none of {} has the annotation of the default class; the StorageProfile may \
             name one",
            own.len(),
            question.storage.metadata.name,
            names(own)
        )),
    })
}
