//! The embedded cluster's API, as kube's client sees it over HTTP.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may")]

use std::collections::BTreeSet;
use std::time::Duration;

use futures::{StreamExt, TryStreamExt};
use k8s_openapi::api::authorization::v1::SelfSubjectAccessReview;
use k8s_openapi::api::core::v1::{ConfigMap, Namespace, PersistentVolumeClaim, Pod};
use k8s_openapi::api::storage::v1::StorageClass;
use kube::api::{
    Api, DeleteParams, ListParams, Patch, PatchParams, PostParams, Preconditions, WatchEvent, WatchParams,
};
use kube::core::PartialObjectMeta;
use kube::{Client, Error};
use serde_json::json;
use snapready_sim::{Cluster, Effect, Fault, scenario, start};

async fn cluster(name: &str) -> (Cluster, Client) {
    let cluster = start(scenario::find(name).unwrap()).await.unwrap();
    let mut config = kube::Config::new(cluster.url().parse().unwrap());
    config.default_retry = false;
    let client = Client::try_from(config).unwrap();
    (cluster, client)
}

async fn namespace(client: &Client, name: &str) {
    let object: Namespace = serde_json::from_value(json!({ "metadata": { "name": name } })).unwrap();
    Api::all(client.clone()).create(&PostParams::default(), &object).await.unwrap();
}

fn config_map(name: &str) -> ConfigMap {
    serde_json::from_value(json!({ "metadata": { "name": name, "labels": { "test": "yes" } } })).unwrap()
}

fn status(error: Error) -> (u16, String, String) {
    match error {
        Error::Api(status) => (status.code, status.reason.clone(), status.message.clone()),
        other => panic!("not an answer of the API: {other:?}"),
    }
}

#[tokio::test]
async fn lists_come_in_pages_that_agree_with_each_other() {
    let (cluster, client) = cluster("healthy").await;
    namespace(&client, "n").await;
    let api: Api<ConfigMap> = Api::namespaced(client, "n");
    for number in 0..7 {
        api.create(&PostParams::default(), &config_map(&format!("c{number}"))).await.unwrap();
    }
    let page = ListParams::default().labels("test=yes").limit(3);
    let first = api.list(&page).await.unwrap();
    assert_eq!(first.items.len(), 3);
    // What happens between pages does not show in them.
    api.create(&PostParams::default(), &config_map("c55")).await.unwrap();
    api.delete("c6", &DeleteParams::default()).await.unwrap();
    let mut names: Vec<_> = first.items.iter().map(|object| object.metadata.name.clone().unwrap()).collect();
    let mut token = first.metadata.continue_.clone();
    while let Some(next) = token.filter(|token| !token.is_empty()) {
        let list = api.list(&page.clone().continue_token(&next)).await.unwrap();
        assert_eq!(list.metadata.resource_version, first.metadata.resource_version);
        names.extend(list.items.iter().map(|object| object.metadata.name.clone().unwrap()));
        token = list.metadata.continue_;
    }
    assert_eq!(names, ["c0", "c1", "c2", "c3", "c4", "c5", "c6"]);

    cluster.forget_history();
    let old = page.continue_token(&first.metadata.continue_.unwrap());
    assert_eq!(status(api.list(&old).await.unwrap_err()).0, 410);
}

#[tokio::test]
async fn a_watch_tells_what_happened_since_a_version_and_410_when_that_is_forgotten() {
    let (cluster, client) = cluster("healthy").await;
    namespace(&client, "n").await;
    let api: Api<ConfigMap> = Api::namespaced(client, "n");
    let from = api.list(&ListParams::default()).await.unwrap().metadata.resource_version.unwrap();
    api.create(&PostParams::default(), &config_map("c")).await.unwrap();
    let patch = Patch::Merge(json!({ "data": { "key": "value" } }));
    api.patch("c", &PatchParams::default(), &patch).await.unwrap();
    api.delete("c", &DeleteParams::default()).await.unwrap();

    let only = WatchParams::default().fields("metadata.name=c").timeout(20);
    let mut watch = api.watch(&only, &from).await.unwrap().boxed();
    let mut seen = Vec::new();
    while seen.len() < 3 {
        seen.push(match watch.try_next().await.unwrap().unwrap() {
            WatchEvent::Added(_) => "added",
            WatchEvent::Modified(_) => "modified",
            WatchEvent::Deleted(_) => "deleted",
            WatchEvent::Bookmark(_) => continue,
            WatchEvent::Error(error) => panic!("{error:?}"),
        });
    }
    assert_eq!(seen, ["added", "modified", "deleted"]);

    cluster.forget_history();
    let mut watch = api.watch(&only, &from).await.unwrap().boxed();
    match watch.try_next().await.unwrap().unwrap() {
        WatchEvent::Error(error) => assert_eq!((error.code, error.reason.as_str()), (410, "Expired")),
        other => panic!("{other:?}"),
    }
    assert!(watch.try_next().await.unwrap().is_none());
}

