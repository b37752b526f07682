//! From which release of external-snapshotter a CRD comes, told from the CRD alone.
//!
//! Each CRD is judged on its own first; all three together name the release. When no release has all three, an upgrade
//! stopped halfway. The procedure was proved against the manifests of every release from 2.0.0 to 8.7.0.

use serde_json::Value;

use crate::knowledge::tables::rows;
use crate::model::kubernetes::CustomResourceDefinition;

/// Releases of external-snapshotter that cannot be told apart by the CRDs of `snapshot.storage.k8s.io`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Release {
    /// Older than 2.0: v1alpha1.
    Below2,
    /// 2.0.
    V2_0,
    /// 2.1.
    V2_1,
    /// 2.2.0-rc3 and 3.x.
    V3,
    /// 4.0.
    V4_0,
    /// 4.1.
    V4_1,
    /// 4.2.
    V4_2,
    /// 5.0.
    V5_0,
    /// 6.0.0.
    V6_0_0,
    /// 6.0.1 to 6.2.
    V6_2,
    /// 6.3.
    V6_3,
    /// 7.0.
    V7_0,
    /// 8.0 to 8.7.
    V8,
}

impl Release {
    /// Its name in `data/crd-releases.tsv`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Below2 => "below-2.0",
            Self::V2_0 => "2.0",
            Self::V2_1 => "2.1",
            Self::V3 => "3.x",
            Self::V4_0 => "4.0",
            Self::V4_1 => "4.1",
            Self::V4_2 => "4.2",
            Self::V5_0 => "5.0",
            Self::V6_0_0 => "6.0.0",
            Self::V6_2 => "6.0.1-6.2",
            Self::V6_3 => "6.3",
            Self::V7_0 => "7.0",
            Self::V8 => "8.x",
        }
    }

    /// The releases in words: "8.0 to 8.7".
    #[must_use]
    pub fn releases(self) -> &'static str {
        rows(include_str!("../../data/crd-releases.tsv"))
            .find(|row| row.first() == Some(&self.word()))
            .and_then(|row| row.get(1).copied())
            .unwrap_or(self.word())
    }
}

/// The releases that a `volumesnapshots` CRD may come from, oldest first.
#[must_use]
pub fn of_snapshots(crd: &CustomResourceDefinition) -> Vec<Release> {
    if lists(crd, "v1alpha1") {
        return vec![Release::Below2];
    }
    let Some(v1) = version(crd, "v1") else {
        let v1beta1 = version(crd, "v1beta1");
        return if columns(v1beta1) == 0 {
            vec![Release::V2_0]
        } else if node(v1beta1, &["status", "restoreSize"]).is_some_and(|size| size.get("type").is_none()) {
            vec![Release::V2_1]
        } else {
            vec![Release::V3]
        };
    };
    if serves(crd, "v1beta1") {
        return serving_both(crd, v1);
    }
    let source_has_one_of = node(Some(v1), &["spec", "source"]).is_some_and(|source| source.get("oneOf").is_some());
    if has_rules(v1) {
        vec![Release::V8]
    } else if node(Some(v1), &["metadata"]).is_some() {
        // An API server below 1.25 drops the rules of 8.x, which had replaced the `oneOf`.
        vec![if source_has_one_of { Release::V7_0 } else { Release::V8 }]
    } else if node(Some(v1), &["status", "volumeGroupSnapshotName"]).is_some() {
        vec![Release::V6_3]
    } else {
        vec![if lists(crd, "v1beta1") { Release::V6_2 } else { Release::V6_0_0 }]
    }
}

/// The releases of a contents or classes CRD without v1. Only the snapshots CRD tells 2.1 from 3.x.
fn before_v1(crd: &CustomResourceDefinition) -> Vec<Release> {
    if columns(version(crd, "v1beta1")) == 0 { vec![Release::V2_0] } else { vec![Release::V2_1, Release::V3] }
}

