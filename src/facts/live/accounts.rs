//! What `ServiceAccounts` may do, by `SubjectAccessReview`: the API server asks all its authorizers, and stores nothing.

use bytes::Bytes;
use futures::future::join_all;
use serde::Deserialize;
use serde_json::json;
use snapready_checks::model::facts::{AccountQuestion, AccountReview};
use snapready_checks::model::need::Rule;
use snapready_checks::model::probe::Probe;
use snapready_checks::model::rbac::{ACCOUNT_PREFIX, ACCOUNTS_GROUP, AUTHENTICATED_GROUP};

use crate::api::Failure;
use crate::facts::live::access::may;
use crate::facts::live::request::Requests;

const PATH: &str = "/apis/authorization.k8s.io/v1/subjectaccessreviews";

#[derive(Deserialize)]
struct Review {
    status: Answer,
}

#[derive(Deserialize)]
struct Answer {
    allowed: bool,
}

/// The answers. Whoever may not ask leaves no refused request in the audit log.
pub(super) async fn reviews(requests: &Requests<'_>, questions: Vec<AccountQuestion>) -> Probe<Vec<AccountReview>> {
    if questions.is_empty() {
        return Probe::from(Vec::new());
    }
    let rule = Rule::new("authorization.k8s.io", "subjectaccessreviews", &["create"]);
    match may(requests, &rule, "create", None).await {
        Ok(true) => {}
        Ok(false) => return Probe::Forbidden { rule },
        Err(failure) => return unseen(&failure),
    }
    let answers = questions.into_iter().map(async |question| match ask(requests, &question).await {
        Ok(allowed) => Ok(AccountReview { question, allowed }),
        Err(failure) => Err(failure),
    });
    match join_all(answers).await.into_iter().collect::<Result<Vec<_>, _>>() {
        Ok(reviews) => Probe::from(reviews),
        Err(failure) => unseen(&failure),
    }
}

async fn ask(requests: &Requests<'_>, question: &AccountQuestion) -> Result<bool, Failure> {
    let AccountQuestion { account_namespace, account_name, rule, namespace } = question;
    let (resource, subresource) = rule.resource.split_once('/').unwrap_or((&rule.resource, ""));
    // An empty name or namespace means all of them.
    let review = json!({
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SubjectAccessReview",
        "spec": {
            "user": format!("{ACCOUNT_PREFIX}{account_namespace}:{account_name}"),
            "groups": [ACCOUNTS_GROUP, format!("{ACCOUNTS_GROUP}:{account_namespace}"), AUTHENTICATED_GROUP],
            "resourceAttributes": {
                "verb": rule.verbs.first().map_or("", String::as_str),
                "group": rule.group,
                "resource": resource,
                "subresource": subresource,
                "name": rule.names.first().map_or("", String::as_str),
                "namespace": namespace.as_deref().unwrap_or_default(),
            },
        },
    });
    let answer = requests.review(PATH, Bytes::from(review.to_string())).await?;
    match serde_json::from_slice::<Review>(&answer) {
        Ok(review) => Ok(review.status.allowed),
        Err(_) => Err(Failure::unreadable("the answer holds no status.allowed")),
    }
}

fn unseen<T>(failure: &Failure) -> Probe<T> {
    match failure.status {
        403 => Probe::Forbidden { rule: Rule::new("authorization.k8s.io", "subjectaccessreviews", &["create"]) },
        404 => Probe::NotServed,
        _ => Probe::Failed { reason: format!("POST {PATH}: {failure}") },
    }
}
