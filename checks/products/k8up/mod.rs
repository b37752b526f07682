//! K8up.

use crate::products::product::{Classes, Product};

/// K8up.
pub const PRODUCT: Product = Product {
    word: "k8up",
    name: "K8up",
    source: "k8up-io/k8up documentation",
    images: &["k8up"],
    classes: Classes::None("it backs up the files of mounted claims"),
    expires: false,
    patience: None,
    restore_patience: None,
    rehearsals: &[],
    kinds: &[],
};
