//! What `ServiceAccounts` may do, by `SubjectAccessReview`: the API server asks all its authorizers, and stores nothing.

use futures::future::join_all;
use serde_json::json;
use snapready_checks::model::facts::{AccountQuestion, AccountReview};
use snapready_checks::model::probe::Probe;
use snapready_checks::model::rbac::{ACCOUNT_PREFIX, ACCOUNTS_GROUP, AUTHENTICATED_GROUP};

use crate::api::Failure;
use crate::facts::live::access::{attributes, may, no_own_review, no_review, review, right_to_ask};
use crate::facts::live::request::Requests;

/// The review that is about somebody else.
const OF_OTHERS: &str = "SubjectAccessReview";

/// The answers. Whoever may not ask leaves no refused request in the audit log.
pub(super) async fn reviews(requests: &Requests<'_>, questions: Vec<AccountQuestion>) -> Probe<Vec<AccountReview>> {
    if questions.is_empty() {
        return Probe::from(Vec::new());
    }
    let rule = right_to_ask(OF_OTHERS);
    match may(requests, &rule, "create", None).await {
        Ok(true) => {}
        Ok(false) => return Probe::Forbidden { rule },
        Err(failure) => return no_own_review(&failure),
    }
    let answers = questions.into_iter().map(async |question| {
        let allowed = ask(requests, &question).await?;
        Ok(AccountReview { question, allowed })
    });
    match join_all(answers).await.into_iter().collect::<Result<Vec<_>, _>>() {
        Ok(reviews) => Probe::from(reviews),
        Err(failure) => no_review(OF_OTHERS, &failure),
    }
}

async fn ask(requests: &Requests<'_>, question: &AccountQuestion) -> Result<bool, Failure> {
    let AccountQuestion { account_namespace, account_name, rule, namespace } = question;
    let verb = rule.verbs.first().map_or("", String::as_str);
    let spec = json!({
        "user": format!("{ACCOUNT_PREFIX}{account_namespace}:{account_name}"),
        "groups": [ACCOUNTS_GROUP, format!("{ACCOUNTS_GROUP}:{account_namespace}"), AUTHENTICATED_GROUP],
        "resourceAttributes": attributes(rule, verb, namespace.as_deref()),
    });
    review(requests, OF_OTHERS, &spec).await
}
