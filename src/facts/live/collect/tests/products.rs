//! Objects of backup products.

use snapready_checks::model::probe::Missing;
use snapready_checks::products::{AUTO, kinds};

use super::*;

async fn look_at(
    products: &[String],
    special: impl Fn(&Asked) -> Option<Answer> + Send + Sync + 'static,
) -> (Facts, Vec<Asked>) {
    let server = Server::default();
    let connection = server.connection(move |asked, _| special(asked));
    let needs = BTreeSet::from([Need::ProductObjects]);
    let kinds = kinds(products);
    let collection = Collection { needs: &needs, round_trip: &[], products: &kinds, server_version: None };
    let facts = collect(&connection, &collection, &|_| {}).await;
    (facts, server.asked())
}

fn missing(facts: &Facts, plural: &str) -> Option<Missing> {
    facts.product_objects.seen().unwrap().iter().find(|kind| kind.plural == plural).unwrap().objects.missing()
}

#[tokio::test]
async fn only_kinds_of_the_products_in_question_are_asked_for() {
    let (facts, asked) = look_at(&[], |_| None).await;
    assert!(asked.is_empty() && facts.product_objects.seen().is_some_and(Vec::is_empty));
    let (facts, asked) = look_at(&["velero".to_owned()], |_| None).await;
    let mut paths: Vec<&str> = asked.iter().map(|question| question.path.as_str()).collect();
    paths.sort_unstable();
    assert_eq!(paths, ["/apis/velero.io/v1/backupstoragelocations", "/apis/velero.io/v1/schedules"]);
    assert_eq!(missing(&facts, "schedules"), Some(Missing::NotServed));
}

#[tokio::test]
async fn an_older_version_is_read_where_the_newest_is_not_served_and_a_refusal_is_one() {
    let (facts, _) = look_at(&[AUTO.to_owned()], |asked| match asked.path.as_str() {
        "/apis/longhorn.io/v1beta1/backuptargets" => Some(list_of(
            "BackupTarget",
            &json!([{"metadata": {"name": "default"}, "spec": {"backupTargetURL": "s3://b", "credentialSecret": "s3cret"}}]),
        )),
        "/apis/gemini.fairwinds.com/v1/snapshotgroups" => Some(status(403, "no")),
        _ => None,
    })
    .await;
    let kinds = facts.product_objects.seen().unwrap();
    let targets = kinds.iter().find(|kind| kind.plural == "backuptargets").unwrap().objects.seen().unwrap();
    assert_eq!(targets[0].one("spec.backupTargetURL"), Some("s3://b"));
    assert!(!serde_json::to_string(&facts).unwrap().contains("s3cret"));
    assert!(
        matches!(missing(&facts, "snapshotgroups"), Some(Missing::Forbidden { rule }) if rule.group == "gemini.fairwinds.com")
    );
}

#[tokio::test]
async fn garbage_is_never_a_product_without_objects() {
    for body in ["{}", "null", "<html>", "{\"kind\":\"PodList\",\"items\":[]}"] {
        let (facts, _) = look_at(&["velero".to_owned()], move |_| Some((200, body.as_bytes().to_vec(), None))).await;
        assert!(matches!(missing(&facts, "schedules"), Some(Missing::Failed { .. })), "{body}");
    }
}
