//! Snapshot and restore in the embedded cluster by plain API calls: data really comes back, or comes back wrong.

#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may")]

use futures::future::join_all;
use futures::{StreamExt, TryStreamExt};
use k8s_openapi::api::core::v1::Event;
use kube::api::{Api, ApiResource, DeleteParams, DynamicObject, ListParams, PostParams, WatchEvent, WatchParams};
use kube::{Client, core::GroupVersionKind};
use serde_json::{Value, json};
use snapready_sim::{Cluster, scenario, start};

struct User {
    cluster: Cluster,
    client: Client,
}

impl User {
    async fn of(name: &str) -> Self {
        let cluster = start(scenario::find(name).unwrap()).await.unwrap();
        let mut config = kube::Config::new(cluster.url().parse().unwrap());
        config.default_retry = false;
        let user = Self { client: Client::try_from(config).unwrap(), cluster };
        user.create(&json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": "n" } })).await;
        user
    }

    fn api(&self, api_version: &str, kind: &str) -> Api<DynamicObject> {
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, kind));
        if kind == "Namespace" || kind.ends_with("Content") {
            Api::all_with(self.client.clone(), &resource)
        } else {
            Api::namespaced_with(self.client.clone(), "n", &resource)
        }
    }

    async fn create(&self, object: &Value) {
        let api = self.api(object["apiVersion"].as_str().unwrap(), object["kind"].as_str().unwrap());
        api.create(&PostParams::default(), &serde_json::from_value(object.clone()).unwrap()).await.unwrap();
    }

    /// Deletes a pod and tells its last state. The watch begins before the deletion, so that it is seen.
    async fn end(&self, name: &str, parameters: &DeleteParams) -> Value {
        let before = self.pods().list(&ListParams::default()).await.unwrap().metadata.resource_version.unwrap();
        self.pods().delete(name, parameters).await.unwrap();
        self.until_from(&before, &self.pods(), name, |_| false).await.1
    }

    /// Watches an object until it is as wanted, or gone: `None`. The last state comes with it.
    async fn until(
        &self,
        api: &Api<DynamicObject>,
        name: &str,
        wanted: impl Fn(&Value) -> bool,
    ) -> (Option<Value>, Value) {
        self.until_from("0", api, name, wanted).await
    }

    async fn until_from(
        &self,
        version: &str,
        api: &Api<DynamicObject>,
        name: &str,
        wanted: impl Fn(&Value) -> bool,
    ) -> (Option<Value>, Value) {
        let mut last = Value::Null;
        let parameters = WatchParams::default().fields(&format!("metadata.name={name}")).timeout(60);
        let mut watch = api.watch(&parameters, version).await.unwrap().boxed();
        while let Some(event) = watch.try_next().await.unwrap() {
            match event {
                WatchEvent::Added(object) | WatchEvent::Modified(object) => {
                    last = serde_json::to_value(&object).unwrap();
                    if wanted(&last) {
                        return (Some(last.clone()), last);
                    }
                }
                WatchEvent::Deleted(object) => return (None, serde_json::to_value(&object).unwrap()),
                WatchEvent::Bookmark(_) => {}
                WatchEvent::Error(error) => panic!("{error:?}"),
            }
        }
        panic!("{name} did not get there; last seen: {last:#}; events: {:#?}", self.events().await);
    }

    async fn events(&self) -> Vec<String> {
        let events: Api<Event> = Api::all(self.client.clone());
        let list = events.list(&ListParams::default()).await.unwrap();
        list.items
            .into_iter()
            .map(|event| format!("{} {}", event.reason.unwrap_or_default(), event.message.unwrap_or_default()))
            .collect()
    }

    async fn claim(&self, name: &str, mode: &str, class: &str, snapshot: Option<&str>) {
        let mut claim = json!({
            "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": { "name": name },
            "spec": {
                "accessModes": ["ReadWriteOnce"], "volumeMode": mode, "storageClassName": class,
                "resources": { "requests": { "storage": "64Mi" } },
            },
        });
        if let Some(snapshot) = snapshot {
            claim["spec"]["dataSource"] =
                json!({ "apiGroup": "snapshot.storage.k8s.io", "kind": "VolumeSnapshot", "name": snapshot });
        }
        self.create(&claim).await;
    }

    /// A pod with an init container that runs one script and a main container that runs another.
    async fn pod(&self, name: &str, claim: &str, mode: &str, init: &str, main: &str) {
        let container = |name: &str, script: &str| {
            let mut container = json!({
                "name": name, "image": "busybox", "command": ["sh", "-c", script],
                "env": [{ "name": "DATA", "value": "/data" }, { "name": "TERMINATION_LOG", "value": "/dev/termination-log" }],
            });
            let (list, path) =
                if mode == "Block" { ("volumeDevices", "devicePath") } else { ("volumeMounts", "mountPath") };
            container[list] = json!([{ "name": "data", path: "/data" }]);
            container
        };
        self.create(&json!({
            "apiVersion": "v1", "kind": "Pod", "metadata": { "name": name },
            "spec": {
                "restartPolicy": "Never", "initContainers": [container("init", init)], "containers": [container("main", main)],
                "volumes": [{ "name": "data", "persistentVolumeClaim": { "claimName": claim } }],
            },
        }))
        .await;
    }

    fn pods(&self) -> Api<DynamicObject> {
        self.api("v1", "Pod")
    }

    fn snapshots(&self) -> Api<DynamicObject> {
        self.api("snapshot.storage.k8s.io/v1", "VolumeSnapshot")
    }

    async fn snapshot(&self) {
        self.create(&json!({
            "apiVersion": "snapshot.storage.k8s.io/v1", "kind": "VolumeSnapshot", "metadata": { "name": "taken" },
            "spec": { "source": { "persistentVolumeClaimName": "source" } },
        }))
        .await;
    }

    /// Writes, snapshots, overwrites on the way out, restores, and tells what is read back.
    async fn roundtrip(&self, mode: &str, class: &str) -> String {
        let (write, overwrite, read) = if mode == "Block" { BLOCK } else { FILES };
        self.claim("source", mode, class, None).await;
        let hold = format!(
            "trap '{overwrite}; printf overwritten >\"$TERMINATION_LOG\"; exit 0' TERM; while :; do sleep 0.05; done"
        );
        self.pod("writer", "source", mode, write, &hold).await;
        let running = |pod: &Value| pod["status"]["phase"] == "Running" || pod["status"]["phase"] == "Failed";
        let (writer, _) = self.until(&self.pods(), "writer", running).await;
        let state = &writer.unwrap()["status"]["initContainerStatuses"][0]["state"]["terminated"];
        assert_eq!((&state["exitCode"], &state["message"]), (&json!(0), &json!("written")), "{state}");

        self.snapshot().await;
        self.until(&self.snapshots(), "taken", |snapshot| snapshot["status"]["readyToUse"] == true).await;
        let last = self.end("writer", &DeleteParams::default()).await;
        let state = &last["status"]["containerStatuses"][0]["state"]["terminated"];
        assert_eq!((&state["exitCode"], &state["message"]), (&json!(0), &json!("overwritten")), "{last:#}");

        self.claim("restored", mode, class, Some("taken")).await;
        self.pod("reader", "restored", mode, "true", read).await;
        let ended = |pod: &Value| matches!(pod["status"]["phase"].as_str(), Some("Succeeded" | "Failed"));
        let (reader, _) = self.until(&self.pods(), "reader", ended).await;
        let state = &reader.unwrap()["status"]["containerStatuses"][0]["state"]["terminated"];
        state["message"].as_str().unwrap_or_default().to_owned()
    }

    async fn leave(self) {
        self.api("v1", "Namespace").delete("n", &DeleteParams::default()).await.unwrap();
        self.cluster.until_empty().await;
    }
}

