//! `k8s-snapshots`.

use crate::products::product::{Classes, Product};

/// `k8s-snapshots`.
pub const PRODUCT: Product = Product {
    word: "k8s-snapshots",
    name: "k8s-snapshots",
    source: "miracle2k/k8s-snapshots README",
    images: &["k8s-snapshots"],
    classes: Classes::None("it calls the cloud, and never the snapshot API"),
    expires: false,
    patience: None,
    restore_patience: None,
    rehearsals: &[],
    kinds: &[],
};

/// The annotation of claims and volumes that it backs up: ISO 8601 durations.
pub const DELTAS: &str = "backup.kubernetes.io/deltas";
