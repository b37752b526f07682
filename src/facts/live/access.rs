//! What the caller may do, by `SelfSubjectAccessReview`, which everybody may create and the API server does not store.

use std::collections::BTreeSet;

use bytes::Bytes;
use futures::future::join_all;
use serde::Deserialize;
use serde_json::{Value, json};
use snapready_checks::knowledge::classes::secrets::{SecretReference, secret_references};
use snapready_checks::model::facts::{AccessReview, SecretExistence};
use snapready_checks::model::kubernetes::VolumeSnapshotClass;
use snapready_checks::model::need::Rule;
use snapready_checks::model::probe::Probe;
use snapready_checks::text::names::is_object_name;

use crate::api::Failure;
use crate::facts::live::request::Requests;

/// The answer to this holds an object's metadata and nothing else; a server that cannot give it answers 406.
const METADATA_ONLY: &str = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";

/// Rights that the caller is asked about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Right {
    /// What may be done.
    pub rule: Rule,
    /// Where; `None` for all namespaces and for cluster-scoped resources.
    pub namespace: Option<String>,
}

/// The review that is about whoever asks.
const OWN: &str = "SelfSubjectAccessReview";
const GROUP: &str = "authorization.k8s.io";

/// The plural of a kind of reviews.
fn resource(kind: &str) -> String {
    format!("{}s", kind.to_ascii_lowercase())
}

/// The right to ask for a kind of reviews.
pub(super) fn right_to_ask(kind: &str) -> Rule {
    Rule::new(GROUP, &resource(kind), &["create"])
}

/// What a review is about: one verb of a rule.
pub(super) fn attributes(rule: &Rule, verb: &str, namespace: Option<&str>) -> Value {
    let (resource, subresource) = rule.resource.split_once('/').unwrap_or((&rule.resource, ""));
    // An empty name or namespace means all of them.
    json!({
        "verb": verb,
        "group": rule.group,
        "resource": resource,
        "subresource": subresource,
        "name": rule.names.first().map_or("", String::as_str),
        "namespace": namespace.unwrap_or_default(),
    })
}

/// Asks for a review of this kind.
pub(super) async fn review(requests: &Requests<'_>, kind: &str, spec: &Value) -> Result<bool, Failure> {
    #[derive(Deserialize)]
    struct Review {
        status: Answer,
    }
    #[derive(Deserialize)]
    struct Answer {
        allowed: bool,
    }
    let review = json!({"apiVersion": format!("{GROUP}/v1"), "kind": kind, "spec": spec});
    let answer = requests.review(&path(kind), Bytes::from(review.to_string())).await?;
    match serde_json::from_slice::<Review>(&answer) {
        Ok(review) => Ok(review.status.allowed),
        Err(_) => Err(Failure::unreadable("the answer holds no status.allowed")),
    }
}

fn path(kind: &str) -> String {
    format!("/apis/{GROUP}/v1/{}", resource(kind))
}

/// Asks "may I?" for one verb of a rule.
pub(super) async fn may(
    requests: &Requests<'_>,
    rule: &Rule,
    verb: &str,
    namespace: Option<&str>,
) -> Result<bool, Failure> {
    review(requests, OWN, &json!({"resourceAttributes": attributes(rule, verb, namespace)})).await
}

/// Why a review of this kind has no answer.
pub(super) fn no_review<T>(kind: &str, failure: &Failure) -> Probe<T> {
    match failure.status {
        403 => Probe::Forbidden { rule: right_to_ask(kind) },
        404 => Probe::NotServed,
        _ => Probe::Failed { reason: format!("POST {}: {failure}", path(kind)) },
    }
}

/// Why the caller was told nothing about itself.
pub(super) fn no_own_review<T>(failure: &Failure) -> Probe<T> {
    no_review(OWN, failure)
}

/// Whether the caller has these rights, verb by verb.
pub(super) async fn reviews(requests: &Requests<'_>, rights: &[Right]) -> Probe<Vec<AccessReview>> {
    let asked = rights.iter().flat_map(|right| right.rule.verbs.iter().map(move |verb| (right, verb)));
    let answers = join_all(asked.map(async |(right, verb)| {
        let allowed = may(requests, &right.rule, verb, right.namespace.as_deref()).await?;
        let rule = Rule { verbs: vec![verb.clone()], ..right.rule.clone() };
        Ok(AccessReview { rule, namespace: right.namespace.clone(), allowed })
    }))
    .await;
    match answers.into_iter().collect::<Result<Vec<_>, _>>() {
        Ok(reviews) => Probe::from(reviews),
        Err(failure) => no_own_review(&failure),
    }
}

/// Whether the secrets exist that these classes name. Those whose names follow from each snapshot are not asked for.
pub(super) async fn class_secrets(
    requests: &Requests<'_>,
    classes: &Probe<Vec<VolumeSnapshotClass>>,
) -> Probe<Vec<SecretExistence>> {
    let classes = match classes.seen_or() {
        Ok(classes) => classes,
        Err(unseen) => return unseen,
    };
    let named: BTreeSet<(&str, &str)> = classes
        .iter()
        .flat_map(secret_references)
        .filter_map(|reference| match reference {
            SecretReference::Fixed { namespace, name, .. } => Some((namespace, name)),
            SecretReference::Template { .. } | SecretReference::Half { .. } => None,
        })
        .collect();
    let secrets = named.into_iter().map(async |(namespace, name)| SecretExistence {
        namespace: namespace.to_owned(),
        name: name.to_owned(),
        exists: exists(requests, namespace, name).await,
    });
    Probe::from(join_all(secrets).await)
}

async fn exists(requests: &Requests<'_>, namespace: &str, name: &str) -> Probe<bool> {
    let rule = Rule { names: vec![name.to_owned()], ..Rule::new("", "secrets", &["get"]) };
    // A name that is none cannot exist, and would be another path.
    if !is_object_name(namespace) || !is_object_name(name) {
        return Probe::from(false);
    }
    // Asked first, so that an account without the right leaves no refused access to a secret in the audit log.
    match may(requests, &rule, "get", Some(namespace)).await {
        Ok(true) => {}
        Ok(false) => return Probe::Forbidden { rule },
        Err(failure) => return no_own_review(&failure),
    }
    match requests.get(&format!("/api/v1/namespaces/{namespace}/secrets/{name}"), METADATA_ONLY).await {
        Ok(_) => Probe::from(true),
        Err(failure) => match failure.status {
            404 => Probe::from(false),
            403 => Probe::Forbidden { rule },
            _ => Probe::Failed { reason: failure.to_string() },
        },
    }
}
