//! Access reviews of `ServiceAccounts`.

use snapready_checks::model::probe::Missing;

use super::*;

const REVIEWS: &str = "/apis/authorization.k8s.io/v1/subjectaccessreviews";
const OWN_REVIEWS: &str = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";

/// A cluster whose snapshot-controller has no rights by RBAC, but those that `rules` grant to everybody.
async fn look_with(
    granted: bool,
    may_ask: bool,
    answer: impl Fn(&Value) -> bool + Send + Sync + 'static,
) -> (Facts, Vec<Asked>) {
    let server = Server::default();
    let connection = server.connection(move |asked, _| match asked.path.as_str() {
        "/api/v1/pods" => Some(list_of(
            "Pod",
            &json!([{"metadata": {"name": "c", "namespace": "kube-system"}, "spec": {"serviceAccountName": "ctl",
                "containers": [{"name": "snapshot-controller", "image": "registry.k8s.io/sig-storage/snapshot-controller:v8.6.0"}]}}]),
        )),
        "/apis/rbac.authorization.k8s.io/v1/clusterroles" if granted => Some(list_of(
            "ClusterRole",
            &json!([{"metadata": {"name": "all"}, "rules": [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]}]),
        )),
        "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings" if granted => Some(list_of(
            "ClusterRoleBinding",
            &json!([{"metadata": {"name": "all"}, "roleRef": {"kind": "ClusterRole", "name": "all"},
                "subjects": [{"kind": "Group", "name": "system:serviceaccounts"}]}]),
        )),
        OWN_REVIEWS => Some((201, json!({"status": {"allowed": may_ask}}).to_string().into_bytes(), None)),
        REVIEWS => Some((201, json!({"status": {"allowed": answer(&asked.body["spec"])}}).to_string().into_bytes(), None)),
        _ => None,
    });
    let needs = [Need::Pods, Need::Workloads, Need::Roles, Need::RoleBindings, Need::AccountReviews];
    (look(&connection, &needs).await, server.asked())
}

fn asked_for(asked: &[Asked], path: &str) -> usize {
    asked.iter().filter(|question| question.path == path).count()
}

#[tokio::test]
async fn only_what_rbac_does_not_grant_is_asked_about() {
    let (facts, asked) = look_with(true, true, |_| true).await;
    assert_eq!((asked_for(&asked, REVIEWS), asked_for(&asked, OWN_REVIEWS)), (0, 0));
    assert_eq!(facts.account_reviews.seen().unwrap().len(), 0);

    let (facts, asked) = look_with(false, true, |spec| spec["resourceAttributes"]["verb"] == "delete").await;
    let reviews = facts.account_reviews.seen().unwrap();
    assert!(!reviews.is_empty() && reviews.len() == asked_for(&asked, REVIEWS));
    for review in reviews {
        assert_eq!(review.allowed, review.question.rule.verbs == ["delete"], "{review:?}");
        assert_eq!(review.question.account_name, "ctl");
    }
    let status =
        asked.iter().find(|question| question.body["spec"]["resourceAttributes"]["subresource"] == "status").unwrap();
    assert_eq!(status.body["spec"]["user"], "system:serviceaccount:kube-system:ctl");
    assert_eq!(
        status.body["spec"]["groups"],
        json!(["system:serviceaccounts", "system:serviceaccounts:kube-system", "system:authenticated"])
    );
}

#[tokio::test]
async fn whoever_may_not_ask_does_not() {
    let (facts, asked) = look_with(false, false, |_| true).await;
    assert_eq!(asked_for(&asked, REVIEWS), 0);
    assert!(matches!(facts.missing(Need::AccountReviews), Some(Missing::Forbidden { .. })));
}
