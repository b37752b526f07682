//! Cohesity `DataProtect`, which has Velero inside.

use crate::products::product::{Classes, Product, Remedy};
use crate::products::rehearsal;
use crate::products::velero;

/// Cohesity `DataProtect`.
pub const PRODUCT: Product = Product {
    word: "cohesity",
    name: "Cohesity DataProtect",
    source: "public documentation of Cohesity (Velero inside)",
    images: &["cohesity"],
    classes: Classes::Chosen { by: velero::choose, remedy: Remedy::Mark(velero::KEY) },
    expires: false,
    patience: Some(velero::server::patience),
    restore_patience: Some(velero::server::restore_patience),
    rehearsals: rehearsal::ANYWHERE,
    kinds: velero::PRODUCT.kinds,
};
