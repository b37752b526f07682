//! The pods of a round trip: what they run, and with which rights.

use serde_json::{Map, Value, json};
use snapready_checks::model::round_trip::{FILL_CONTAINER, OVERWRITE_CONTAINER, READ_CONTAINER, WRITE_CONTAINER};

use super::{Manifest, manifest, name};
use crate::model::{PodUser, VolumeMode};
use crate::roundtrip::modes::Making;
use crate::roundtrip::payload::{FOLLOW_HOOK, WRITTEN_HOOK};
use crate::roundtrip::plan::ZONE_LABEL;

/// The last container of the reader pod. See [`follow`].
const FOLLOW_CONTAINER: &str = "follow";
/// The group that owns disks on common Linux distributions: a raw device keeps its owner in the container, and without
/// this group a user other than root could not open it. Where nodes have no udev, disks are root's alone.
const DISK_GROUP: i64 = 6;
/// Seconds that overwriting may take after TERM.
const GRACE: i64 = 30;
/// Where a container tells the one that follows it that its script has ended.
const HANDOVER: &str = "/handover";
/// Does nothing for a while, which is longer than a hook takes that the container has to outlive.
const LINGER: &str = "trap 'exit 0' TERM; sleep 10 & wait";

/// The pod for whose sake a claim is bound that waits for its first consumer. It goes when that is done, and does nothing.
/// A scheduler that has chosen a node looks once a second whether the claim is bound; the pod that comes after this one is
/// scheduled at once.
#[must_use]
pub fn consumer(making: &Making<'_>, claim: &str) -> Manifest {
    let mut spec = pod_spec(making, claim, 1);
    spec.insert("containers".to_owned(), json!([shell(making, "consume", LINGER, "100m", "32Mi")]));
    manifest(making, &Value::Object(spec))
}

/// The source pod. That it runs tells that the data is written: a container with a postStart hook is not running before
/// the hook has ended (Kubernetes' documentation, "Pod Lifecycle"). Its kubelet tells of that at once, and of a container
/// that has ended up to a second later.
#[must_use]
pub fn writer(making: &Making<'_>, claim: &str) -> Manifest {
    writing(making, claim, &making.payload.writer_script())
}

/// The same, which goes on writing to a journal.
#[must_use]
pub fn recorder(making: &Making<'_>, claim: &str) -> Manifest {
    writing(making, claim, &making.payload.recorder_script())
}

fn writing(making: &Making<'_>, claim: &str, script: &str) -> Manifest {
    let mut spec = pod_spec(making, claim, GRACE);
    let mut write = container(making, WRITE_CONTAINER, script, false);
    after_start(&mut write, WRITTEN_HOOK);
    spec.insert("containers".to_owned(), json!([write]));
    manifest(making, &Value::Object(spec))
}

/// The pod that writes the data and exits.
#[must_use]
pub fn filler(making: &Making<'_>, claim: &str) -> Manifest {
    let script = making.payload.fill_script();
    exiting(making, claim, FILL_CONTAINER, &script)
}

/// The pod that overwrites the data and exits.
#[must_use]
pub fn overwriter(making: &Making<'_>, claim: &str) -> Manifest {
    let script = making.payload.overwrite_script();
    exiting(making, claim, OVERWRITE_CONTAINER, &script)
}

/// The same pod, but not on this node; if there is a choice, not in this zone either.
#[must_use]
pub fn on_another_node(mut pod: Manifest, node: &str, zone: Option<&String>) -> Manifest {
    // The label `kubernetes.io/hostname` may differ from a node's name.
    let elsewhere = json!([{ "matchFields": [{ "key": "metadata.name", "operator": "NotIn", "values": [node] }] }]);
    let mut affinity = json!({ "requiredDuringSchedulingIgnoredDuringExecution": { "nodeSelectorTerms": elsewhere } });
    if let (Some(zone), Value::Object(affinity)) = (zone, &mut affinity) {
        let other = json!({ "matchExpressions": [{ "key": ZONE_LABEL, "operator": "NotIn", "values": [zone] }] });
        let preferred = json!([{ "weight": 100, "preference": other }]);
        affinity.insert("preferredDuringSchedulingIgnoredDuringExecution".to_owned(), preferred);
    }
    if let Some(Value::Object(spec)) = pod.body.get_mut("spec") {
        spec.insert("affinity".to_owned(), json!({ "nodeAffinity": affinity }));
    }
    pod
}