/// The releases of a CRD that serves v1beta1 beside v1.
fn serving_both(crd: &CustomResourceDefinition, v1: &Value) -> Vec<Release> {
    if !flag(v1, "storage") {
        vec![Release::V4_0]
    } else if has_short_names(crd) {
        vec![Release::V5_0]
    } else {
        vec![Release::V4_1, Release::V4_2]
    }
}

/// The releases that a `volumesnapshotcontents` CRD may come from, oldest first.
#[must_use]
pub fn of_contents(crd: &CustomResourceDefinition) -> Vec<Release> {
    if lists(crd, "v1alpha1") {
        return vec![Release::Below2];
    }
    let Some(v1) = version(crd, "v1") else {
        return before_v1(crd);
    };
    if serves(crd, "v1beta1") {
        let releases = serving_both(crd, v1);
        return match releases.as_slice() {
            // Of these two, this column came with the later one.
            [earlier, later] => vec![if has_column(v1, "VolumeSnapshotNamespace") { *later } else { *earlier }],
            _ => releases,
        };
    }
    if has_rules(v1) {
        vec![Release::V8]
    } else if node(Some(v1), &["status", "volumeGroupSnapshotHandle"]).is_some() {
        let one_of = node(Some(v1), &["spec", "source"]).is_some_and(|source| source.get("oneOf").is_some());
        vec![if one_of { Release::V7_0 } else { Release::V8 }]
    } else if node(Some(v1), &["status", "volumeGroupSnapshotContentName"]).is_some() {
        vec![Release::V6_3]
    } else {
        vec![if lists(crd, "v1beta1") { Release::V6_2 } else { Release::V6_0_0 }]
    }
}

/// The releases that a `volumesnapshotclasses` CRD may come from, oldest first.
#[must_use]
pub fn of_classes(crd: &CustomResourceDefinition) -> Vec<Release> {
    if lists(crd, "v1alpha1") {
        return vec![Release::Below2];
    }
    let Some(v1) = version(crd, "v1") else {
        return before_v1(crd);
    };
    if serves(crd, "v1beta1") {
        return serving_both(crd, v1);
    }
    if node(Some(v1), &["metadata"]).is_some() {
        vec![Release::V7_0, Release::V8]
    } else if lists(crd, "v1beta1") {
        vec![Release::V6_2, Release::V6_3]
    } else {
        vec![Release::V6_0_0]
    }
}

/// What the three CRDs together tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Together {
    /// One release has all three. `rules_dropped` if an API server below 1.25 has dropped the validation rules of 8.x.
    Release {
        /// The release.
        release: Release,
        /// Whether the validation rules are gone.
        rules_dropped: bool,
    },
    /// No release has these three: an upgrade stopped halfway.
    HalfDone {
        /// What each CRD says on its own: its name and the releases that have it.
        each: Vec<(String, Vec<Release>)>,
    },
}

/// Judges the three CRDs together.
#[must_use]
pub fn together(
    snapshots: &CustomResourceDefinition,
    contents: &CustomResourceDefinition,
    classes: &CustomResourceDefinition,
) -> Together {
    let each =
        [(snapshots, of_snapshots(snapshots)), (contents, of_contents(contents)), (classes, of_classes(classes))];
    let common = each.iter().map(|(_, releases)| releases).fold(None, |common: Option<Vec<Release>>, releases| {
        Some(match common {
            None => releases.clone(),
            Some(common) => common.into_iter().filter(|release| releases.contains(release)).collect(),
        })
    });
    match common.as_deref() {
        Some([release, ..]) => {
            let rules = [snapshots, contents].iter().any(|crd| version(crd, "v1").is_some_and(has_rules));
            Together::Release { release: *release, rules_dropped: *release == Release::V8 && !rules }
        }
        _ => Together::HalfDone {
            each: each.into_iter().map(|(crd, releases)| (crd.metadata.name.clone(), releases)).collect(),
        },
    }
}

