//! `KubeVirt`'s snapshots of virtual machines.

use crate::model::finding::Status;
use crate::model::products::ProductKind;
use crate::products::objects::objects;
use crate::products::product::{Answer, Classes, Outcome, Product, Question, Remedy};
use crate::products::rehearsal;
use crate::products::rules::{names, takes};

/// `KubeVirt`.
pub const PRODUCT: Product = Product {
    word: "kubevirt",
    name: "KubeVirt",
    source: "kubevirt/kubevirt pkg/storage/snapshot (getVolumeSnapshotClass)",
    images: &["virt-controller", "virt-operator"],
    classes: Classes::Chosen { by: choose, remedy: Remedy::Default },
    expires: true,
    patience: None,
    restore_patience: None,
    rehearsals: &[rehearsal::SNAPSHOT, rehearsal::STOPPED],
    kinds: &[&STORAGE_PROFILE],
};

/// CDI's knowledge of a `StorageClass`, which has its name.
pub const STORAGE_PROFILE: ProductKind =
    ProductKind::new("cdi.kubevirt.io", &["v1beta1"], "StorageProfile", "storageprofiles", &["status.snapshotClass"]);

/// The only class of the driver; of several the one with the annotation of the default, whatever its value; of several of these any,
/// as they come from a store without an order. Without a class the volume is left out of the snapshot. Releases with CDI's
/// `StorageProfiles` take the class that the profile names before all that.
fn choose(question: &Question<'_>) -> Answer {
    let profiles = objects(question.facts, &PRODUCT, &STORAGE_PROFILE);
    let is_hidden = profiles.as_ref().is_err_and(|unseen| unseen.status == Status::Unknown);
    let of_profile =
        profiles.into_iter().flatten().find(|profile| profile.metadata.name == question.storage.metadata.name);
    if let Some(name) = of_profile.and_then(|profile| profile.one("status.snapshotClass")) {
        return Answer::from(match question.own().into_iter().find(|class| class.metadata.name == name) {
            Some(class) => takes(class, "snapshotClass of the StorageProfile"),
            None => {
                Outcome::nothing(format!("the StorageProfile names {name}, which is no class of {}", question.driver()))
            }
        });
    }
    let (driver, own, annotated) = (question.driver(), question.own(), question.annotated());
    Answer::from(match (own.as_slice(), annotated.as_slice()) {
        ([], _) => Outcome::nothing(format!("no class has driver {driver}, so it leaves these volumes out")),
        ([class], _) => takes(class, "the only class of the driver"),
        (_, [class]) => takes(class, "the annotation of the default class"),
        (_, [class, ..]) => Outcome::Ambiguous {
            class: class.metadata.name.clone(),
            why: format!("the annotation of the default class is on {}", names(&annotated)),
        },
        (own, []) if is_hidden => Outcome::Unknown {
            why: format!(
                "of {} none has the annotation of the default class, and the StorageProfiles were not read",
                names(own)
            ),
        },
        (own, []) => Outcome::nothing(format!(
            "\"{} matching VolumeSnapshotClasses for {}\": none of {} has the annotation of the default class",
            own.len(),
            question.storage.metadata.name,
            names(own)
        )),
    })
}