/// The same pod on this node.
#[must_use]
pub fn on_node(mut pod: Manifest, node: &str) -> Manifest {
    let here = json!([{ "matchFields": [{ "key": "metadata.name", "operator": "In", "values": [node] }] }]);
    let affinity = json!({ "requiredDuringSchedulingIgnoredDuringExecution": { "nodeSelectorTerms": here } });
    if let Some(Value::Object(spec)) = pod.body.get_mut("spec") {
        spec.insert("affinity".to_owned(), json!({ "nodeAffinity": affinity }));
    }
    pod
}

/// The same pod, for which the driver is asked for a volume that it cannot write to.
#[must_use]
pub fn with_read_only_claim(mut pod: Manifest) -> Manifest {
    let volumes = pod.body.pointer_mut("/spec/volumes").and_then(Value::as_array_mut);
    let claims = volumes.into_iter().flatten().filter_map(|volume| volume.get_mut("persistentVolumeClaim"));
    for claim in claims.filter_map(Value::as_object_mut) {
        claim.insert("readOnly".to_owned(), json!(true));
    }
    pod
}

/// A pod of one container that does its work and exits.
fn exiting(making: &Making<'_>, claim: &str, name: &str, script: &str) -> Manifest {
    let mut spec = pod_spec(making, claim, 1);
    spec.insert("containers".to_owned(), json!([container(making, name, script, false)]));
    manifest(making, &Value::Object(spec))
}

/// The pod that reads the restored volume, which it cannot change.
#[must_use]
pub fn reader(making: &Making<'_>, claim: &str) -> Manifest {
    reading(making, claim, &making.payload.reader_script())
}

/// The same, which reads as well whether the volume has room for so many bytes.
#[must_use]
pub fn sized_reader(making: &Making<'_>, claim: &str, wanted: u64) -> Manifest {
    reading(making, claim, &making.payload.sized_reader_script(wanted))
}

/// The same, which reads the journal as well.
#[must_use]
pub fn journal_reader(making: &Making<'_>, claim: &str) -> Manifest {
    reading(making, claim, &making.payload.journal_reader_script())
}

/// The pod that looks at restored data that the run has not written.
#[must_use]
pub fn looker(making: &Making<'_>, claim: &str) -> Manifest {
    let at_most = making.target.existing.as_ref().map(|existing| existing.read_at_most).unwrap_or_default();
    reading(making, claim, &making.payload.look_script(at_most))
}

fn reading(making: &Making<'_>, claim: &str, script: &str) -> Manifest {
    let mut spec = pod_spec(making, claim, 1);
    let read = container(making, READ_CONTAINER, script, true);
    let mut containers = [read, follow(making)];
    for container in &mut containers {
        add(container, "env", json!({ "name": "HANDOVER", "value": HANDOVER }));
        add(container, "volumeMounts", json!({ "name": "handover", "mountPath": HANDOVER }));
    }
    spec.insert("containers".to_owned(), json!(containers));
    let mut spec = Value::Object(spec);
    add(&mut spec, "volumes", json!({ "name": "handover", "emptyDir": {} }));
    manifest(making, &spec)
}