/// From which releases the `volumegroupsnapshotcontents` CRD comes: "8.6 to 8.7".
#[must_use]
pub fn of_group_contents(crd: &CustomResourceDefinition) -> &'static str {
    let alpha = version(crd, "v1alpha1");
    if lists(crd, "v1") {
        "8.6 to 8.7"
    } else if lists(crd, "v1beta2") {
        "8.4 to 8.5"
    } else if lists(crd, "v1beta1") {
        "8.2 to 8.3"
    } else if node(alpha, &["status", "pvVolumeSnapshotContentList"]).is_some() {
        "8.0 to 8.1"
    } else if node(alpha, &["spec", "source", "groupSnapshotHandles"]).is_some() {
        "7.0"
    } else {
        "6.3"
    }
}

/// The versions that a CRD serves.
pub fn served(crd: &CustomResourceDefinition) -> Vec<&str> {
    versions(crd).filter(|version| flag(version, "served")).filter_map(name).collect()
}

/// The versions that a CRD lists, served or not.
pub fn listed(crd: &CustomResourceDefinition) -> Vec<&str> {
    versions(crd).filter_map(name).collect()
}

/// Whether a version of a CRD has a node at a path of its schema, and which.
#[must_use]
pub fn schema_node<'a>(crd: &'a CustomResourceDefinition, version_name: &str, path: &[&str]) -> Option<&'a Value> {
    node(version(crd, version_name), path)
}

/// Whether a version of a CRD has a status subresource, without which nobody can report on an object.
#[must_use]
pub fn has_status(crd: &CustomResourceDefinition, version_name: &str) -> bool {
    version(crd, version_name).is_some_and(|version| version.pointer("/subresources/status").is_some())
}

fn versions(crd: &CustomResourceDefinition) -> impl Iterator<Item = &Value> {
    crd.spec.get("versions").and_then(Value::as_array).into_iter().flatten()
}

fn name(version: &Value) -> Option<&str> {
    version.get("name").and_then(Value::as_str)
}

fn version<'a>(crd: &'a CustomResourceDefinition, wanted: &str) -> Option<&'a Value> {
    versions(crd).find(|version| name(version) == Some(wanted))
}

fn flag(version: &Value, field: &str) -> bool {
    version.get(field).and_then(Value::as_bool).unwrap_or(false)
}

fn lists(crd: &CustomResourceDefinition, wanted: &str) -> bool {
    version(crd, wanted).is_some()
}

fn serves(crd: &CustomResourceDefinition, wanted: &str) -> bool {
    version(crd, wanted).is_some_and(|version| flag(version, "served"))
}

fn has_short_names(crd: &CustomResourceDefinition) -> bool {
    crd.spec.pointer("/names/shortNames").and_then(Value::as_array).is_some_and(|names| !names.is_empty())
}

fn columns(version: Option<&Value>) -> usize {
    version.and_then(|version| version.get("additionalPrinterColumns")).and_then(Value::as_array).map_or(0, Vec::len)
}

fn has_column(version: &Value, wanted: &str) -> bool {
    let columns = version.get("additionalPrinterColumns").and_then(Value::as_array);
    columns.into_iter().flatten().any(|column| name(column) == Some(wanted))
}

fn node<'a>(version: Option<&'a Value>, path: &[&str]) -> Option<&'a Value> {
    let schema = version?.pointer("/schema/openAPIV3Schema")?;
    path.iter().try_fold(schema, |node, field| node.get("properties")?.get(field))
}

/// Whether a schema has validation rules, at any depth that matters: the rules of 8.x are on `spec` and below.
fn has_rules(version: &Value) -> bool {
    fn anywhere(node: &Value, depth: usize) -> bool {
        // Upstream's schemas are six levels deep; a hostile one must not end the program.
        if depth > 20 {
            return false;
        }
        node.get("x-kubernetes-validations").and_then(Value::as_array).is_some_and(|rules| !rules.is_empty())
            || node
                .get("properties")
                .and_then(Value::as_object)
                .is_some_and(|properties| properties.values().any(|node| anywhere(node, depth + 1)))
    }
    version.pointer("/schema/openAPIV3Schema").is_some_and(|schema| anywhere(schema, 0))
}