/// Scripts: write, overwrite, read.
const FILES: (&str, &str, &str) = (
    "set -e; mkdir \"$DATA/d\"; printf 0123456789 >\"$DATA/d/f\"; sync; printf written >\"$TERMINATION_LOG\"",
    "printf live >\"$DATA/d/f\"; sync",
    "cat \"$DATA/d/f\" >\"$TERMINATION_LOG\" 2>/dev/null || ls \"$DATA\" >\"$TERMINATION_LOG\"",
);
const BLOCK: (&str, &str, &str) = (
    "set -e; printf 0123456789 | dd of=\"$DATA\" conv=notrunc 2>/dev/null; printf written >\"$TERMINATION_LOG\"",
    "printf \"live      \" | dd of=\"$DATA\" conv=notrunc 2>/dev/null",
    "dd if=\"$DATA\" bs=10 count=1 2>/dev/null | tr \"\\000\" - >\"$TERMINATION_LOG\"",
);

#[tokio::test]
async fn data_comes_back_in_both_modes_from_both_classes_and_nothing_is_left() {
    let cases =
        [("Filesystem", "standard"), ("Filesystem", "immediate"), ("Block", "standard"), ("Block", "immediate")];
    join_all(cases.map(|(mode, class)| async move {
        let user = User::of("healthy").await;
        assert_eq!(user.roundtrip(mode, class).await, "0123456789", "{mode} {class}");
        user.leave().await;
    }))
    .await;
}