#[tokio::test]
async fn watches_end_in_time_and_break_on_request() {
    let (cluster, client) = cluster("healthy").await;
    let api: Api<StorageClass> = Api::all(client);
    let version = api.list(&ListParams::default()).await.unwrap().metadata.resource_version.unwrap();
    let mut short = api.watch(&WatchParams::default().timeout(1), &version).await.unwrap().boxed();
    match short.try_next().await.unwrap().unwrap() {
        WatchEvent::Bookmark(bookmark) => assert!(!bookmark.metadata.resource_version.is_empty()),
        other => panic!("{other:?}"),
    }
    assert!(short.try_next().await.unwrap().is_none());

    let mut long = api.watch(&WatchParams::default().timeout(60), &version).await.unwrap().boxed();
    cluster.cut_watches();
    assert!(!matches!(long.try_next().await, Ok(Some(_))));
}

#[tokio::test]
async fn finalizers_hold_and_names_are_taken_and_old_versions_conflict() {
    let (_cluster, client) = cluster("healthy").await;
    namespace(&client, "n").await;
    let api: Api<ConfigMap> = Api::namespaced(client, "n");
    let mut object = config_map("c");
    object.metadata.finalizers = Some(vec!["example.com/hold".to_owned()]);
    let created = api.create(&PostParams::default(), &object).await.unwrap();
    assert_eq!(status(api.create(&PostParams::default(), &object).await.unwrap_err()).1, "AlreadyExists");

    let wrong = DeleteParams {
        preconditions: Some(Preconditions { uid: Some("other".to_owned()), resource_version: None }),
        ..DeleteParams::default()
    };
    assert_eq!(status(api.delete("c", &wrong).await.unwrap_err()).1, "Conflict");
    assert!(api.delete("c", &DeleteParams::default()).await.unwrap().is_left());
    let held = api.get("c").await.unwrap();
    assert!(held.metadata.deletion_timestamp.is_some());

    let free = async |version: Option<String>| {
        let patch = Patch::Merge(json!({ "metadata": { "resourceVersion": version, "finalizers": null } }));
        api.patch("c", &PatchParams::default(), &patch).await
    };
    assert_eq!(status(free(created.metadata.resource_version).await.unwrap_err()).1, "Conflict");
    free(held.metadata.resource_version).await.unwrap();
    assert_eq!(status(api.get("c").await.unwrap_err()).0, 404);
}

#[tokio::test]
async fn dry_runs_are_checked_and_leave_nothing() {
    let (cluster, client) = cluster("quota").await;
    namespace(&client, "n").await;
    let claims: Api<PersistentVolumeClaim> = Api::namespaced(client.clone(), "n");
    let claim = json!({ "metadata": { "name": "c" }, "spec": {
        "accessModes": ["ReadWriteOnce"], "resources": { "requests": { "storage": "1Gi" } } } });
    let claim = serde_json::from_value(claim).unwrap();
    let dry = PostParams { dry_run: true, ..PostParams::default() };
    let (code, reason, message) = status(claims.create(&dry, &claim).await.unwrap_err());
    assert_eq!((code, reason.as_str()), (403, "Forbidden"));
    assert!(
        message.starts_with("persistentvolumeclaims \"c\" is forbidden: exceeded quota: storage, requested:"),
        "{message}"
    );

    let maps: Api<ConfigMap> = Api::namespaced(client, "n");
    maps.create(&dry, &config_map("c")).await.unwrap();
    assert!(maps.get_opt("c").await.unwrap().is_none());
    cluster.heal();
    claims.create(&dry, &claim).await.unwrap();
}

#[tokio::test]
async fn a_namespace_takes_its_content_with_it() {
    let (cluster, client) = cluster("healthy").await;
    namespace(&client, "n").await;
    let maps: Api<ConfigMap> = Api::namespaced(client.clone(), "n");
    maps.create(&PostParams::default(), &config_map("c")).await.unwrap();
    let namespaces: Api<Namespace> = Api::all(client);
    let going = namespaces.delete("n", &DeleteParams::default()).await.unwrap().left().unwrap();
    assert_eq!(going.status.unwrap().phase.as_deref(), Some("Terminating"));
    let (code, _, message) = status(maps.create(&PostParams::default(), &config_map("late")).await.unwrap_err());
    assert!(code == 403 && message.contains("because it is being terminated"), "{message}");
    cluster.until_empty().await;
    assert!(namespaces.get_opt("n").await.unwrap().is_none());
}

#[tokio::test]
async fn what_is_forbidden_is_said_in_kubernetes_words() {
    let (cluster, client) = cluster("forbidden-list").await;
    let leases: Api<k8s_openapi::api::coordination::v1::Lease> = Api::all(client.clone());
    let (code, reason, message) = status(leases.list(&ListParams::default()).await.unwrap_err());
    assert_eq!((code, reason.as_str()), (403, "Forbidden"));
    assert_eq!(
        message,
        "leases.coordination.k8s.io is forbidden: User \"simulated-user\" cannot list resource \"leases\" in API group \"coordination.k8s.io\" at the cluster scope"
    );
    let reviews: Api<SelfSubjectAccessReview> = Api::all(client);
    let mut allowed = Vec::new();
    for verb in ["list", "get"] {
        let review = json!({ "spec": { "resourceAttributes": { "verb": verb, "group": "coordination.k8s.io", "resource": "leases" } } });
        let review = serde_json::from_value(review).unwrap();
        allowed.push(reviews.create(&PostParams::default(), &review).await.unwrap().status.unwrap().allowed);
    }
    assert_eq!(allowed, [false, true]);
    let last = cluster.requests().pop().unwrap();
    assert_eq!((last.method.as_str(), last.status), ("POST", Some(201)));
    assert!(last.path.starts_with("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"), "{}", last.path);
}

