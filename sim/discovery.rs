//! What the API serves: versions, groups and resource lists. CRDs decide about the snapshot groups.

use serde_json::{Value, json};

use super::object::Object;
use super::resources::{ALL, CRDS, Definition, Resource};
use super::store::{Key, Store};

/// The version of the simulated API server.
const VERSION: &str = "v1.36.2";

/// `/version`.
pub(super) fn version() -> Value {
    json!({
        "major": "1", "minor": "36", "gitVersion": VERSION, "gitCommit": "0000000000000000000000000000000000000000",
        "gitTreeState": "clean", "buildDate": "2026-06-09T00:00:00Z", "goVersion": "go1.26.4",
        "compiler": "gc", "platform": "linux/amd64",
    })
}

/// The versions in which a kind is served, the preferred one first.
pub(super) fn served_versions(store: &Store, resource: &Definition) -> Vec<String> {
    if !resource.custom {
        return vec![resource.version.to_owned()];
    }
    let Ok(crd) = store.get(&Key::new(&CRDS, "", &resource.qualified())) else { return Vec::new() };
    let established = crd
        .list("/status/conditions")
        .iter()
        .any(|condition| condition.text("/type") == "Established" && condition.text("/status") == "True");
    if !established || crd.is_deleting() {
        return Vec::new();
    }
    let served = crd.list("/spec/versions").iter().filter(|version| version.get("served") == Some(&json!(true)));
    let mut versions: Vec<String> = served.map(|version| version.text("/name").to_owned()).collect();
    versions.sort_by_key(|version| std::cmp::Reverse(priority(version)));
    versions
}

/// GA before beta before alpha, then the higher number: the order of Kubernetes.
fn priority(version: &str) -> (u8, u32, u32) {
    let digits = |text: &str| text.parse().unwrap_or(0);
    let plain = version.trim_start_matches('v');
    if let Some((major, minor)) = plain.split_once("beta") {
        (1, digits(major), digits(minor))
    } else if let Some((major, minor)) = plain.split_once("alpha") {
        (0, digits(major), digits(minor))
    } else {
        (2, digits(plain), 0)
    }
}

/// `/api`.
pub(super) fn core_versions() -> Value {
    json!({ "kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": [] })
}

/// `/apis`.
pub(super) fn groups(store: &Store) -> Value {
    let mut names: Vec<&str> = ALL.iter().map(|resource| resource.group).filter(|group| !group.is_empty()).collect();
    names.push("authorization.k8s.io");
    names.sort_unstable();
    names.dedup();
    let groups: Vec<Value> = names.into_iter().filter_map(|name| group(store, name)).collect();
    json!({ "kind": "APIGroupList", "apiVersion": "v1", "groups": groups })
}

/// `/apis/GROUP`; `None` if it is not served.
pub(super) fn group(store: &Store, name: &str) -> Option<Value> {
    let versions: Vec<Value> = group_versions(store, name)
        .into_iter()
        .map(|version| json!({ "groupVersion": format!("{name}/{version}"), "version": version }))
        .collect();
    let preferred = versions.first()?.clone();
    Some(json!({
        "kind": "APIGroup", "apiVersion": "v1", "name": name, "versions": versions, "preferredVersion": preferred,
    }))
}

fn group_versions(store: &Store, name: &str) -> Vec<String> {
    if name == "authorization.k8s.io" {
        return vec!["v1".to_owned()];
    }
    let kinds = ALL.into_iter().filter(|resource| resource.group == name && !name.is_empty());
    let mut versions: Vec<String> = kinds.flat_map(|resource| served_versions(store, resource)).collect();
    versions.sort_by_key(|version| std::cmp::Reverse(priority(version)));
    versions.dedup();
    versions
}

/// `/api/v1` and `/apis/GROUP/VERSION`; `None` if it is not served.
pub(super) fn resources(store: &Store, name: &str, version: &str) -> Option<Value> {
    let mut entries = Vec::new();
    if (name, version) == ("authorization.k8s.io", "v1") {
        entries.push(json!({
            "name": "selfsubjectaccessreviews", "singularName": "selfsubjectaccessreview", "namespaced": false,
            "kind": "SelfSubjectAccessReview", "verbs": ["create"],
        }));
    }
    for resource in ALL.into_iter().filter(|resource| resource.group == name) {
        if served_versions(store, resource).iter().any(|served| served == version) {
            entries.push(entry(resource));
        }
    }
    let group_version = if name.is_empty() { version.to_owned() } else { format!("{name}/{version}") };
    (!entries.is_empty()).then(|| {
        json!({ "kind": "APIResourceList", "apiVersion": "v1", "groupVersion": group_version, "resources": entries })
    })
}

fn entry(resource: Resource) -> Value {
    json!({
        "name": resource.plural, "singularName": resource.singular, "namespaced": resource.namespaced,
        "kind": resource.kind, "verbs": ["create", "delete", "get", "list", "patch", "watch"],
        "shortNames": resource.short_names,
    })
}
