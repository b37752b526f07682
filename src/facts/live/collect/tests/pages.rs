//! Lists of several pages, and servers that are busy.

use super::*;

/// Pages of storage classes `c0`, `c1`, …; page `n` has the token `page+n`, which has to be escaped.
fn pages_of(question: &Asked, pages: usize) -> Option<Answer> {
    if !question.path.ends_with("/storageclasses") {
        return None;
    }
    let number = match question.query.split_once("continue=") {
        None => 0,
        Some((_, token)) => token.strip_prefix("page%2B").unwrap().parse::<usize>().unwrap(),
    };
    let next = if number + 1 < pages { json!(format!("page+{}", number + 1)) } else { Value::Null };
    Some(ok(&json!({
        "kind": "StorageClassList", "metadata": {"continue": next}, "items": [{"metadata": {"name": format!("c{number}")}}],
    })))
}

pub(super) fn names(facts: &Facts) -> Vec<String> {
    facts.storage_classes.seen().unwrap().iter().map(|class| class.metadata.name.clone()).collect()
}

#[tokio::test]
async fn all_pages_are_read() {
    let server = Server::default();
    let facts = look(&server.connection(|question, _| pages_of(question, 3)), &[Need::StorageClasses]).await;
    assert_eq!(names(&facts), ["c0", "c1", "c2"]);
    assert_eq!(server.asked()[0].query, "limit=500");
}

#[tokio::test]
async fn a_list_that_expires_is_read_once_more_from_the_start() {
    let server = Server::default();
    let connection = server.connection(|question, times| {
        if times == 2 { Some(status(410, "The provided continue parameter is too old")) } else { pages_of(question, 2) }
    });
    let facts = look(&connection, &[Need::StorageClasses]).await;
    assert_eq!(names(&facts), ["c0", "c1"]);
    assert_eq!(server.asked().len(), 4);

    let server = Server::default();
    let connection =
        server.connection(
            |question, times| {
                if times % 2 == 0 { Some(status(410, "too old")) } else { pages_of(question, 2) }
            },
        );
    let facts = look(&connection, &[Need::StorageClasses]).await;
    assert!(matches!(facts.storage_classes, Probe::Failed { .. }), "{:?}", facts.storage_classes);
    assert_eq!(server.asked().len(), 4);
}

#[tokio::test]
async fn a_page_that_comes_again_ends_the_list() {
    let connection = Server::default().connection(|question, _| {
        let page = json!({"kind": "StorageClassList", "metadata": {"continue": "x"}, "items": []});
        question.path.ends_with("/storageclasses").then(|| ok(&page))
    });
    let facts = look(&connection, &[Need::StorageClasses]).await;
    assert!(matches!(facts.storage_classes, Probe::Failed { .. }), "{:?}", facts.storage_classes);
}

#[tokio::test(start_paused = true)]
async fn a_busy_server_is_asked_again_when_it_says() {
    let server = Server::default();
    let connection = server.connection(|_, times| match times {
        1 => Some((429, b"slow down".to_vec(), Some("7"))),
        2 => Some(status(503, "etcd has no leader")),
        _ => None,
    });
    let retries = Mutex::new(Vec::new());
    let needs = BTreeSet::from([Need::StorageClasses]);
    let collection = Collection { needs: &needs, round_trip: &[], products: &[], server_version: None };
    let begin = tokio::time::Instant::now();
    let facts = collect(&connection, &collection, &|retry| retries.lock().unwrap().push(retry)).await;
    assert_eq!(names(&facts), ["fast"]);
    // What the server asked for, and a pause of snapready's own with its jitter.
    assert!((7_200..=7_300).contains(&begin.elapsed().as_millis()), "{:?}", begin.elapsed());
    let request = "GET /apis/storage.k8s.io/v1/storageclasses".to_owned();
    assert_eq!(
        *retries.lock().unwrap(),
        [
            Retry { request: request.clone(), reason: "429 Too Many Requests slow down".to_owned() },
            Retry { request, reason: "503 Service Unavailable etcd has no leader".to_owned() },
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn retries_end_with_the_requests_time_and_with_their_number() {
    for (answer, requests) in [((429, Vec::new(), Some("3600")), 1), ((500, Vec::new(), None), 5)] {
        let server = Server::default();
        let connection = server.connection(move |_, _| Some(answer.clone()));
        let begin = tokio::time::Instant::now();
        let facts = look(&connection, &[Need::StorageClasses]).await;
        assert!(matches!(facts.storage_classes, Probe::Failed { .. }), "{:?}", facts.storage_classes);
        assert_eq!(server.asked().len(), requests);
        assert!(begin.elapsed() < Duration::from_secs(30));
    }
}

#[tokio::test(start_paused = true)]
async fn other_errors_are_told_and_not_repeated() {
    let server = Server::default();
    let facts = look(&server.connection(|_, _| Some(status(401, "Unauthorized"))), &[Need::Pods]).await;
    let reason = "GET /api/v1/pods: 401 Unauthorized Unauthorized".to_owned();
    assert_eq!(facts.missing(Need::Pods), Some(Missing::Failed { reason }));
    assert_eq!(server.asked().len(), 1);
}