#[tokio::test]
async fn only_metadata_is_sent_to_who_asks_for_it() {
    let (_cluster, client) = cluster("healthy").await;
    let pods: Api<Pod> = Api::all(client);
    let list = pods.list_metadata(&ListParams::default()).await.unwrap();
    let names: BTreeSet<_> = list.items.iter().filter_map(|pod| pod.metadata.name.clone()).collect();
    assert!(names.contains("snapshot-controller-7d6f8c9b5-p4q8r"), "{names:?}");
    let first: &PartialObjectMeta<Pod> = list.items.first().unwrap();
    assert_eq!(first.types.as_ref().unwrap().kind, "PartialObjectMetadata");
}

#[tokio::test]
async fn discovery_follows_the_crds() {
    for (name, versions) in [("healthy", vec!["v1"]), ("v1beta1-only", vec!["v1beta1"]), ("no-crds", vec![])] {
        let (_cluster, client) = cluster(name).await;
        let groups = client.list_api_groups().await.unwrap();
        let group = groups.groups.iter().find(|group| group.name == "snapshot.storage.k8s.io");
        let served: Vec<_> =
            group.iter().flat_map(|group| group.versions.iter().map(|one| one.version.as_str())).collect();
        assert_eq!(served, versions, "{name}");
        let resources = client.list_api_group_resources("snapshot.storage.k8s.io/v1").await;
        assert_eq!(resources.is_ok(), versions == ["v1"], "{name}");
        assert_eq!(client.apiserver_version().await.unwrap().git_version, "v1.36.2");
    }
}

#[tokio::test]
async fn faults_happen_to_requests() {
    let (cluster, client) = cluster("healthy").await;
    namespace(&client, "n").await;
    let api: Api<ConfigMap> = Api::namespaced(client, "n");
    let meets = |effect| cluster.fault(Fault::once(&["create"], &["configmaps"], effect));
    let create = async |name: &str| api.create(&PostParams::default(), &config_map(name)).await;

    meets(Effect::Error(503));
    assert_eq!(status(create("a").await.unwrap_err()).0, 503);
    assert!(api.get_opt("a").await.unwrap().is_none());

    meets(Effect::ErrorAfterEffect(504));
    assert_eq!(status(create("b").await.unwrap_err()).0, 504);
    assert!(api.get_opt("b").await.unwrap().is_some());

    meets(Effect::TooManyRequests(1));
    assert_eq!(status(create("c").await.unwrap_err()).0, 429);

    meets(Effect::DisconnectAfterEffect);
    assert!(!matches!(create("d").await.unwrap_err(), Error::Api(_)));
    assert!(api.get_opt("d").await.unwrap().is_some());

    let version = api.list(&ListParams::default()).await.unwrap().metadata.resource_version.unwrap();
    meets(Effect::LateEffect(504, Duration::from_millis(20)));
    assert_eq!(status(create("e").await.unwrap_err()).0, 504);
    let mut watch = api.watch(&WatchParams::default().timeout(20), &version).await.unwrap().boxed();
    match watch.try_next().await.unwrap().unwrap() {
        WatchEvent::Added(object) => assert_eq!(object.metadata.name.as_deref(), Some("e")),
        other => panic!("{other:?}"),
    }
    create("f").await.unwrap();
}

#[tokio::test]
async fn the_api_comes_back_at_the_same_address_with_the_same_objects() {
    let (cluster, client) = cluster("healthy").await;
    namespace(&client, "n").await;
    cluster.restart_api(Duration::from_millis(10)).await.unwrap();
    let namespaces: Api<Namespace> = Api::all(client);
    // A connection of before may be tried first.
    let found = match namespaces.get("n").await {
        Ok(found) => Ok(found),
        Err(_) => namespaces.get("n").await,
    };
    assert_eq!(found.unwrap().metadata.name.as_deref(), Some("n"));
}

#[tokio::test]
async fn the_kubeconfig_leads_to_it() {
    let (cluster, _) = cluster("healthy").await;
    let kubeconfig = kube::config::Kubeconfig::from_yaml(&cluster.kubeconfig()).unwrap();
    let options = kube::config::KubeConfigOptions { context: Some("simulated".to_owned()), ..Default::default() };
    let config = kube::Config::from_custom_kubeconfig(kubeconfig, &options).await.unwrap();
    let client = Client::try_from(config).unwrap();
    assert_eq!(client.apiserver_version().await.unwrap().minor, "36");
    cluster.stop().await;
}
