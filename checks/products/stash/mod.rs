//! Stash.

use crate::model::products::ProductKind;
use crate::products::product::{Answer, Classes, Product, Question, Remedy};
use crate::products::rehearsal;
use crate::products::rules::own_or_default;

/// Stash.
pub const PRODUCT: Product = Product {
    word: "stash",
    name: "Stash",
    source: "stashed/docs",
    images: &["stash", "stash-enterprise"],
    classes: Classes::Chosen { by: choose, remedy: Remedy::Default },
    expires: true,
    patience: None,
    restore_patience: None,
    rehearsals: rehearsal::SCHEDULED,
    kinds: &[&BACKUP_CONFIGURATION],
};

/// What is backed up when, and how.
pub const BACKUP_CONFIGURATION: ProductKind = ProductKind::new(
    "stash.appscode.com",
    &["v1beta1"],
    "BackupConfiguration",
    "backupconfigurations",
    &["spec.driver", "spec.paused", "spec.target.snapshotClassName", "spec.target.ref.kind", "spec.target.ref.name"],
);

fn choose(question: &Question<'_>) -> Answer {
    own_or_default(question, "spec.target.snapshotClassName of the BackupConfiguration")
}
