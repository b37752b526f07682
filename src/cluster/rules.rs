//! All rights in a namespace by one question, a `SelfSubjectRulesReview`, which everybody may create and the API server does not
//! store. Its answer is good for a yes only, and only where the API server calls it complete: a webhook that decides on
//! rights (those of most clouds) cannot list them.

use bytes::Bytes;
use serde::Deserialize;
use serde_json::json;
use snapready_checks::model::need::Rule;
use snapready_checks::model::nulls;

use crate::cluster::request::Requests;

const PATH: &str = "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews";

#[derive(Deserialize)]
struct Review {
    status: Status,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    incomplete: bool,
    resource_rules: Vec<ResourceRule>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ResourceRule {
    verbs: Vec<String>,
    api_groups: Vec<String>,
    resources: Vec<String>,
    resource_names: Vec<String>,
}

/// The caller's rights in a namespace, as far as they can be listed.
#[derive(Default)]
pub(super) struct Rights(Vec<ResourceRule>);

impl Rights {
    /// Asks for them. Those that cannot be had are none: then every right has to be asked for by itself.
    pub(super) async fn in_namespace(requests: &Requests<'_>, namespace: &str) -> Self {
        let review = json!({
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectRulesReview",
            "spec": {"namespace": namespace},
        });
        let answer = requests.review(PATH, Bytes::from(review.to_string())).await;
        match answer.ok().and_then(|answer| nulls::from_slice::<Review>(&answer).ok()) {
            Some(Review { status }) if !status.incomplete => Self(status.resource_rules),
            _ => Self::default(),
        }
    }

    /// Whether they hold all verbs of a rule, for whatever object.
    pub(super) fn hold(&self, wanted: &Rule) -> bool {
        let has = |values: &[String], wanted: &str| values.iter().any(|value| value == "*" || value == wanted);
        let holds = |verb: &String| {
            self.0.iter().any(|rule| {
                rule.resource_names.is_empty()
                    && has(&rule.verbs, verb)
                    && has(&rule.api_groups, &wanted.group)
                    && has(&rule.resources, &wanted.resource)
            })
        };
        !wanted.verbs.is_empty() && wanted.verbs.iter().all(holds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_right_is_held_by_a_rule_for_all_objects() {
        let rights = |rule: serde_json::Value| Rights(vec![serde_json::from_value(rule).unwrap()]);
        let wanted = Rule::new("apps", "deployments", &["list"]);
        for held in [
            json!({"verbs": ["get", "list"], "apiGroups": ["apps"], "resources": ["deployments", "x"]}),
            json!({"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}),
        ] {
            assert!(rights(held.clone()).hold(&wanted), "{held}");
        }
        for not in [
            json!({"verbs": ["get"], "apiGroups": ["apps"], "resources": ["deployments"]}),
            json!({"verbs": ["list"], "apiGroups": [""], "resources": ["deployments"]}),
            json!({"verbs": ["list"], "apiGroups": ["apps"], "resources": ["deployments/scale", "*/scale"]}),
            json!({"verbs": ["list"], "apiGroups": ["apps"], "resources": ["deployments"], "resourceNames": ["a"]}),
            json!({"verbs": ["list"]}),
        ] {
            assert!(!rights(not.clone()).hold(&wanted), "{not}");
        }
        assert!(!rights(json!({"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]})).hold(&Rule::new(
            "",
            "pods",
            &[]
        )));
    }
}
