//! Objects of backup products: their own kinds, of which only named fields are kept.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::model::kubernetes::Metadata;
use crate::model::need::Rule;
use crate::model::probe::Probe;

/// A kind of a backup product's own objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProductKind {
    /// API group.
    pub group: &'static str,
    /// The versions in which it may be served, the newest first.
    pub versions: &'static [&'static str],
    /// Name in the singular.
    pub name: &'static str,
    /// Name in the plural.
    pub plural: &'static str,
    /// The fields that are kept: names divided by dots, `*` for all items or all values, `[type=Reconciled]` for the items in which
    /// a field has this value.
    pub fields: &'static [&'static str],
    /// What the annotations begin with that are kept.
    pub annotations: &'static [&'static str],
    /// Only objects that hold one of these texts are kept; without any, all of them.
    pub only_with: &'static [&'static str],
}

impl ProductKind {
    /// A kind of which all objects are read.
    #[must_use]
    pub const fn new(
        group: &'static str,
        versions: &'static [&'static str],
        name: &'static str,
        plural: &'static str,
        fields: &'static [&'static str],
    ) -> Self {
        Self { group, versions, name, plural, fields, annotations: &[], only_with: &[] }
    }

    /// The right to read them.
    #[must_use]
    pub fn rule(&self) -> Rule {
        Rule::new(self.group, self.plural, &["list"])
    }

    /// What is kept of an object; `None` if nothing is.
    #[must_use]
    pub fn keep(&self, object: &Value) -> Option<ProductObject> {
        if !self.only_with.is_empty() {
            let text = object.to_string();
            if !self.only_with.iter().any(|word| text.contains(word)) {
                return None;
            }
        }
        let mut metadata: Metadata = serde_json::from_value(object.get("metadata")?.clone()).ok()?;
        metadata.labels.clear();
        metadata.owner_references.clear();
        metadata.annotations.retain(|key, _| self.annotations.iter().any(|start| key.starts_with(start)));
        let values = |path: &&'static str| {
            let texts: Vec<String> = found(object, path).into_iter().filter_map(text).collect();
            (!texts.is_empty()).then(|| ((*path).to_owned(), texts))
        };
        Some(ProductObject { metadata, fields: self.fields.iter().filter_map(values).collect() })
    }
}

/// What stands at a path.
fn found<'a>(object: &'a Value, path: &str) -> Vec<&'a Value> {
    path.split('.').fold(vec![object], |values, step| values.into_iter().flat_map(|value| at(value, step)).collect())
}

fn at<'a>(value: &'a Value, step: &str) -> Vec<&'a Value> {
    let chosen = step.strip_prefix('[').and_then(|step| step.strip_suffix(']')).and_then(|step| step.split_once('='));
    match (value, chosen) {
        (Value::Array(items), Some((field, wanted))) => {
            items.iter().filter(|item| item.get(field).and_then(Value::as_str) == Some(wanted)).collect()
        }
        (Value::Array(items), None) if step == "*" => items.iter().collect(),
        (Value::Object(fields), None) if step == "*" => fields.values().collect(),
        (Value::Object(fields), None) => fields.get(step).into_iter().collect(),
        _ => Vec::new(),
    }
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        _ => None,
    }
}

/// An object of a backup product.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ProductObject {
    /// Metadata.
    pub metadata: Metadata,
    /// What stands at each of its kind's paths; one that has nothing is left out.
    pub fields: BTreeMap<String, Vec<String>>,
}

impl ProductObject {
    /// All that stands at a path.
    #[must_use]
    pub fn all(&self, path: &str) -> &[String] {
        self.fields.get(path).map_or(&[], Vec::as_slice)
    }

    /// The first that stands at a path.
    #[must_use]
    pub fn one(&self, path: &str) -> Option<&str> {
        self.all(path).first().map(String::as_str)
    }

    /// Whether a switch is on.
    #[must_use]
    pub fn is_on(&self, path: &str) -> bool {
        self.one(path) == Some("true")
    }
}

/// The objects of a kind that were asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProductObjects {
    /// API group.
    pub group: String,
    /// Name of the kind in the plural.
    pub plural: String,
    /// The objects. [`Probe::NotServed`] where the product's CRDs are not installed.
    pub objects: Probe<Vec<ProductObject>>,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_named_fields_and_annotations_are_kept() {
        let kind = ProductKind {
            annotations: &["velero.io/csi-"],
            ..ProductKind::new(
                "g",
                &["v1"],
                "K",
                "ks",
                &["spec.*.class", "spec.tasks.*.name", "status.c.[type=A].status", "n"],
            )
        };
        let object = json!({
            "metadata": {"name": "a", "namespace": "b", "labels": {"x": "y"}, "annotations": {"velero.io/csi-x": "1", "p": "s3cret"}},
            "spec": {"restic": {"class": "snap", "password": "s3cret"}, "rsync": {"class": 7}, "tasks": [{"name": "t"}, {"name": "u"}]},
            "status": {"c": [{"type": "B", "status": "False"}, {"type": "A", "status": "True"}]},
            "n": {"not": "a text"},
        });
        let kept = kind.keep(&object).unwrap();
        assert_eq!(kept.all("spec.*.class"), ["snap", "7"]);
        assert_eq!(kept.all("spec.tasks.*.name"), ["t", "u"]);
        assert_eq!(kept.one("status.c.[type=A].status"), Some("True"));
        assert_eq!(kept.fields.len(), 3);
        assert!(!serde_json::to_string(&kept).unwrap().contains("s3cret") && kept.metadata.labels.is_empty());
    }

    #[test]
    fn objects_without_a_wanted_text_are_dropped() {
        let kind = ProductKind { only_with: &["volumesnapshot"], ..ProductKind::new("g", &["v1"], "K", "ks", &[]) };
        let about = |script: &str| kind.keep(&json!({"metadata": {"name": "a"}, "spec": {"args": [script]}})).is_some();
        assert!(about("kubectl get volumesnapshots") && !about("pg_dump"));
    }
}