#[tokio::test]
async fn every_bad_restore_is_seen_in_both_modes() {
    let cases = [
        ("restore-empty", "Filesystem", "lost+found\n"),
        ("restore-empty", "Block", "----------"),
        ("restore-stale", "Filesystem", "live"),
        ("restore-stale", "Block", "live      "),
        ("restore-truncated", "Filesystem", "01234"),
        ("restore-truncated", "Block", "01234-----"),
        ("restore-bit-flipped", "Filesystem", "0123446789"),
        ("restore-bit-flipped", "Block", "0123556789"),
        ("restore-other-volume", "Filesystem", "README\ndatabase\nlost+found\n"),
        ("restore-other-volume", "Block", "This volum"),
    ];
    join_all(cases.map(|(name, mode, wanted)| async move {
        let user = User::of(name).await;
        assert_eq!(user.roundtrip(mode, "standard").await, wanted, "{name} {mode}");
        user.leave().await;
    }))
    .await;
}

async fn events_until(name: &str, wanted: &str) {
    let user = User::of(name).await;
    user.claim("source", "Filesystem", "immediate", None).await;
    if name != "provision-error" {
        user.until(&user.api("v1", "PersistentVolumeClaim"), "source", |claim| claim["status"]["phase"] == "Bound")
            .await;
        user.snapshot().await;
    }
    let events: Api<Event> = Api::all(user.client.clone());
    let mut watch = events.watch(&WatchParams::default().timeout(60), "0").await.unwrap().boxed();
    while let Some(event) = watch.try_next().await.unwrap() {
        if let WatchEvent::Added(event) = event {
            let text = format!("{} {}", event.reason.unwrap_or_default(), event.message.unwrap_or_default());
            if text.contains(wanted) {
                return;
            }
        }
    }
    panic!("{name}: {wanted:?} is not in {:#?}", user.events().await);
}

#[tokio::test]
async fn each_fault_is_told_in_the_words_of_the_real_components() {
    for (name, wanted) in [
        (
            "two-defaults",
            "SetDefaultSnapshotClassFailed Failed to set default snapshot class with error 2 default snapshot classes were found",
        ),
        (
            "wrong-driver",
            "SetDefaultSnapshotClassFailed Failed to set default snapshot class with error cannot find default snapshot class",
        ),
        ("no-sidecar", "CreatingSnapshot Waiting for a snapshot n/taken to be created by the CSI driver."),
        ("secret-missing", "\\\"cannot get credentials for snapshot content"),
        (
            "snapshot-error",
            "SnapshotCreationFailed Failed to create snapshot: failed to take snapshot of the volume vol-00000001: \"rpc error: code = InvalidArgument desc = snapshots are not enabled for pool standard\"",
        ),
        (
            "provision-error",
            "ProvisioningFailed failed to provision volume with StorageClass \"immediate\": rpc error: code = ResourceExhausted desc = no space left in pool standard",
        ),
    ] {
        let wanted = wanted.replace("\\\"", "\"");
        events_until(name, &wanted).await;
    }
}

