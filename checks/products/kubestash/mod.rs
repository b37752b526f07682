//! `KubeStash`.

use crate::model::products::ProductKind;
use crate::products::product::{Answer, Classes, Product, Question, Remedy};
use crate::products::rehearsal;
use crate::products::rules::own_or_default;

/// `KubeStash`.
pub const PRODUCT: Product = Product {
    word: "kubestash",
    name: "KubeStash",
    source: "kubestash/docs",
    images: &["kubestash"],
    classes: Classes::Chosen { by: choose, remedy: Remedy::Default },
    expires: true,
    patience: None,
    restore_patience: None,
    rehearsals: rehearsal::SCHEDULED,
    kinds: &[&BACKUP_CONFIGURATION],
};

/// What is backed up when, and how.
pub const BACKUP_CONFIGURATION: ProductKind = ProductKind::new(
    "core.kubestash.com",
    &["v1alpha1"],
    "BackupConfiguration",
    "backupconfigurations",
    &["spec.paused", "spec.sessions.*.addon.tasks.*.params.volumeSnapshotClassName"],
);

fn choose(question: &Question<'_>) -> Answer {
    own_or_default(question, "volumeSnapshotClassName of the BackupConfiguration")
}
