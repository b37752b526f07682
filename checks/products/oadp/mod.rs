//! OADP, Red Hat's operator that brings Velero along.

use crate::products::product::{Classes, Product, Remedy};
use crate::products::velero;

/// OADP.
pub const PRODUCT: Product = Product {
    word: "oadp",
    name: "OADP",
    source: "vmware-tanzu/velero pkg/util/csi/volume_snapshot.go; OADP documentation",
    images: &["oadp-velero"],
    classes: Classes::Chosen { by: velero::choose, remedy: Remedy::Mark(velero::KEY) },
};
