//! A cluster as files, and calls that look at files.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use kube::{Client, Config};
use serde_json::Value;
use snapready_checks::model::object::Kind;

use crate::program::Place;

/// What `kubectl get KIND -A -o json` gives of all kinds, a file each, and `kubectl version`.
pub(crate) async fn dump(place: &Place, folder: &Path) {
    let client = Client::try_from(Config::new(place.cluster.url().parse().unwrap())).unwrap();
    let get = async |path: &str| client.request_text(http::Request::get(path).body(Vec::new()).unwrap()).await;
    for Kind { group, version, plural, .. } in Kind::ALL {
        let api = if group.is_empty() { format!("/api/{version}") } else { format!("/apis/{group}/{version}") };
        // What the API server does not serve, kubectl does not get.
        if let Ok(list) = get(&format!("{api}/{plural}")).await {
            fs::write(folder.join(format!("{plural}.{group}.json")), list).unwrap();
        }
    }
    // What Kubernetes itself puts into every cluster, and the embedded one has not.
    let reader = "extension-apiserver-authentication-reader";
    let bound = format!("system::{reader}");
    let bootstrap = [
        ("ClusterRole", "", "cluster-admin"),
        ("ClusterRoleBinding", "", "cluster-admin"),
        ("Role", "kube-system", reader),
        ("RoleBinding", "kube-system", &bound),
    ];
    let object = |(kind, namespace, name): &(&str, &str, &str)| {
        serde_json::json!({ "apiVersion": "rbac.authorization.k8s.io/v1", "kind": kind,
            "metadata": { "namespace": namespace, "name": name } })
    };
    let bootstrap: Vec<Value> = bootstrap.iter().map(object).collect();
    let list = serde_json::json!({ "apiVersion": "v1", "kind": "List", "items": bootstrap });
    fs::write(folder.join("bootstrap.json"), list.to_string()).unwrap();
    let version: Value = serde_json::from_str(&get("/version").await.unwrap()).unwrap();
    fs::write(folder.join("version.json"), serde_json::json!({ "serverVersion": version }).to_string()).unwrap();
}

/// A call and its JSON report, or whatever it prints.
pub(crate) fn offline(arguments: &[&str], input: Option<&Path>) -> (Option<i32>, Value, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_snapready"));
    command.args(arguments).args(["-o", "json"]);
    if let Some(input) = input {
        command.stdin(Stdio::from(fs::File::open(input).unwrap()));
    }
    let output = command.output().unwrap();
    let report = serde_json::from_slice(&output.stdout).unwrap_or_default();
    (output.status.code(), report, String::from_utf8_lossy(&output.stderr).into_owned())
}
