//! Longhorn's own backups, by CSI snapshots.

use crate::model::kubernetes::VolumeSnapshotClass;
use crate::model::products::ProductKind;
use crate::products::product::{Answer, Classes, Outcome, Product, Question, Remedy};
use crate::products::rehearsal;
use crate::products::rules::takes;

/// Longhorn's driver.
const DRIVER: &str = "driver.longhorn.io";

/// Longhorn backups.
pub const PRODUCT: Product = Product {
    word: "longhorn",
    name: "Longhorn backups",
    source: "longhorn/longhorn documentation, CSI snapshot support; longhorn-manager csi/controller_server.go",
    images: &["longhorn-manager"],
    classes: Classes::Chosen {
        by: choose,
        remedy: Remedy::Text(
            "Create a VolumeSnapshotClass of Longhorn with parameter type: bak, and set Longhorn's backup target.",
        ),
    },
    expires: false,
    patience: None,
    restore_patience: None,
    rehearsals: rehearsal::IN_PLACE,
    kinds: &[&BACKUP_TARGET],
};

/// Where backups go (k8s/pkg/apis/longhorn/v1beta2/backuptarget.go).
pub const BACKUP_TARGET: ProductKind = ProductKind::new(
    "longhorn.io",
    &["v1beta2", "v1beta1"],
    "BackupTarget",
    "backuptargets",
    &["spec.backupTargetURL", "status.available", "status.conditions.[type=Unavailable].message"],
);

/// `bak`, its former word `bs`, and a class without the parameter leave the cluster; `snap` stays with the volume.
fn choose(question: &Question<'_>) -> Answer {
    if question.driver() != DRIVER {
        let why = format!("Longhorn backs up its own volumes, and {} is not Longhorn", question.driver());
        return Answer::from(Outcome::NoSnapshots { why });
    }
    let leaves = |class: &&&VolumeSnapshotClass| {
        class.parameters.get("type").is_none_or(|kind| ["bak", "bs", ""].contains(&kind.as_str()))
    };
    Answer::from(match question.own().iter().find(leaves) {
        None => Outcome::nothing(
            "no class of Longhorn has type: bak, so its snapshots are lost with their volumes".to_owned(),
        ),
        Some(class) => takes(class, "type: bak"),
    })
}
