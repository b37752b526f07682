//! Collection against an API server inside the process: what it answers, and what of it arrives.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::{Request, Response};
use http_body_util::BodyExt;
use kube::client::Body;
use serde_json::{Value, json};
use snapready_checks::model::facts::{AccessReview, SecretExistence};
use snapready_checks::model::need::Rule;
use snapready_checks::model::probe::Missing;
use tower::service_fn;

use super::*;
use crate::api::Client;
use crate::roundtrip::rights;

type Answer = (u16, Vec<u8>, Option<&'static str>);

/// A request as the authorizer sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Asked {
    method: String,
    path: String,
    query: String,
    accept: String,
    body: Value,
}

/// An API server that answers by path, and remembers what it was asked.
#[derive(Clone, Default)]
struct Server {
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Server {
    /// `special` answers first; what it leaves is answered as a healthy cluster would.
    fn connection(&self, special: impl Fn(&Asked, usize) -> Option<Answer> + Send + Sync + 'static) -> Connection {
        let asked = Arc::clone(&self.asked);
        let special = Arc::new(special);
        let service = service_fn(move |request: Request<Body>| {
            let asked = Arc::clone(&asked);
            let special = Arc::clone(&special);
            async move {
                let (parts, body) = request.into_parts();
                let body = body.collect().await?.to_bytes();
                let question = Asked {
                    method: parts.method.to_string(),
                    path: parts.uri.path().to_owned(),
                    query: parts.uri.query().unwrap_or_default().to_owned(),
                    accept: parts.headers["accept"].to_str().unwrap().to_owned(),
                    body: serde_json::from_slice(&body).unwrap_or_default(),
                };
                let times = {
                    let mut asked = asked.lock().unwrap();
                    asked.push(question.clone());
                    asked.iter().filter(|earlier| earlier.path == question.path).count()
                };
                let (status, body, retry_after) = special(&question, times).unwrap_or_else(|| healthy(&question));
                let mut response = Response::builder().status(status);
                if let Some(seconds) = retry_after {
                    response = response.header("Retry-After", seconds);
                }
                Ok::<_, kube::Error>(response.body(Body::from(body)).unwrap())
            }
        });
        Connection {
            client: Client::new(kube::Client::new(service, "default"), Some(Duration::from_secs(30))),
            context: None,
            server: "http://server".to_owned(),
            namespace: "default".to_owned(),
            in_cluster: false,
            request_timeout: Some(Duration::from_secs(30)),
            connect_timeout: None,
        }
    }

    fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

fn ok(value: &Value) -> Answer {
    (200, value.to_string().into_bytes(), None)
}

fn status(code: u16, message: &str) -> Answer {
    let status = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": message, "code": code});
    (code, status.to_string().into_bytes(), None)
}

fn list_of(kind: &str, items: &Value) -> Answer {
    ok(
        &json!({"kind": format!("{kind}List"), "apiVersion": "v1", "metadata": {"resourceVersion": "7"}, "items": items}),
    )
}

/// Roles that concern snapshots, and roles that do not.
fn rules() -> Value {
    let role = |name: &str, group: &str, resource: &str| json!({"metadata": {"name": name}, "rules": [{"apiGroups": [group], "resources": [resource], "verbs": ["get"]}]});
    json!([role("web", "apps", "deployments"), role("csi", "snapshot.storage.k8s.io", "volumesnapshots")])
}

const CRD_PATH: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/";

fn healthy(asked: &Asked) -> Answer {
    let named = |name: &str| json!([{"metadata": {"name": name}}]);
    match asked.path.as_str() {
        "/version" => ok(&json!({"major": "1", "minor": "36", "gitVersion": "v1.36.0"})),
        "/apis/snapshot.storage.k8s.io" => ok(&json!({
            "kind": "APIGroup", "name": "snapshot.storage.k8s.io",
            "versions": [{"version": "v1beta1"}, {"version": "v1"}], "preferredVersion": {"version": "v1"},
        })),
        "/apis/storage.k8s.io/v1/storageclasses" => list_of("StorageClass", &named("fast")),
        "/apis/storage.k8s.io/v1/csidrivers" => list_of("CSIDriver", &named("csi.example.com")),
        // As Go writes it for a node without drivers.
        "/apis/storage.k8s.io/v1/csinodes" => {
            list_of("CSINode", &json!([{"metadata": {"name": "n1"}, "spec": {"drivers": null}}]))
        }
        "/api/v1/nodes" => list_of(
            "Node",
            &json!([{"metadata": {"name": "n1", "annotations": {"a": "b"}}, "status": {"nodeInfo": {"architecture": "arm64"}}}]),
        ),
        "/apis/snapshot.storage.k8s.io/v1/volumesnapshotclasses" => list_of(
            "VolumeSnapshotClass",
            &json!([{"metadata": {"name": "snap"}, "driver": "csi.example.com", "deletionPolicy": "Delete", "parameters": {
                "csi.storage.k8s.io/snapshotter-secret-name": "creds",
                "csi.storage.k8s.io/snapshotter-secret-namespace": "storage",
                "csi.storage.k8s.io/snapshotter-list-secret-name": "${volumesnapshot.name}",
                "csi.storage.k8s.io/snapshotter-list-secret-namespace": "storage",
            }}]),
        ),
        "/apis/groupsnapshot.storage.k8s.io/v1/volumegroupsnapshotclasses" => {
            list_of("VolumeGroupSnapshotClass", &Value::Null)
        }
        "/apis/snapshot.storage.k8s.io/v1/volumesnapshotcontents" => list_of("VolumeSnapshotContent", &Value::Null),
        "/apis/snapshot.storage.k8s.io/v1/volumesnapshots" => list_of("VolumeSnapshot", &json!([])),
        "/api/v1/persistentvolumes" => list_of("PersistentVolume", &json!([])),
        "/api/v1/persistentvolumeclaims" => list_of("PersistentVolumeClaim", &json!([])),
        "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations" => list_of(
            "ValidatingWebhookConfiguration",
            &json!([
                {"metadata": {"name": "pods"}, "webhooks": [{"name": "a", "rules": [{"apiGroups": [""], "resources": ["pods"]}]}]},
                {"metadata": {"name": "old"}, "webhooks": [{
                    "name": "validation-webhook.snapshot.storage.k8s.io",
                    "clientConfig": {"service": {"namespace": "default", "name": "gone"}, "caBundle": "eA=="},
                    "rules": [{"apiGroups": ["snapshot.storage.k8s.io"], "resources": ["volumesnapshots"]}],
                }]},
            ]),
        ),
        "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations" => {
            list_of("MutatingWebhookConfiguration", &json!([]))
        }
        "/api/v1/namespaces/default/services/gone" => ok(&json!({"kind": "Service"})),
        "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices" => list_of(
            "EndpointSlice",
            &json!([{"endpoints": [{"conditions": {"ready": false}}, {"conditions": {"ready": true}}]}, {"endpoints": null}]),
        ),
        "/apis/apiregistration.k8s.io/v1/apiservices" => list_of(
            "APIService",
            &json!([{"metadata": {"name": "v1."}, "spec": {}}, {"metadata": {"name": "v1beta1.metrics.k8s.io"},
                "spec": {"service": {"namespace": "kube-system", "name": "metrics-server"}}}]),
        ),
        "/api/v1/pods" => list_of(
            "Pod",
            &json!([
                {"metadata": {"name": "web", "namespace": "a"}, "spec": {"containers": [{"name": "web", "image": "nginx"}]}},
                {"metadata": {"name": "p", "namespace": "b"}, "spec": {"containers": [{"name": "csi-snapshotter", "image": "i"}]}},
            ]),
        ),
        "/apis/apps/v1/deployments" => list_of("Deployment", &named("csi-controller")),
        "/apis/apps/v1/statefulsets" => list_of("StatefulSet", &json!([])),
        "/apis/apps/v1/daemonsets" => list_of("DaemonSet", &named("csi-node")),
        "/apis/coordination.k8s.io/v1/leases" => {
            list_of("Lease", &json!([{"metadata": {"name": "n1", "namespace": "kube-node-lease"}}]))
        }
        "/apis/rbac.authorization.k8s.io/v1/clusterroles" => list_of("ClusterRole", &rules()),
        "/apis/rbac.authorization.k8s.io/v1/roles" => list_of("Role", &json!([])),
        "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings" => list_of(
            "ClusterRoleBinding",
            &json!([
                {"metadata": {"name": "admins"}, "subjects": [{"kind": "Group", "name": "system:masters"}]},
                {"metadata": {"name": "b"}, "subjects": [{"kind": "ServiceAccount", "name": "csi", "namespace": "a"}]},
            ]),
        ),
        "/apis/rbac.authorization.k8s.io/v1/rolebindings" => list_of("RoleBinding", &json!([])),
        "/api/v1/namespaces/storage/secrets/creds" => ok(&json!({"kind": "PartialObjectMetadata"})),
        "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
        | "/apis/authorization.k8s.io/v1/subjectaccessreviews" => {
            (201, json!({"status": {"allowed": true}}).to_string().into_bytes(), None)
        }
        path => match path.strip_prefix(CRD_PATH) {
            Some(name) if !name.contains("group") => ok(&json!({"metadata": {"name": name}, "spec": {"x": null}})),
            _ => (404, b"404 page not found\n".to_vec(), None),
        },
    }
}

async fn look(connection: &Connection, needs: &[Need]) -> Facts {
    let needs: BTreeSet<Need> = needs.iter().copied().collect();
    let collection = Collection {
        needs: &needs,
        round_trip: &rights::reviewed(&[], "test-ns", true),
        products: &[],
        server_version: None,
    };
    collect(connection, &collection, &|_| {}).await
}

#[tokio::test]
async fn everything_of_a_healthy_cluster_is_seen() {
    let server = Server::default();
    let facts = look(&server.connection(|_, _| None), &Need::ALL).await;
    for need in Need::ALL {
        assert_eq!(facts.missing(need), None, "{need:?}");
    }
    let apis = &facts.snapshot_apis.seen().unwrap().0;
    assert_eq!(
        *apis,
        BTreeMap::from([("snapshot.storage.k8s.io".to_owned(), vec!["v1".to_owned(), "v1beta1".to_owned()])])
    );
    let definitions = facts.custom_resource_definitions.seen().unwrap();
    assert_eq!(definitions.len(), 3);
    assert_eq!(definitions[0].spec, json!({"x": null}), "a schema keeps its nulls");
    assert_eq!(facts.csi_nodes.seen().unwrap()[0].spec.drivers, []);
    let node = &facts.nodes.seen().unwrap()[0];
    assert_eq!(node.status.node_info.architecture, "arm64");
    assert!(node.metadata.annotations.is_empty(), "nobody reads them");
    assert_eq!(facts.volume_snapshot_contents.seen().unwrap(), &[]);
    let pods: Vec<&str> = facts.pods.seen().unwrap().iter().map(|pod| pod.metadata.name.as_str()).collect();
    assert_eq!(pods, ["p"]);
    let workloads: Vec<(&str, &str)> = facts
        .workloads
        .seen()
        .unwrap()
        .iter()
        .map(|workload| (workload.kind.as_str(), workload.metadata.name.as_str()))
        .collect();
    assert_eq!(workloads, [("Deployment", "csi-controller"), ("DaemonSet", "csi-node")]);
    assert_eq!(facts.leases.seen().unwrap(), &[]);
    let roles: Vec<(&str, &str)> =
        facts.roles.seen().unwrap().iter().map(|role| (role.kind.as_str(), role.metadata.name.as_str())).collect();
    assert_eq!(roles, [("ClusterRole", "csi")]);
    let bindings: Vec<(&str, &str)> = facts
        .role_bindings
        .seen()
        .unwrap()
        .iter()
        .map(|binding| (binding.kind.as_str(), binding.metadata.name.as_str()))
        .collect();
    assert_eq!(bindings, [("ClusterRoleBinding", "b")]);
    let webhooks = facts.webhook_configurations.seen().unwrap();
    assert_eq!((webhooks.len(), webhooks[0].kind.as_str()), (1, "ValidatingWebhookConfiguration"));
    let services = facts.webhook_services.seen().unwrap();
    assert_eq!((services[0].exists.clone(), services[0].ready.clone()), (Probe::from(true), Probe::from(1)));
    assert_eq!(facts.api_services.seen().unwrap().len(), 1);
    let secret =
        |name: &str, exists| SecretExistence { namespace: "storage".to_owned(), name: name.to_owned(), exists };
    assert_eq!(
        facts.class_secrets.seen().unwrap(),
        // The other one's name is known only when a snapshot is taken.
        &[secret("creds", Probe::from(true))]
    );
    let reviews = facts.round_trip_access.seen().unwrap();
    let review = |group, resource, verb, namespace: Option<&str>| AccessReview {
        rule: Rule::new(group, resource, &[verb]),
        namespace: namespace.map(str::to_owned),
        allowed: true,
    };
    assert!(reviews.contains(&review("", "pods", "create", Some("test-ns"))), "{reviews:?}");
    assert!(reviews.contains(&review("", "namespaces", "delete", None)), "{reviews:?}");
}

#[tokio::test]
async fn nothing_is_asked_that_nobody_needs() {
    for need in Need::ALL {
        let server = Server::default();
        let facts = look(&server.connection(|_, _| None), &[need]).await;
        for other in Need::ALL {
            // Where the webhooks and CRDs are not looked at, nothing is known of their services.
            let expected = (other == need && need != Need::WebhookServices)
                || (need == Need::ClassSecrets && other == Need::VolumeSnapshotClasses)
                || (need == Need::MountedClaims && other == Need::Pods);
            assert_eq!(facts.missing(other).is_none(), expected, "{need:?} {other:?}");
        }
        let asked = server.asked();
        // What these are about, products and other facts say: there is nothing of them here.
        assert_eq!(
            asked.is_empty(),
            [Need::ProductObjects, Need::AccountReviews, Need::WebhookServices, Need::DriverSwitches].contains(&need),
            "{need:?}"
        );
        // Each list is of one page here.
        for question in asked.iter().filter(|question| question.method == "GET") {
            let same = asked.iter().filter(|other| other.path == question.path).count();
            assert_eq!(same, 1, "{question:?}");
        }
    }
    let server = Server::default();
    look(&server.connection(|_, _| None), &[]).await;
    assert_eq!(server.asked(), []);
}

#[tokio::test]
async fn a_version_that_is_known_is_not_asked_for_again() {
    let server = Server::default();
    let connection = server.connection(|_, _| None);
    let known = ServerVersion { git_version: "v1.30.0".to_owned(), ..ServerVersion::default() };
    let needs = BTreeSet::from([Need::ServerVersion]);
    let collection = Collection { needs: &needs, round_trip: &[], products: &[], server_version: Some(known.clone()) };
    let facts = collect(&connection, &collection, &|_| {}).await;
    assert_eq!(facts.server_version, Probe::from(known));
    assert_eq!(server.asked(), []);
}

#[tokio::test]
async fn only_access_reviews_are_not_gets_and_secrets_are_never_read() {
    let server = Server::default();
    look(&server.connection(|_, _| None), &Need::ALL).await;
    for question in server.asked() {
        if question.method != "GET" {
            assert_eq!(question.method, "POST");
            let reviews = ["selfsubjectaccessreviews", "subjectaccessreviews"];
            let paths = reviews.map(|reviews| format!("/apis/authorization.k8s.io/v1/{reviews}"));
            assert!(paths.contains(&question.path), "{question:?}");
        }
        if question.path.contains("secrets") {
            assert_eq!(question.accept, "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1");
        }
    }
}

#[tokio::test]
async fn a_secret_that_may_not_be_read_is_not_asked_for() {
    let server = Server::default();
    let connection = server.connection(|question, _| {
        (question.body["spec"]["resourceAttributes"]["resource"] == "secrets")
            .then(|| ok(&json!({"status": {"allowed": false}})))
    });
    let facts = look(&connection, &[Need::ClassSecrets]).await;
    let rule = Rule { names: vec!["creds".to_owned()], ..Rule::new("", "secrets", &["get"]) };
    assert_eq!(facts.class_secrets.seen().unwrap()[0].exists, Probe::Forbidden { rule });
    assert!(server.asked().iter().all(|question| !question.path.contains("/secrets/")));
}

#[tokio::test]
async fn reviews_that_are_refused_name_the_right_to_review() {
    let connection = Server::default()
        .connection(|question, _| question.path.contains("selfsubjectaccessreviews").then(|| status(403, "no")));
    let facts = look(&connection, &[Need::RoundTripAccess]).await;
    let rule = Rule::new("authorization.k8s.io", "selfsubjectaccessreviews", &["create"]);
    assert_eq!(facts.missing(Need::RoundTripAccess), Some(Missing::Forbidden { rule }));
}

#[tokio::test]
async fn apis_that_are_missing_are_not_served() {
    let connection = Server::default().connection(|question, _| {
        question.path.contains("snapshot").then(|| (404, b"404 page not found".to_vec(), None))
    });
    let facts = look(&connection, &Need::ALL).await;
    assert!(facts.snapshot_apis.seen().unwrap().0.is_empty());
    assert_eq!(facts.custom_resource_definitions, Probe::from(Vec::new()));
    for need in [Need::VolumeSnapshotClasses, Need::VolumeSnapshotContents, Need::ClassSecrets] {
        assert_eq!(facts.missing(need), Some(Missing::NotServed), "{need:?}");
    }
}

/// Whatever comes back with 200, it is never taken for "nothing there".
#[tokio::test]
async fn garbage_is_never_an_empty_cluster() {
    let garbage: [&[u8]; 9] = [
        b"",
        b"{}",
        b"[]",
        b"null",
        b"<html>Log in</html>",
        b"\xff\xfe\x00",
        b"{\"kind\":\"PodList\",\"items\":[{\"metadata\":{\"name\":7}}]}",
        b"{\"kind\":\"Status\",\"status\":\"Success\"}",
        b"{\"kind\":\"SecretList\",\"items\":[]}",
    ];
    for body in garbage {
        let connection = Server::default().connection(move |_, _| Some((200, body.to_vec(), None)));
        let facts = look(&connection, &Need::ALL).await;
        for need in Need::ALL
            .into_iter()
            .filter(|need| ![Need::ProductObjects, Need::AccountReviews, Need::DriverSwitches].contains(need))
        {
            let missing = facts.missing(need);
            assert!(
                matches!(missing, Some(Missing::Failed { .. })),
                "{need:?} {:?}: {missing:?}",
                String::from_utf8_lossy(body)
            );
        }
    }
}

#[tokio::test]
async fn hostile_text_arrives_as_it_is_and_errors_stay_short() {
    let hostile = "\u{1b}[31m\u{0}]]>\u{202e}".to_owned() + &"x".repeat(1 << 20);
    let name = hostile.clone();
    let connection = Server::default().connection(move |question, _| match question.path.as_str() {
        "/apis/storage.k8s.io/v1/storageclasses" => {
            Some(list_of("StorageClass", &json!([{"metadata": {"name": name}}])))
        }
        "/apis/storage.k8s.io/v1/csidrivers" => Some(status(400, &name)),
        "/apis/storage.k8s.io/v1/csinodes" => {
            Some(list_of("CSINode", &json!([{"metadata": {"name": name}, "spec": name}])))
        }
        _ => None,
    });
    let facts = look(&connection, &Need::ALL).await;
    assert_eq!(pages::names(&facts), [hostile]);
    for need in [Need::CsiDrivers, Need::CsiNodes] {
        match facts.missing(need) {
            Some(Missing::Failed { reason }) => assert!(reason.chars().count() < 1000, "{need:?}"),
            other => panic!("{need:?} {other:?}"),
        }
    }
}

mod accounts;
mod claims;
mod granted;
mod pages;
mod products;
mod switches;
