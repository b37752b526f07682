//! What an API server does with an object before it stores it: checks, defaults, admission.

use serde_json::{Value, json};

use super::object::Object;
use super::pod_security;
use super::quantity;
use super::resources::{
    CLAIMS, NAMESPACES, PODS, Resource, SERVICE_ACCOUNTS, SNAPSHOT_CLASSES, SNAPSHOTS, STORAGE_CLASSES,
};
use super::status::ApiError;
use super::store::{Key, Store};

/// An object as it is stored, from what a client sent.
pub(super) fn admit(store: &Store, resource: Resource, namespace: &str, object: Value) -> Result<Value, ApiError> {
    let mut object = identity(resource, namespace, object)?;
    if resource.status {
        object.unset(&["status"]);
        object.set(&["metadata", "generation"], json!(1));
    }
    match resource {
        _ if resource == &NAMESPACES => {
            let name = object.name().to_owned();
            object.set(&["metadata", "labels", "kubernetes.io/metadata.name"], json!(name));
            object.set(&["spec", "finalizers"], json!(["kubernetes"]));
            object.set(&["status", "phase"], json!("Active"));
            Ok(object)
        }
        _ if resource == &CLAIMS => claim(store, object),
        _ if resource == &PODS => pod(store, object),
        _ if resource == &STORAGE_CLASSES => {
            default(&mut object, &["reclaimPolicy"], json!("Delete"));
            default(&mut object, &["volumeBindingMode"], json!("Immediate"));
            Ok(object)
        }
        _ if resource == &SNAPSHOTS => snapshot(object),
        _ if resource == &SNAPSHOT_CLASSES => {
            if !matches!(object.text("/deletionPolicy"), "Delete" | "Retain") {
                let why = format!(
                    "Unsupported value: \"{}\": supported values: \"Delete\", \"Retain\"",
                    object.text("/deletionPolicy")
                );
                return Err(ApiError::invalid(resource, object.name(), "deletionPolicy", &why));
            }
            Ok(object)
        }
        _ => Ok(object),
    }
}

fn default(object: &mut Value, path: &[&str], value: Value) {
    let pointer = format!("/{}", path.join("/"));
    if object.pointer(&pointer).is_none_or(Value::is_null) {
        object.set(path, value);
    }
}

fn identity(resource: Resource, namespace: &str, mut object: Value) -> Result<Value, ApiError> {
    if !object.is_object() {
        return Err(ApiError::bad_request("the body of the request is not an object"));
    }
    let kind = object.text("/kind");
    if !kind.is_empty() && kind != resource.kind {
        let message = format!(
            "{kind} in version \"{}\" cannot be handled as a {}: no kind \"{kind}\" is registered for that resource",
            object.text("/apiVersion"),
            resource.kind
        );
        return Err(ApiError::bad_request(message));
    }
    if !object.text("/metadata/resourceVersion").is_empty() {
        return Err(ApiError::bad_request("resourceVersion should not be set on objects to be created"));
    }
    object.set(&["kind"], json!(resource.kind));
    object.set(&["apiVersion"], json!(resource.api_version(resource.version)));
    for field in [
        "uid",
        "resourceVersion",
        "creationTimestamp",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
        "generation",
        "managedFields",
    ] {
        object.unset(&["metadata", field]);
    }
    if resource.namespaced {
        if !object.namespace().is_empty() && object.namespace() != namespace {
            let message = "the namespace of the provided object does not match the namespace sent on the request";
            return Err(ApiError::bad_request(message));
        }
        object.set(&["metadata", "namespace"], json!(namespace));
    } else {
        object.unset(&["metadata", "namespace"]);
    }
    let (name, prefix) = (object.name(), object.text("/metadata/generateName"));
    if name.is_empty() && prefix.is_empty() {
        return Err(ApiError::invalid(
            resource,
            "",
            "metadata.name",
            "Required value: name or generateName is required",
        ));
    }
    let label = resource == &NAMESPACES;
    if !name.is_empty() && !is_name(name, label) {
        let why = if label {
            format!(
                "Invalid value: \"{name}\": a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
            )
        } else {
            format!(
                "Invalid value: \"{name}\": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
            )
        };
        return Err(ApiError::invalid(resource, name, "metadata.name", &why));
    }
    Ok(object)
}

fn is_name(name: &str, label: bool) -> bool {
    let limit = if label { 63 } else { 253 };
    let part = |part: &str| {
        !part.is_empty()
            && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
            && !part.starts_with('-')
            && !part.ends_with('-')
    };
    name.len() <= limit && if label { part(name) } else { name.split('.').all(part) }
}