fn pod_spec(making: &Making<'_>, claim: &str, grace: i64) -> Map<String, Value> {
    let Making { plan, target, .. } = making;
    let mut security = Map::new();
    security.insert("seccompProfile".to_owned(), json!({ "type": "RuntimeDefault" }));
    if making.user == PodUser::Root {
        // No capability is left to it, so that it is let in as the owner of a device, and for nothing else.
        security.insert("runAsUser".to_owned(), json!(0));
        security.insert("runAsGroup".to_owned(), json!(0));
    } else {
        security.insert("runAsNonRoot".to_owned(), json!(true));
    }
    if let Some(user) = plan.user.filter(|_| making.user != PodUser::Root) {
        security.insert("runAsUser".to_owned(), json!(user));
        security.insert("runAsGroup".to_owned(), json!(user));
        // The files of others keep their owner: a kubelet would change that of every file before the pod starts.
        if target.existing.is_none() {
            security.insert("fsGroup".to_owned(), json!(user));
            // A restored volume has the group already; changing it again would touch every file before it is read.
            security.insert("fsGroupChangePolicy".to_owned(), json!("OnRootMismatch"));
        }
    }
    if matches!(making.user, PodUser::Root | PodUser::DiskGroup) {
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

/// Makes the end of a short script be seen at once. A kubelet looks at a pod when it has started all of its containers
/// (`PLEGOnDemandRelist`, Kubernetes 1.36), and else once a second. The start of this container, the pod's last, takes as
/// long as the script needs, because the kubelet waits for its postStart hook. Nothing depends on it: without the hook,
/// or before it ends, the end is seen a second later.
fn follow(making: &Making<'_>) -> Value {
    let mut follow = shell(making, FOLLOW_CONTAINER, LINGER, "100m", "32Mi");
    after_start(&mut follow, FOLLOW_HOOK);
    follow
}

fn after_start(container: &mut Value, script: &str) {
    if let Value::Object(container) = container {
        let hook = json!({ "postStart": { "exec": { "command": ["sh", "-c", script] } } });
        container.insert("lifecycle".to_owned(), hook);
    }
}

/// A container that works on the volume.
fn container(making: &Making<'_>, name: &str, script: &str, read_only: bool) -> Value {
    let data = match making.target.volume_mode {
        VolumeMode::Filesystem => "/data",
        VolumeMode::Block => "/dev/data",
    };
    let mut container = shell(making, name, script, "1", "64Mi");
    add(&mut container, "env", json!({ "name": "DATA", "value": data }));
    match making.target.volume_mode {
        VolumeMode::Filesystem => {
            add(&mut container, "volumeMounts", json!({ "name": "data", "mountPath": data, "readOnly": read_only }));
        }
        VolumeMode::Block => {
            add(&mut container, "volumeDevices", json!({ "name": "data", "devicePath": data }));
        }
    }
    container
}

fn add(object: &mut Value, list: &str, value: Value) {
    if let Some(Value::Array(list)) = object.get_mut(list) {
        list.push(value);
    }
}

fn shell(making: &Making<'_>, name: &str, script: &str, cpu_limit: &str, memory_limit: &str) -> Value {
    let mut security = json!({
        "allowPrivilegeEscalation": false,
        "capabilities": { "drop": ["ALL"] },
        "readOnlyRootFilesystem": true,
    });
    if let (true, Value::Object(security)) = (making.user != PodUser::Root, &mut security) {
        security.insert("runAsNonRoot".to_owned(), json!(true));
    }
    json!({
        "name": name,
        "image": making.plan.image,
        "imagePullPolicy": "IfNotPresent",
        "command": ["sh", "-c", script],
        "env": [{ "name": "TERMINATION_LOG", "value": "/dev/termination-log" }],
        "volumeMounts": [],
        "volumeDevices": [],
        "terminationMessagePath": "/dev/termination-log",
        // A shell that cannot run the script says why on standard error.
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "resources": {
            "requests": { "cpu": "20m", "memory": "32Mi" },
            "limits": { "cpu": cpu_limit, "memory": memory_limit },
        },
        "securityContext": security,
    })
}
