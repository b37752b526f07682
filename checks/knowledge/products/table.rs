//! The products (`data/products.tsv`).

use crate::knowledge::tables::rows;
use crate::model::facts::Facts;
use crate::model::interest::Interest;
use crate::model::kubernetes::{Container, PodSpec};

/// What is read of workloads to find products.
pub const INTEREST: Interest = Interest {
    words: &[
        "velero",
        "kasten",
        "cloudcasa",
        "netbackup",
        "stork",
        "trilio",
        "kubevirt",
        "stash",
        "volsync",
        "snapscheduler",
        "gemini",
        "volume-snapshotter",
        "longhorn-manager",
        "k8up",
        "k8s-snapshots",
        "cohesity",
    ],
    host_paths: &[],
    variables: &[],
    flags: &[],
};

/// The word for those that are installed.
pub const AUTO: &str = "auto";

/// A backup product.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Product {
    /// Its word in `--for`.
    pub word: &'static str,
    /// Its name.
    pub name: &'static str,
    /// By which rule it chooses a class.
    pub rule: Rule,
    /// What the rule looks for.
    pub key: &'static str,
    image: &'static str,
}

/// How a product chooses the class of a volume.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// Velero's, which differs between its releases.
    Velero,
    /// The annotation with value `true`, or the same key on the `StorageClass` with the name of a class.
    Annotation,
    /// The label with value `true`; without one it creates a class.
    Label,
    /// The label with value `true`; without one it fails.
    LabelOnly,
    /// A class whose name begins with the key and ends with the driver; it is created when it is missing.
    Name,
    /// The classes of the driver, the default one before the others.
    Driver,
    /// A field of its own objects, or Kubernetes' default rule.
    OwnOrDefault,
    /// The parameter `type` of a class of Longhorn.
    Longhorn,
    /// None: it takes no CSI snapshots.
    None,
}

impl Product {
    /// All products.
    pub fn all() -> impl Iterator<Item = Self> {
        rows(include_str!("../../data/products.tsv")).filter_map(|row| {
            let [word, name, rule, key, image, _source] = *row.as_slice() else { return None };
            let rule = match rule {
                "velero" => Rule::Velero,
                "annotation" => Rule::Annotation,
                "label" => Rule::Label,
                "label-only" => Rule::LabelOnly,
                "name" => Rule::Name,
                "driver" => Rule::Driver,
                "own-or-default" => Rule::OwnOrDefault,
                "longhorn" => Rule::Longhorn,
                _ => Rule::None,
            };
            Some(Self { word, name, rule, key, image })
        })
    }

    /// Whether a pod is one of its own, by the images of its containers.
    #[must_use]
    pub fn runs_in(&self, spec: &PodSpec) -> bool {
        let is_it = |container: &Container| container.image.to_ascii_lowercase().contains(self.image);
        spec.containers.iter().any(is_it)
    }

    /// Whether a workload of it is visible; `None` if none could be looked for.
    #[must_use]
    pub fn is_installed(&self, facts: &Facts) -> Option<bool> {
        let workloads = facts.workloads.seen()?;
        Some(workloads.iter().any(|workload| self.runs_in(&workload.spec.template.spec)))
    }

    /// The products that were asked about.
    #[must_use]
    pub fn asked(facts: &Facts) -> Vec<Self> {
        let asked = |product: &Self| {
            facts
                .for_products
                .iter()
                .any(|word| word == product.word || (word == AUTO && product.is_installed(facts) == Some(true)))
        };
        Self::all().filter(asked).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::knowledge::classes::marks::Mark;

    #[test]
    fn every_row_is_a_product_whose_pods_are_kept() {
        let table = include_str!("../../data/products.tsv");
        assert_eq!(Product::all().count(), table.lines().count() - 1);
        for product in Product::all() {
            assert!(INTEREST.words.iter().any(|word| product.image.contains(word)), "{product:?}");
            assert!(product.rule != Rule::None || product.key.contains(' '), "{product:?}");
            let by_mark = matches!(product.rule, Rule::Velero | Rule::Annotation | Rule::Label | Rule::LabelOnly);
            assert_eq!(Mark::with_key(product.key).is_some(), by_mark, "{product:?}");
        }
    }
}