fn claim(store: &Store, mut claim: Value) -> Result<Value, ApiError> {
    let invalid = |claim: &Value, field: &str, why: &str| Err(ApiError::invalid(&CLAIMS, claim.name(), field, why));
    if claim.list("/spec/accessModes").is_empty() {
        return invalid(&claim, "spec.accessModes", "Required value: at least 1 access mode is required");
    }
    match quantity::bytes(claim.text("/spec/resources/requests/storage")) {
        None => return invalid(&claim, "spec.resources[storage]", "Required value"),
        Some(0) => {
            return invalid(&claim, "spec.resources[storage]", "Invalid value: \"0\": must be greater than zero");
        }
        Some(_) => {}
    }
    default(&mut claim, &["spec", "volumeMode"], json!("Filesystem"));
    if claim.pointer("/spec/storageClassName").is_none()
        && let Some(class) = default_storage_class(store)
    {
        claim.set(&["spec", "storageClassName"], json!(class));
    }
    // Either of the two fills the other.
    if let Some(source) = claim.pointer("/spec/dataSource").cloned().filter(|source| !source.is_null()) {
        default(&mut claim, &["spec", "dataSourceRef"], source);
    } else if let Some(source) = claim.pointer("/spec/dataSourceRef").cloned().filter(|source| !source.is_null()) {
        default(&mut claim, &["spec", "dataSource"], source);
    }
    claim.add_finalizer("kubernetes.io/pvc-protection");
    claim.set(&["status"], json!({ "phase": "Pending" }));
    Ok(claim)
}

/// The youngest default wins.
fn default_storage_class(store: &Store) -> Option<String> {
    let mut classes = store.all(&STORAGE_CLASSES);
    classes.retain(|class| class.annotation("storageclass.kubernetes.io/is-default-class") == Some("true"));
    let class = classes.iter().max_by_key(|class| class.text("/metadata/creationTimestamp").to_owned())?;
    Some(class.name().to_owned())
}

fn pod(store: &Store, mut pod: Value) -> Result<Value, ApiError> {
    if pod.list("/spec/containers").is_empty() {
        return Err(ApiError::invalid(&PODS, pod.name(), "spec.containers", "Required value"));
    }
    default(&mut pod, &["spec", "restartPolicy"], json!("Always"));
    default(&mut pod, &["spec", "terminationGracePeriodSeconds"], json!(30));
    default(&mut pod, &["spec", "serviceAccountName"], json!("default"));
    default(&mut pod, &["spec", "schedulerName"], json!("default-scheduler"));
    let account = pod.text("/spec/serviceAccountName").to_owned();
    pod.set(&["spec", "serviceAccount"], json!(account));
    for list in ["initContainers", "containers"] {
        let mut containers = pod.list(&format!("/spec/{list}")).to_vec();
        for container in &mut containers {
            default(container, &["terminationMessagePath"], json!("/dev/termination-log"));
            default(container, &["terminationMessagePolicy"], json!("File"));
            default(container, &["imagePullPolicy"], json!("IfNotPresent"));
            default(container, &["resources"], json!({}));
        }
        if !containers.is_empty() {
            pod.set(&["spec", list], Value::Array(containers));
        }
    }
    let namespace = Key::new(&NAMESPACES, "", pod.namespace());
    let namespace = store.get(&namespace)?;
    if store.get(&Key::new(&SERVICE_ACCOUNTS, pod.namespace(), &account)).is_err() && !namespace.is_deleting() {
        let why = format!(
            "error looking up service account {}/{account}: serviceaccount \"{account}\" not found",
            pod.namespace()
        );
        return Err(ApiError::forbidden(&PODS, pod.name(), &why));
    }
    let labels = namespace.map("/metadata/labels");
    let level =
        labels.and_then(|labels| labels.get("pod-security.kubernetes.io/enforce")?.as_str()).unwrap_or_default();
    let violations = pod_security::violations(level, &pod);
    if !violations.is_empty() {
        let why = format!("violates PodSecurity \"{level}:latest\": {}", violations.join(", "));
        return Err(ApiError::forbidden(&PODS, pod.name(), &why));
    }
    pod.set(&["status"], json!({ "phase": "Pending", "qosClass": "Burstable" }));
    Ok(pod)
}

fn snapshot(snapshot: Value) -> Result<Value, ApiError> {
    let source = |field: &str| snapshot.pointer(&format!("/spec/source/{field}")).is_some_and(Value::is_string);
    match (source("persistentVolumeClaimName"), source("volumeSnapshotContentName")) {
        (true, false) | (false, true) => {}
        _ => {
            let why = "Invalid value: \"object\": exactly one of volumeSnapshotContentName and \
                 persistentVolumeClaimName must be set";
            return Err(ApiError::invalid(&SNAPSHOTS, snapshot.name(), "spec.source", why));
        }
    }
    if snapshot.pointer("/spec/volumeSnapshotClassName") == Some(&json!("")) {
        let why = "Invalid value: \"string\": volumeSnapshotClassName must not be the empty string when set";
        return Err(ApiError::invalid(&SNAPSHOTS, snapshot.name(), "spec.volumeSnapshotClassName", why));
    }
    Ok(snapshot)
}
