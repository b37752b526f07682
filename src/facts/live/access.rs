//! What the caller may do, by `SelfSubjectAccessReview`, which everybody may create and the API server does not store.

use std::collections::BTreeSet;

use bytes::Bytes;
use futures::future::join_all;
use serde::Deserialize;
use serde_json::json;
use snapready_checks::knowledge::classes::secrets::{SecretReference, secret_references};
use snapready_checks::model::facts::{AccessReview, SecretExistence};
use snapready_checks::model::kubernetes::VolumeSnapshotClass;
use snapready_checks::model::need::Rule;
use snapready_checks::model::probe::Probe;
use snapready_checks::text::names::is_object_name;

use crate::api::Failure;
use crate::facts::live::request::Requests;

const PATH: &str = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
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

/// Asks "may I?" for one verb of a rule.
pub(super) async fn may(
    requests: &Requests<'_>,
    rule: &Rule,
    verb: &str,
    namespace: Option<&str>,
) -> Result<bool, Failure> {
    #[derive(Deserialize)]
    struct Review {
        status: Answer,
    }
    #[derive(Deserialize)]
    struct Answer {
        allowed: bool,
    }
    // An empty name or namespace means all of them.
    let review = json!({
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": {
            "verb": verb,
            "group": rule.group,
            "resource": rule.resource,
            "name": rule.names.first().map_or("", String::as_str),
            "namespace": namespace.unwrap_or_default(),
        }},
    });
    let answer = requests.review(PATH, Bytes::from(review.to_string())).await?;
    match serde_json::from_slice::<Review>(&answer) {
        Ok(review) => Ok(review.status.allowed),
        Err(_) => Err(Failure::unreadable("the answer holds no status.allowed")),
    }
}

/// Why a review has no answer.
fn no_review<T>(failure: &Failure) -> Probe<T> {
    match failure.status {
        403 => Probe::Forbidden { rule: Rule::new("authorization.k8s.io", "selfsubjectaccessreviews", &["create"]) },
        404 => Probe::NotServed,
        _ => Probe::Failed { reason: format!("POST {PATH}: {failure}") },
    }
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
        Err(failure) => no_review(&failure),
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
        Err(failure) => return no_review(&failure),
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
