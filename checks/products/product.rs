//! What a backup product is to snapready: how its pods are told, and how it comes to a `VolumeSnapshotClass`.

use jiff::SignedDuration;

use crate::model::facts::Facts;
use crate::model::finding::Fix;
use crate::model::kubernetes::{PodSpec, StorageClass, VolumeSnapshotClass};
use crate::model::products::ProductKind;
use crate::products::rehearsal::Rehearsal;

/// A backup product.
#[derive(Debug, Clone, Copy)]
pub struct Product {
    /// Its word in `--for`.
    pub word: &'static str,
    /// Its name.
    pub name: &'static str,
    /// Where its rule is from.
    pub source: &'static str,
    /// Its images; see [`Product::runs_in`].
    pub images: &'static [&'static str],
    /// How it comes to a class.
    pub classes: Classes,
    /// Whether it deletes the `VolumeSnapshots` that it made when they are of no use any more, and counts on the storage's snapshots going
    /// with them. Velero and Kasten K10 set the deletionPolicy of their contents themselves.
    pub expires: bool,
    /// How long it waits for a snapshot to become ready; `None` if it does not give up, or nothing is known of it.
    pub patience: Option<fn(&Facts) -> Patience>,
    /// How long it waits for a volume that is restored from a snapshot to be mounted. `None` as above; `Some` may give none, where it
    /// depends on how the product is set up.
    pub restore_patience: Option<fn(&Facts) -> Option<Patience>>,
    /// What it does with snapshots, as the modes of the round trip that do the same; none if it takes no snapshots.
    pub rehearsals: &'static [Rehearsal],
    /// The kinds of its own objects that are read.
    pub kinds: &'static [&'static ProductKind],
}

/// How long a product waits before it gives up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// So long.
    pub limit: SignedDuration,
    /// What sets it, in the words of a fix.
    pub set_by: &'static str,
}

/// How a product comes to the class of a volume.
#[derive(Debug, Clone, Copy)]
pub enum Classes {
    /// By a rule of its own.
    Chosen {
        /// The rule.
        by: fn(&Question<'_>) -> Answer,
        /// What makes the rule find a class, or only one.
        remedy: Remedy,
    },
    /// It takes no CSI snapshots; what it does instead.
    None(&'static str),
}

/// What makes a class the one that a product takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remedy {
    /// Its mark, by the key in `data/class-marks.tsv`.
    Mark(&'static str),
    /// The annotation of Kubernetes' default class.
    Default,
    /// Something that no command does.
    Text(&'static str),
}

/// Which class does a product take for the volumes of this `StorageClass`?
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// The `StorageClass`.
    pub storage: &'a StorageClass,
    /// All `VolumeSnapshotClasses`.
    pub classes: &'a [VolumeSnapshotClass],
    /// What else was seen.
    pub facts: &'a Facts,
}

/// What a product comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The product with its version, where the rule depends on it.
    pub who: Option<String>,
    /// What it comes to.
    pub outcome: Outcome,
}

impl From<Outcome> for Answer {
    fn from(outcome: Outcome) -> Self {
        Self { who: None, outcome }
    }
}

/// What a product comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It takes this class.
    Takes {
        /// The class.
        class: String,
        /// Why this one.
        why: String,
    },
    /// It takes this class now, and one of several that are as good.
    Ambiguous {
        /// The class that it takes now.
        class: String,
        /// What is not unambiguous.
        why: String,
    },
    /// It finds none that it can use.
    Nothing {
        /// Why, with the product's own words where they are known.
        why: String,
        /// What mends it, where that is not the product's remedy.
        fix: Option<Fix>,
    },
    /// It finds none and creates one.
    Creates {
        /// What that class lacks.
        why: String,
    },
    /// Its own objects have to name the class.
    Names {
        /// The field.
        why: String,
    },
    /// Kubernetes takes none, as several are the default, unless its own objects name one.
    SeveralDefaults {
        /// Which.
        why: String,
    },
    /// What it takes cannot be told.
    Unknown {
        /// Why.
        why: String,
    },
    /// It takes no CSI snapshots of these volumes.
    NoSnapshots {
        /// What it does.
        why: String,
    },
}

impl Outcome {
    /// The class that it takes, if that can be told.
    #[must_use]
    pub fn class(&self) -> Option<&str> {
        match self {
            Self::Takes { class, .. } | Self::Ambiguous { class, .. } => Some(class),
            Self::Nothing { .. }
            | Self::Creates { .. }
            | Self::Names { .. }
            | Self::SeveralDefaults { .. }
            | Self::Unknown { .. }
            | Self::NoSnapshots { .. } => None,
        }
    }

    /// None that it can use; its remedy helps.
    pub(crate) const fn nothing(why: String) -> Self {
        Self::Nothing { why, fix: None }
    }
}

impl PartialEq for Product {
    /// By its word, which no other one has.
    fn eq(&self, other: &Self) -> bool {
        self.word == other.word
    }
}

impl Product {
    /// Whether a pod is one of its own: a part of an image's path is one of its words, or begins with one and a dash. Registries
    /// of a company keep the last parts of the path.
    #[must_use]
    pub fn runs_in(&self, spec: &PodSpec) -> bool {
        spec.containers.iter().any(|container| is_of(&container.image, self.images))
    }

    /// Whether a workload of it is visible; `None` if workloads could not be looked for.
    #[must_use]
    pub fn is_installed(&self, facts: &Facts) -> Option<bool> {
        let workloads = facts.workloads.seen()?;
        Some(workloads.iter().any(|workload| self.runs_in(&workload.spec.template.spec)))
    }
}

/// Whether a part of an image's path is one of these words, or begins with one and a dash.
pub(crate) fn is_of(image: &str, words: &[&str]) -> bool {
    let image = image.to_ascii_lowercase();
    let path = image.split('@').next().unwrap_or_default();
    path.split('/').any(|part| {
        let part = part.split(':').next().unwrap_or_default();
        words.iter().any(|word| part.strip_prefix(word).is_some_and(|rest| rest.is_empty() || rest.starts_with('-')))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_is_told_by_a_part_of_its_path() {
        for (image, word, wanted) in [
            ("velero/velero:v1.16.2", "velero", true),
            ("registry.corp:5000/mirror/velero:v1.16.2", "velero", true),
            ("docker.io/bitnami/Velero@sha256:0", "velero", true),
            ("registry.redhat.io/oadp/oadp-velero-rhel9@sha256:0", "oadp-velero", true),
            ("registry.redhat.io/oadp/oadp-velero-rhel9@sha256:0", "velero", false),
            ("quay.io/kubevirt/csi-driver:1", "virt-controller", false),
            ("quay.io/kubevirt/virt-controller:v1.5.0", "virt-controller", true),
            ("ghcr.io/appscode/stash:v0.40", "stash", true),
            ("ghcr.io/kubestash/kubestash:v0.18", "stash", false),
        ] {
            assert_eq!(is_of(image, &[word]), wanted, "{image} {word}");
        }
    }
}
