//! The marks by which backup products pick a `VolumeSnapshotClass` (`data/class-marks.tsv`).

use crate::knowledge::tables::rows;
use crate::model::command::{Command, kubectl};
use crate::model::kubernetes::{Metadata, VolumeSnapshotClass};

/// Where a mark stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Among the labels.
    Label,
    /// Among the annotations.
    Annotation,
}

impl Place {
    /// `label`, `annotation`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Label => "label",
            Self::Annotation => "annotation",
        }
    }

    /// The other one, where nobody looks.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Label => Self::Annotation,
            Self::Annotation => Self::Label,
        }
    }

    /// The command that removes a mark from a class.
    pub(crate) fn remove(self, class: &str, key: &str) -> Command {
        self.verb().words("volumesnapshotclass").word(class).word(format!("{key}-"))
    }

    /// The command that changes what stands there.
    pub(crate) fn verb(self) -> Command {
        kubectl(match self {
            Self::Label => "label",
            Self::Annotation => "annotate",
        })
    }

    /// What stands there under a key.
    #[must_use]
    pub fn value<'a>(self, metadata: &'a Metadata, key: &str) -> Option<&'a str> {
        let map = match self {
            Self::Label => &metadata.labels,
            Self::Annotation => &metadata.annotations,
        };
        map.get(key).map(String::as_str)
    }
}

/// A backup product's mark of the class that it is to take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    /// The product.
    pub product: &'static str,
    /// Where it looks.
    pub place: Place,
    /// For which key.
    pub key: &'static str,
    /// Whether the value has to be `true`; otherwise any counts, `false` as well.
    pub reads_value: bool,
}

impl Mark {
    /// The marks of all products that have one.
    pub fn all() -> impl Iterator<Item = Self> {
        rows(include_str!("../../data/class-marks.tsv")).filter_map(|row| {
            let [product, place, key, counts, _source] = *row.as_slice() else { return None };
            let place = if place == "label" { Place::Label } else { Place::Annotation };
            Some(Self { product, place, key, reads_value: counts == "true" })
        })
    }

    /// The mark with a key.
    #[must_use]
    pub fn with_key(key: &str) -> Option<Self> {
        Self::all().find(|mark| mark.key == key)
    }

    /// Whether the product takes a class for marked.
    #[must_use]
    pub fn counts(&self, class: &VolumeSnapshotClass) -> bool {
        let value = self.place.value(&class.metadata, self.key);
        value.is_some_and(|value| !self.reads_value || value == "true")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_a_mark() {
        let table = include_str!("../../data/class-marks.tsv");
        assert_eq!(Mark::all().count(), table.lines().count() - 1);
        for row in rows(table) {
            assert!(["label", "annotation"].contains(&row[1]) && ["true", "any value"].contains(&row[3]), "{row:?}");
        }
    }
}
