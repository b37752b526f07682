//! Backup products: a folder each, and the checks about them. These are asked only if a product is named with `--for`.

pub mod cloudcasa;
pub mod cohesity;
pub mod gemini;
pub mod k8s_snapshots;
pub mod k8up;
pub mod kasten;
pub mod kubestash;
pub mod kubevirt;
pub mod kyma;
pub mod longhorn;
pub mod netbackup;
pub mod oadp;
pub mod portworx;
pub mod product;
mod rules;
pub mod snapscheduler;
pub mod stash;
pub mod trilio;
pub mod velero;
pub mod volsync;

pub mod product_finds_a_class;
pub mod velero_takes_csi_snapshots;

use crate::model::check::Check;
use crate::model::facts::Facts;
use crate::model::interest::Interest;
use crate::products::product::Product;

/// The checks of this group.
pub const CHECKS: &[&Check] = &[&product_finds_a_class::CHECK, &velero_takes_csi_snapshots::CHECK];

/// All products.
pub const ALL: [&Product; 18] = [
    &velero::PRODUCT,
    &oadp::PRODUCT,
    &cohesity::PRODUCT,
    &kasten::PRODUCT,
    &cloudcasa::PRODUCT,
    &netbackup::PRODUCT,
    &portworx::PRODUCT,
    &trilio::PRODUCT,
    &kubevirt::PRODUCT,
    &stash::PRODUCT,
    &kubestash::PRODUCT,
    &volsync::PRODUCT,
    &snapscheduler::PRODUCT,
    &gemini::PRODUCT,
    &kyma::PRODUCT,
    &longhorn::PRODUCT,
    &k8up::PRODUCT,
    &k8s_snapshots::PRODUCT,
];

/// The word for those that are installed.
pub const AUTO: &str = "auto";

/// What is read of workloads to find products.
pub const INTEREST: Interest = Interest {
    words: &[
        "velero",
        "kasten",
        "k10",
        "cloudcasa",
        "catalogicsoftware",
        "netbackup",
        "stork",
        "trilio",
        "virt-controller",
        "virt-operator",
        "stash",
        "volsync",
        "snapscheduler",
        "gemini",
        "volume-snapshotter",
        "longhorn-manager",
        "k8up",
        "k8s-snapshots",
        "cohesity",
        "node-agent",
    ],
    host_paths: &[],
    variables: &[],
    flags: &["--features"],
};

/// The products that were asked about. Those that are installed are told by their workloads.
#[must_use]
pub fn asked(facts: &Facts) -> Vec<&'static Product> {
    let named = |product: &Product, word: &str| {
        word == product.word || (word == AUTO && product.is_installed(facts) == Some(true))
    };
    ALL.into_iter().filter(|product| facts.for_products.iter().any(|word| named(product, word))).collect()
}

/// Whether all installed products were asked for, and cannot be seen.
#[must_use]
pub fn cannot_see_which(facts: &Facts) -> bool {
    facts.for_products.iter().any(|word| word == AUTO) && facts.workloads.seen().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::knowledge::classes::marks::Mark;
    use crate::model::kubernetes::{StorageClass, VolumeSnapshotClass};
    use crate::products::product::{Classes, Question, Remedy};

    #[test]
    fn pods_of_every_product_are_kept_and_marks_are_known() {
        for product in ALL {
            for image in product.images {
                assert!(INTEREST.words.iter().any(|word| image.contains(word)), "{product:?}");
            }
            if let Classes::Chosen { remedy: Remedy::Mark(key), .. } = product.classes {
                assert!(Mark::with_key(key).is_some(), "{product:?}");
            }
            assert!(!product.source.is_empty());
        }
    }

    #[test]
    fn every_product_has_an_answer() {
        let storage = StorageClass { provisioner: "ebs.csi.aws.com".to_owned(), ..StorageClass::default() };
        let mut class = VolumeSnapshotClass { driver: storage.provisioner.clone(), ..VolumeSnapshotClass::default() };
        class.metadata.name = "a".to_owned();
        for (word, wanted) in [
            ("velero", "Unknown"),
            ("kasten", "Nothing"),
            ("cloudcasa", "Creates"),
            ("netbackup", "Nothing"),
            ("portworx", "Creates"),
            ("trilio", "Takes"),
            ("kubevirt", "Takes"),
            ("stash", "Names"),
            ("kubestash", "Names"),
            ("volsync", "Names"),
            ("snapscheduler", "Names"),
            ("gemini", "Names"),
            ("kyma", "Names"),
            ("longhorn", "NoSnapshots"),
            ("k8up", "none"),
            ("k8s-snapshots", "none"),
        ] {
            let product = ALL.into_iter().find(|product| product.word == word).unwrap();
            let outcome = match product.classes {
                Classes::Chosen { by, .. } => {
                    let classes = std::slice::from_ref(&class);
                    format!("{:?}", by(&Question { storage: &storage, classes, facts: &Facts::default() }).outcome)
                }
                Classes::None(_) => "none".to_owned(),
            };
            assert!(outcome.starts_with(wanted), "{word}: {outcome}");
        }
    }
}