#[tokio::test]
async fn a_forgotten_finalizer_keeps_the_snapshot_and_its_namespace() {
    let user = User::of("stuck-finalizer").await;
    assert_eq!(user.roundtrip("Filesystem", "standard").await, "0123456789");
    let namespaces = user.api("v1", "Namespace");
    namespaces.delete("n", &DeleteParams::default()).await.unwrap();
    let stuck = |namespace: &Value| {
        let text = namespace["status"]["conditions"].to_string();
        text.contains("volumesnapshots.snapshot.storage.k8s.io has 1 resource instances")
            && text.contains(
                "provisioner.storage.kubernetes.io/volumesnapshot-as-source-protection in 1 resource instances",
            )
            && !text.contains("persistentvolumeclaims")
    };
    assert!(user.until(&namespaces, "n", stuck).await.0.is_some());
}

#[tokio::test]
async fn an_image_that_cannot_be_pulled_is_said_in_the_pod() {
    let user = User::of("image-missing").await;
    user.claim("source", "Filesystem", "standard", None).await;
    user.pod("writer", "source", "Filesystem", "true", "true").await;
    let waiting = |reason: &'static str| {
        move |pod: &Value| pod["status"]["initContainerStatuses"][0]["state"]["waiting"]["reason"] == reason
    };
    assert!(user.until(&user.pods(), "writer", waiting("ErrImagePull")).await.0.is_some());
    assert!(user.until(&user.pods(), "writer", waiting("ImagePullBackOff")).await.0.is_some());
    user.leave().await;
}

#[tokio::test]
async fn a_hardened_cluster_refuses_a_careless_pod() {
    let user = User::of("restricted").await;
    let pod = json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": { "name": "p" },
        "spec": { "containers": [{ "name": "c", "image": "busybox" }] },
    });
    let refused = user.pods().create(&PostParams::default(), &serde_json::from_value(pod).unwrap()).await.unwrap_err();
    let message = refused.to_string();
    assert!(
        message.contains("violates PodSecurity \"restricted:latest\": allowPrivilegeEscalation != false"),
        "{message}"
    );
}

/// The process that runs in a pod, from its container id.
fn process(pod: &Value) -> String {
    let id = pod["status"]["containerStatuses"][0]["containerID"].as_str().unwrap_or_default();
    id.trim_start_matches("containerd://simulated-").to_owned()
}

#[tokio::test]
async fn nothing_outlives_the_cluster() {
    let user = User::of("healthy").await;
    user.claim("source", "Filesystem", "standard", None).await;
    let script = "trap '' TERM; sleep 1000 & wait";
    user.pod("writer", "source", "Filesystem", "true", script).await;
    let (writer, _) = user.until(&user.pods(), "writer", |pod| pod["status"]["phase"] == "Running").await;
    let pid = process(&writer.unwrap());
    let alive = |pid: &str| std::process::Command::new("kill").args(["-0", pid]).output().unwrap().status.success();
    assert!(alive(&pid), "{pid}");
    let User { cluster, client } = user;
    cluster.stop().await;
    while alive(&pid) {
        // Dead, but not yet waited for.
        tokio::task::yield_now().await;
    }
    assert!(client.apiserver_version().await.is_err());
}

#[tokio::test]
async fn a_container_without_a_handler_is_killed_when_its_time_is_over() {
    if !std::path::Path::new("/proc/self/status").exists() {
        // Whether a process has a handler cannot be seen here.
        return;
    }
    let user = User::of("healthy").await;
    user.claim("source", "Filesystem", "standard", None).await;
    user.pod("writer", "source", "Filesystem", "true", "while :; do sleep 0.05; done").await;
    user.until(&user.pods(), "writer", |pod| pod["status"]["phase"] == "Running").await;
    let soon = DeleteParams { grace_period_seconds: Some(1), ..DeleteParams::default() };
    let last = user.end("writer", &soon).await;
    assert_eq!(last["status"]["containerStatuses"][0]["state"]["terminated"]["exitCode"], 137, "{last:#}");
    assert_eq!(last["status"]["phase"], "Failed");
    user.leave().await;
}
