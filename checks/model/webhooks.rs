//! Admission webhooks, the services that they call, and extensions of the API, cut down to the fields that checks read.

use serde::{Deserialize, Serialize};

use crate::model::interest::Interest;
use crate::model::kubernetes::{Condition, Metadata, StringMap};
use crate::model::listed::Listed;
use crate::model::object::{GROUP_SNAPSHOT_GROUP, Kind, SNAPSHOT_GROUP};
use crate::model::probe::Probe;

/// A `ValidatingWebhookConfiguration` or `MutatingWebhookConfiguration`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct WebhookConfiguration {
    /// Kind.
    pub kind: String,
    /// Metadata.
    pub metadata: Metadata,
    /// Webhooks; of what is listed only those that are called for snapshot objects.
    pub webhooks: Vec<Webhook>,
}

/// A webhook.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Webhook {
    /// Name.
    pub name: String,
    /// Whom it calls.
    pub client_config: ClientConfig,
    /// For what it is called.
    pub rules: Vec<WebhookRule>,
    /// `Fail` or `Ignore`; the API server sets it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure_policy: Option<String>,
    /// For objects of which namespaces; an empty one is all.
    pub namespace_selector: Selector,
    /// For which objects, by their labels; an empty one is all.
    pub object_selector: Selector,
    /// Expressions that have to hold.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub match_conditions: Vec<MatchCondition>,
}

/// A selector of labels.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Selector {
    /// Labels with these values.
    #[serde(skip_serializing_if = "StringMap::is_empty")]
    pub match_labels: StringMap,
    /// The same with operators.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub match_expressions: Vec<LabelExpression>,
}

/// An expression about a label.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct LabelExpression {
    /// The label.
    pub key: String,
    /// `In`, `NotIn`, `Exists`, `DoesNotExist`.
    pub operator: String,
}

/// An expression in CEL.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct MatchCondition {
    /// Its name.
    pub name: String,
}

impl Selector {
    /// Whether it takes only what has a label; one that leaves out what has a label takes nearly everything.
    fn wants_a_label(&self) -> bool {
        let wants = |one: &LabelExpression| matches!(one.operator.as_str(), "In" | "Exists");
        !self.match_labels.is_empty() || self.match_expressions.iter().any(wants)
    }

    fn is_empty(&self) -> bool {
        self.match_labels.is_empty() && self.match_expressions.is_empty()
    }
}

impl Webhook {
    /// Whether it is called for few objects only, or for which ones is not known.
    #[must_use]
    pub fn is_selective(&self) -> bool {
        self.namespace_selector.wants_a_label()
            || self.object_selector.wants_a_label()
            || !self.match_conditions.is_empty()
    }

    /// Whether it leaves any objects out.
    #[must_use]
    pub fn leaves_some_out(&self) -> bool {
        self.is_selective() || !self.namespace_selector.is_empty() || !self.object_selector.is_empty()
    }
}

/// Whom a webhook calls: a service or a URL.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ClientConfig {
    /// A service of the cluster.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<ServiceReference>,
    /// Somebody else.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The authorities that are trusted there, base64 of PEM.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca_bundle: Option<String>,
}

/// A service by name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ServiceReference {
    /// Namespace.
    pub namespace: String,
    /// Name.
    pub name: String,
}

/// For what a webhook is called.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct WebhookRule {
    /// API groups; `*` is all.
    pub api_groups: Vec<String>,
    /// API versions; `*` is all.
    pub api_versions: Vec<String>,
    /// Resources, also `*`, `*/*`, `pods/status`.
    pub resources: Vec<String>,
    /// `CREATE`, `UPDATE`, `DELETE`, `CONNECT` or `*`.
    pub operations: Vec<String>,
}

impl WebhookRule {
    /// Its resources of a snapshot API.
    pub fn of_snapshots(&self) -> impl Iterator<Item = &str> {
        let group = |group: &String| group == "*" || group == SNAPSHOT_GROUP || group == GROUP_SNAPSHOT_GROUP;
        let resource = |resource: &&str| {
            let (name, _) = resource.split_once('/').unwrap_or((resource, ""));
            name == "*" || (name.starts_with("volume") && name.contains("snapshot"))
        };
        let is_of_group = self.api_groups.iter().any(group);
        self.resources.iter().map(String::as_str).filter(move |name| is_of_group && resource(name))
    }

    /// Whether it is about objects of a snapshot API.
    #[must_use]
    pub fn is_about_snapshots(&self) -> bool {
        self.of_snapshots().next().is_some()
    }
}

impl Listed for WebhookConfiguration {
    fn metadata_mut(&mut self) -> &mut Metadata {
        &mut self.metadata
    }

    fn set_kind(&mut self, kind: &Kind) {
        kind.name.clone_into(&mut self.kind);
    }

    /// Webhooks for other objects are nothing that a check reads.
    fn is_kept(&mut self, _interests: &[Interest]) -> bool {
        self.webhooks.retain(|webhook| webhook.rules.iter().any(WebhookRule::is_about_snapshots));
        !self.webhooks.is_empty()
    }
}

/// The state of a service that a webhook calls.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ServiceState {
    /// Which one.
    pub service: ServiceReference,
    /// Whether it exists.
    pub exists: Probe<bool>,
    /// How many of its endpoints are ready.
    pub ready: Probe<usize>,
}

/// An `APIService`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ApiService {
    /// Metadata.
    pub metadata: Metadata,
    /// Spec.
    pub spec: ApiServiceSpec,
    /// Status.
    pub status: ApiServiceStatus,
}

/// Spec of an `APIService`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ApiServiceSpec {
    /// Who answers; `None` is the API server itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<ServiceReference>,
}

/// Status of an `APIService`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ApiServiceStatus {
    /// `Available` is the one that counts.
    pub conditions: Vec<Condition>,
}

impl Listed for ApiService {
    fn metadata_mut(&mut self) -> &mut Metadata {
        &mut self.metadata
    }

    /// What the API server answers itself is always there.
    fn is_kept(&mut self, _interests: &[Interest]) -> bool {
        self.metadata.labels.clear();
        self.spec.service.is_some()
    }
}
