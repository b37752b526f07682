//! The types of facts that are no objects of Kubernetes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::model::need::Rule;
pub use crate::model::needs::Facts;
use crate::model::probe::Probe;

/// The versions in which the API server serves the snapshot API groups: group name to versions, preferred one first.
/// A group that is not served is not in the map.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SnapshotApis(pub BTreeMap<String, Vec<String>>);

impl SnapshotApis {
    /// Whether a group is served in a version.
    #[must_use]
    pub fn serves(&self, group: &str, version: &str) -> bool {
        self.0.get(group).is_some_and(|versions| versions.iter().any(|served| served == version))
    }
}

/// Whether a secret exists.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretExistence {
    /// The secret's namespace.
    pub namespace: String,
    /// The secret's name.
    pub name: String,
    /// Whether it exists, or why that could not be seen.
    pub exists: Probe<bool>,
}

/// The API server's answer to "may I?".
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessReview {
    /// What was asked for; one verb.
    pub rule: Rule,
    /// The namespace that it was asked for; `None` for all namespaces and for cluster-scoped resources.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// The answer.
    pub allowed: bool,
}

/// May a `ServiceAccount` do something?
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AccountQuestion {
    /// The account's namespace.
    pub account_namespace: String,
    /// The account's name.
    pub account_name: String,
    /// What it wants to do; one verb.
    pub rule: Rule,
    /// Where; `None` for all namespaces and for cluster-scoped resources.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
}

/// The API server's answer, by all its authorizers together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AccountReview {
    /// The question.
    #[serde(flatten)]
    pub question: AccountQuestion,
    /// The answer.
    pub allowed: bool,
}

/// Where a switch of a driver stands.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SwitchPlace {
    /// The driver.
    pub driver: String,
    /// The namespace of the `ConfigMap`.
    pub namespace: String,
    /// The name of the `ConfigMap`.
    pub config_map: String,
    /// Its entry.
    pub key: String,
}

/// A switch of a driver.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DriverSwitch {
    /// Where it stands.
    #[serde(flatten)]
    pub place: SwitchPlace,
    /// Its value; `None` without the entry, or the whole `ConfigMap`.
    pub value: Probe<Option<String>>,
}

/// A claim that a pod mounts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct MountedClaim {
    /// The claim's namespace.
    pub namespace: String,
    /// The claim's name.
    pub name: String,
}
