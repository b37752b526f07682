//! The pods of a round trip: what they run, and with which rights.

use serde_json::{Map, Value, json};

use super::super::ledger::Role;
use super::{Manifest, manifest, name};
use crate::report::document::VolumeMode;
use crate::roundtrip::payload::Payload;
use crate::roundtrip::plan::{Plan, Target};

/// The container that writes, in the source pod.
pub const WRITE_CONTAINER: &str = "write";
/// The container that holds the volume and overwrites it on TERM, in the source pod.
pub const HOLD_CONTAINER: &str = "hold";
/// The container of the reader pod.
pub const READ_CONTAINER: &str = "read";
/// The container of the overwriter pod.
pub const OVERWRITE_CONTAINER: &str = "overwrite";
/// The group that owns disks on common Linux distributions: a raw device keeps its owner in the container, and without
/// this group a user other than root could not open it.
const DISK_GROUP: i64 = 6;
/// Seconds that overwriting may take after TERM.
const GRACE: i64 = 30;

/// The source pod: its init container writes, its main container holds the volume and overwrites it on TERM.
#[must_use]
pub fn writer(plan: &Plan, target: &Target, payload: &Payload) -> Manifest {
    let mut spec = pod_spec(plan, target, Role::SourceClaim, GRACE);
    let init = container(plan, target, WRITE_CONTAINER, &payload.writer_script(), false);
    let main = container(plan, target, HOLD_CONTAINER, &payload.holder_script(), false);
    spec.insert("initContainers".to_owned(), json!([init]));
    spec.insert("containers".to_owned(), json!([main]));
    manifest(plan, target, Role::Writer, &Value::Object(spec))
}

/// A pod that overwrites the source at once.
#[must_use]
pub fn overwriter(plan: &Plan, target: &Target, payload: &Payload) -> Manifest {
    let mut spec = pod_spec(plan, target, Role::SourceClaim, 1);
    let main = container(plan, target, OVERWRITE_CONTAINER, &payload.overwriter_script(), false);
    spec.insert("containers".to_owned(), json!([main]));
    manifest(plan, target, Role::Overwriter, &Value::Object(spec))
}

/// The pod that reads the restored volume, which it cannot change.
#[must_use]
pub fn reader(plan: &Plan, target: &Target, payload: &Payload) -> Manifest {
    let mut spec = pod_spec(plan, target, Role::RestoredClaim, 1);
    let main = container(plan, target, READ_CONTAINER, &payload.reader_script(), true);
    spec.insert("containers".to_owned(), json!([main]));
    manifest(plan, target, Role::Reader, &Value::Object(spec))
}

fn pod_spec(plan: &Plan, target: &Target, claim: Role, grace: i64) -> Map<String, Value> {
    let mut security = Map::new();
    security.insert("runAsNonRoot".to_owned(), json!(true));
    security.insert("seccompProfile".to_owned(), json!({ "type": "RuntimeDefault" }));
    if let Some(user) = plan.user {
        security.insert("runAsUser".to_owned(), json!(user));
        security.insert("runAsGroup".to_owned(), json!(user));
        security.insert("fsGroup".to_owned(), json!(user));
        // A restored volume has the group already; changing it again would touch every file before it is read.
        security.insert("fsGroupChangePolicy".to_owned(), json!("OnRootMismatch"));
    }
    if target.volume_mode == VolumeMode::Block {
        security.insert("supplementalGroups".to_owned(), json!([DISK_GROUP]));
    }
    let mut spec = Map::new();
    spec.insert("securityContext".to_owned(), Value::Object(security));
    spec.insert("restartPolicy".to_owned(), json!("Never"));
    spec.insert("automountServiceAccountToken".to_owned(), json!(false));
    spec.insert("enableServiceLinks".to_owned(), json!(false));
    spec.insert("terminationGracePeriodSeconds".to_owned(), json!(grace));
    let claim = json!({ "claimName": name(plan, target, claim) });
    spec.insert("volumes".to_owned(), json!([{ "name": "data", "persistentVolumeClaim": claim }]));
    if let Some(secret) = &plan.image_pull_secret {
        spec.insert("imagePullSecrets".to_owned(), json!([{ "name": secret }]));
    }
    if !plan.node_selector.is_empty() {
        let labels: Map<String, Value> =
            plan.node_selector.iter().map(|(key, value)| (key.clone(), json!(value))).collect();
        spec.insert("nodeSelector".to_owned(), Value::Object(labels));
    }
    spec
}

fn container(plan: &Plan, target: &Target, name: &str, script: &str, read_only: bool) -> Value {
    let data = match target.volume_mode {
        VolumeMode::Filesystem => "/data",
        VolumeMode::Block => "/dev/data",
    };
    let mut container = json!({
        "name": name,
        "image": plan.image,
        "imagePullPolicy": "IfNotPresent",
        "command": ["sh", "-c", script],
        "env": [
            { "name": "DATA", "value": data },
            { "name": "TERMINATION_LOG", "value": "/dev/termination-log" },
        ],
        "terminationMessagePath": "/dev/termination-log",
        // A shell that cannot run the script says why on standard error.
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "resources": {
            "requests": { "cpu": "20m", "memory": "32Mi" },
            "limits": { "cpu": "1", "memory": "64Mi" },
        },
        "securityContext": {
            "allowPrivilegeEscalation": false,
            "capabilities": { "drop": ["ALL"] },
            "readOnlyRootFilesystem": true,
            "runAsNonRoot": true,
        },
    });
    let (key, mount) = match target.volume_mode {
        VolumeMode::Filesystem => {
            ("volumeMounts", json!([{ "name": "data", "mountPath": data, "readOnly": read_only }]))
        }
        VolumeMode::Block => ("volumeDevices", json!([{ "name": "data", "devicePath": data }])),
    };
    if let Value::Object(container) = &mut container {
        container.insert(key.to_owned(), mount);
    }
    container
}
