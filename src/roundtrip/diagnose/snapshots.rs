//! Snapshots that do not become ready.

use std::time::Duration;

use serde_json::Value;
use snapready_checks::classes::choose::{Choice, choose_snapshot_class, classes_of};
use snapready_checks::controller::find::{Presence, snapshot_controllers};
use snapready_checks::controller::snapshot_controller_installed::install;
use snapready_checks::model::facts::Facts;
use snapready_checks::model::finding::{Evidence, Fix};
use snapready_checks::model::kubernetes::VolumeSnapshotClass;
use snapready_checks::sidecars::find::sidecar_of;

use super::commands::{again, restart_controller, see_more};
use super::grpc::Code;
use super::result::{Found, RoundTripCheck, safe};
use super::{Observation, dead, list, text};
use crate::model::CheckResult;
use crate::roundtrip::plan::Target;

/// The controller's answer comes within a second; a cluster under load gets five.
const CONTROLLER: Duration = Duration::from_secs(5);
/// The sidecar's first sign of life comes within a second of the content.
const SIDECAR: Duration = Duration::from_secs(6);
/// A lister may lag behind the API server by so much.
const LAG: Duration = Duration::from_secs(2);

pub(super) fn certain(observation: &Observation<'_>) -> Option<CheckResult> {
    let snapshot = observation.volume_snapshot?;
    if snapshot.pointer("/status/readyToUse") == Some(&Value::Bool(true)) {
        return None;
    }
    wrong_driver(observation)
        .or_else(|| said(observation))
        .or_else(|| no_controller(observation, snapshot))
        .or_else(|| no_sidecar(observation, snapshot))
        .or_else(|| dead::snapshot(observation, snapshot))
}

pub(super) fn name(observation: &Observation<'_>) -> String {
    observation.volume_snapshot.and_then(|snapshot| text(snapshot, "/metadata/name")).unwrap_or_default().to_owned()
}

fn found(observation: &Observation<'_>, check: RoundTripCheck, message: &str) -> Found {
    Found::fail(check, &observation.target.label(), &format!("VolumeSnapshot {}: {message}", name(observation)))
}

/// Everything that the cluster says of the snapshot, the last word first: texts with where they stand.
fn texts(observation: &Observation<'_>) -> Vec<(String, Evidence)> {
    let namespace = observation.namespace_name();
    let mut texts = Vec::new();
    if let Some(content) = observation.volume_snapshot_content
        && let Some(error) = text(content, "/status/error/message")
    {
        let name = text(content, "/metadata/name").unwrap_or_default();
        texts.push((error.to_owned(), Evidence::cluster("VolumeSnapshotContent", name, "status.error.message", error)));
    }
    if let Some(snapshot) = observation.volume_snapshot
        && let Some(error) = text(snapshot, "/status/error/message")
    {
        let evidence =
            Evidence::namespaced("VolumeSnapshot", &namespace, &name(observation), "status.error.message", error);
        texts.push((error.to_owned(), evidence));
    }
    for event in observation.events.iter().rev() {
        if event.event_type == "Warning" && matches!(event.kind.as_str(), "VolumeSnapshot" | "VolumeSnapshotContent") {
            texts.push((format!("{}: {}", event.reason, event.message), observation.event_evidence(event)));
        }
    }
    texts
}

fn snapshot_classes<'a>(observation: &Observation<'a>) -> &'a [VolumeSnapshotClass] {
    observation.facts.volume_snapshot_classes.seen().map(Vec::as_slice).unwrap_or_default()
}

fn wrong_driver(observation: &Observation<'_>) -> Option<CheckResult> {
    let content = observation.volume_snapshot_content?;
    let (used, driver) = (text(content, "/spec/driver")?, observation.target.driver.as_deref()?);
    if used == driver {
        return None;
    }
    let class = observation
        .target
        .snapshot_class
        .as_deref()
        .or_else(|| text(content, "/spec/volumeSnapshotClassName"))
        .unwrap_or_default();
    let content_name = text(content, "/metadata/name").unwrap_or_default();
    let evidence = Evidence::cluster("VolumeSnapshotContent", content_name, "spec.driver", used);
    Some(wrong_driver_result(observation.facts, observation.target, class, used, driver, evidence))
}

/// What a named class will come to, before anything is made: nobody could delete the snapshot's content any more.
pub(super) fn foreseen(facts: &Facts, target: &Target) -> Option<CheckResult> {
    let (name, driver) = (target.snapshot_class.as_deref()?, target.driver.as_deref()?);
    let class = facts.volume_snapshot_classes.seen()?.iter().find(|class| class.metadata.name == name)?;
    // An in-tree provisioner may stand for a CSI driver of another name.
    if class.driver == driver || driver.starts_with("kubernetes.io/") {
        return None;
    }
    let evidence = Evidence::cluster("VolumeSnapshotClass", name, "driver", class.driver.as_str());
    Some(wrong_driver_result(facts, target, name, &class.driver, driver, evidence))
}

fn wrong_driver_result(
    facts: &Facts,
    target: &Target,
    class: &str,
    used: &str,
    driver: &str,
    evidence: Evidence,
) -> CheckResult {
    let classes = facts.volume_snapshot_classes.seen().map(Vec::as_slice).unwrap_or_default();
    let fix = match classes_of(classes, driver).first() {
        Some(right) => Fix::text(format!("Use a VolumeSnapshotClass of driver {driver}.")).command(format!(
            "snapready roundtrip --storage-class {} --snapshot-class {}",
            safe(&target.storage_class, "CLASS"),
            safe(&right.metadata.name, "CLASS")
        )),
        None => Fix::text(format!("Create a VolumeSnapshotClass whose driver is {driver}: there is none."))
            .command("kubectl get volumesnapshotclasses"),
    };
    let message = format!("VolumeSnapshotClass {class} is of driver {used}, the volume of {driver}");
    Found::fail(RoundTripCheck::SnapshotDriverMatches, &target.label(), &message)
        .evidence([evidence, Evidence::cluster("StorageClass", &target.storage_class, "provisioner", driver)])
        .cause("the snapshot-controller does not compare a named class with the volume; the driver of the class gets a volume that is not its own")
        .fix(fix)
        .done()
}

/// What status and events say, from the most telling text on.
fn said(observation: &Observation<'_>) -> Option<CheckResult> {
    let texts = texts(observation);
    texts
        .iter()
        .find_map(|(message, evidence)| {
            class_text(observation, message, evidence)
                .or_else(|| right_text(observation, message, evidence))
                .or_else(|| source_text(observation, message, evidence))
        })
        .or_else(|| texts.iter().find_map(|(message, evidence)| driver_text(observation, message, evidence)))
}

fn class_result(observation: &Observation<'_>, evidence: &Evidence, what: &str, cause: &str, fix: Fix) -> CheckResult {
    found(observation, RoundTripCheck::SnapshotClassUsable, what)
        .evidence([evidence.clone()])
        .cause(cause)
        .fix(fix)
        .done()
}

fn class_text(observation: &Observation<'_>, message: &str, evidence: &Evidence) -> Option<CheckResult> {
    let driver = observation.target.driver.as_deref().unwrap_or("the driver");
    let found = |what: &str, cause: &str, fix: Fix| class_result(observation, evidence, what, cause, fix);
    let classes = classes_of(snapshot_classes(observation), driver);
    let class = classes.first().map_or("CLASS", |class| safe(&class.metadata.name, "CLASS"));
    let annotate = |class: &str, value: &str| {
        format!("kubectl annotate volumesnapshotclass {class} snapshot.storage.kubernetes.io/is-default-class{value}")
    };
    if message.contains("cannot find default snapshot class") {
        if let Choice::One(default) = choose_snapshot_class(snapshot_classes(observation), driver) {
            let cause = format!(
                "class {} is the default of {driver}, but the snapshot-controller has not noticed: releases 8.0.x miss defaults that are made after their start",
                default.metadata.name
            );
            let fix = Fix::text("Restart the snapshot-controller, and update it.");
            let fix = match restart_controller(observation.facts) {
                Some(command) => fix.command(command),
                None => fix,
            };
            return Some(found("no default class is found although there is one", &cause, fix));
        }
        let fix = if classes.is_empty() {
            Fix::text(format!("Create a VolumeSnapshotClass for driver {driver}.")).manifest(class_manifest(driver))
        } else {
            Fix::text("Make one class of the driver its default, or name one with --snapshot-class.")
                .command(annotate(class, "=true"))
        };
        let cause = format!(
            "the snapshot names no class, and no VolumeSnapshotClass of driver {driver} is annotated as default"
        );
        return Some(found("there is no default VolumeSnapshotClass", &cause, fix));
    }
    if message.contains("default snapshot classes were found") {
        let cause = format!(
            "several VolumeSnapshotClasses of driver {driver} are annotated as default, and Kubernetes takes none then"
        );
        let fix = Fix::text("Leave one default per driver.")
            .command("kubectl get volumesnapshotclasses")
            .command(annotate("CLASS", "-"));
        return Some(found("there are several default VolumeSnapshotClasses", &cause, fix));
    }
    if message.contains("volumesnapshotclass.snapshot.storage.k8s.io")
        && message.contains("not found")
        && observation.elapsed >= LAG
    {
        let fix = Fix::text("Create the class, or name another with --snapshot-class.")
            .command("kubectl get volumesnapshotclasses");
        return Some(found("its VolumeSnapshotClass does not exist", "the class was named, but is not there", fix));
    }
    secret_text(observation, message, evidence)
}

/// Secrets and parameters that the class names.
fn secret_text(observation: &Observation<'_>, message: &str, evidence: &Evidence) -> Option<CheckResult> {
    let found = |what: &str, cause: &str, fix: Fix| class_result(observation, evidence, what, cause, fix);
    let secret = message.contains("cannot get credentials for snapshot content")
        || message.contains("Failed to get snapshot credentials")
        || message.contains("error getting secret");
    if secret && message.contains("not found") && observation.elapsed >= LAG {
        let fix = Fix::text("Create the secret that the class's parameters csi.storage.k8s.io/snapshotter-secret-name and -namespace name, or correct them.")
            .command(format!("kubectl get volumesnapshotclass {} -o yaml", safe(observation.target.snapshot_class.as_deref().unwrap_or("CLASS"), "CLASS")));
        return Some(found(
            "the secret of its class does not exist",
            "the csi-snapshotter needs the secret that the VolumeSnapshotClass names",
            fix,
        ));
    }
    if message.contains("cannot get credentials for snapshot content") && observation.elapsed >= LAG {
        let name = observation
            .target
            .snapshot_class
            .as_deref()
            .or_else(|| text(observation.volume_snapshot?, "/spec/volumeSnapshotClassName"))
            .unwrap_or("the snapshot");
        let cause = format!(
            "the secret that VolumeSnapshotClass {name} names does not exist, or the csi-snapshotter may not read it"
        );
        let fix = Fix::text("Create the secret as the driver's documentation says, or correct the class.")
            .command(format!("kubectl get volumesnapshotclass {} -o yaml", safe(name, "CLASS")));
        return Some(found("the credentials that its class names cannot be read", &cause, fix));
    }
    let parameters = message.contains("with reserved namespace csi.storage.k8s.io/")
        || message.contains("secret name or namespace not specified")
        || message.contains("either name and namespace for");
    if parameters && observation.elapsed >= LAG {
        let fix = Fix::text(
            "Correct the parameters of the VolumeSnapshotClass; a class cannot be changed, so delete and create it anew.",
        )
        .command(format!(
            "kubectl get volumesnapshotclass {} -o yaml",
            safe(observation.target.snapshot_class.as_deref().unwrap_or("CLASS"), "CLASS")
        ));
        return Some(found(
            "the parameters of its class are wrong",
            "the class has parameters that no sidecar accepts",
            fix,
        ));
    }
    None
}

fn class_manifest(driver: &str) -> String {
    // The name is quoted as JSON, which is YAML too: a driver's name is the cluster's text.
    let driver = Value::String(driver.to_owned());
    format!(
        "apiVersion: snapshot.storage.k8s.io/v1\nkind: VolumeSnapshotClass\nmetadata:\n  name: snapshots\n  annotations:\n    snapshot.storage.kubernetes.io/is-default-class: \"true\"\ndriver: {driver}\ndeletionPolicy: Delete\n"
    )
}

/// A controller or sidecar that lacks a right says whose account lacks it.
fn right_text(observation: &Observation<'_>, message: &str, evidence: &Evidence) -> Option<CheckResult> {
    if !message.contains("is forbidden: User ") || Code::find(message).is_some() || observation.elapsed < LAG * 2 {
        return None;
    }
    let sidecar = evidence.kind == "VolumeSnapshotContent";
    let (check, who, role) = if sidecar {
        (RoundTripCheck::SnapshotSidecarWorks, "csi-snapshotter", "external-snapshotter-runner")
    } else {
        (RoundTripCheck::SnapshotControllerWorks, "snapshot-controller", "snapshot-controller-runner")
    };
    let found = found(observation, check, &format!("the {who} lacks a right: {message}"))
        .evidence([evidence.clone()])
        .cause(format!("the {who}'s account has fewer rights than upstream's role {role} gives"))
        .fix(
            Fix::text(format!("Give the account the rights of upstream's ClusterRole {role} of the {who}'s release."))
                .command(format!("kubectl get clusterrole {role} -o yaml")),
        );
    Some(found.done())
}

/// What makes a volume one that nobody can take a snapshot of.
fn source_text(observation: &Observation<'_>, message: &str, evidence: &Evidence) -> Option<CheckResult> {
    let (what, cause, advice) = if message.contains("snapshotting non-CSI volumes is not supported")
        || message.contains("cannot find CSI PersistentVolumeSource for volume")
    {
        (
            "its source is no CSI volume",
            "volumes of in-tree plugins have no snapshots, even where a CSI driver has taken over",
            "Move the data to a volume of a CSI StorageClass, or use file-system backups.",
        )
    } else if message
        .contains("Exactly one of PersistentVolumeClaimName and VolumeSnapshotContentName should be specified")
    {
        (
            "the controller finds it malformed",
            "something changed the VolumeSnapshot while it was created",
            "Look for a mutating webhook that changes VolumeSnapshots.",
        )
    } else if message.contains("VolumeSnapshotContent is not bound to the VolumeSnapshot correctly")
        || message.contains("is bound to a different snapshot")
    {
        (
            "its content belongs to another snapshot",
            "two controllers work on the same snapshots, or objects were restored by hand",
            "Leave one snapshot-controller in the cluster.",
        )
    } else {
        return None;
    };
    if observation.elapsed < LAG {
        return None;
    }
    let fix = Fix::text(advice).command(again(observation.target));
    Some(
        found(observation, RoundTripCheck::SnapshotSucceeds, what)
            .evidence([evidence.clone()])
            .cause(cause)
            .fix(fix)
            .done(),
    )
}

/// The driver's own answer. The status keeps one text per kind of answer and no count, so time alone decides: sidecars
/// have asked again after one, two and four seconds.
fn driver_text(observation: &Observation<'_>, message: &str, evidence: &Evidence) -> Option<CheckResult> {
    let code = Code::find(message)?;
    let (_, long) = code.patience(message)?;
    if observation.elapsed < long {
        return None;
    }
    let found = found(observation, RoundTripCheck::SnapshotSucceeds, &format!("the driver refuses: {message}"))
        .evidence([evidence.clone()])
        .cause(code.meaning())
        .fix(see_more(observation, Fix::text(code.advice())));
    Some(found.done())
}

pub(super) fn is_untouched(observation: &Observation<'_>, snapshot: &Value) -> bool {
    let status = snapshot.get("status").and_then(Value::as_object).is_some_and(|status| !status.is_empty());
    let finalizers = !list(snapshot, "/metadata/finalizers").is_empty();
    let events = observation.events.iter().any(|event| event.kind == "VolumeSnapshot");
    !status && !finalizers && !events
}

fn no_controller(observation: &Observation<'_>, snapshot: &Value) -> Option<CheckResult> {
    if !(is_untouched(observation, snapshot) && observation.elapsed >= CONTROLLER) {
        return None;
    }
    let cause = match snapshot_controllers(observation.facts) {
        Presence::Absent { because, .. } => format!("no snapshot-controller is installed: {because}"),
        Presence::Present { installations, .. } => {
            let first = installations.first()?;
            if installations.iter().any(|running| running.wanted > 0) {
                return None;
            }
            format!("the snapshot-controller of {} is scaled to 0", first.place())
        }
        Presence::Unknown { .. } => return None,
    };
    Some(no_controller_result(observation, &cause))
}

pub(super) fn no_controller_result(observation: &Observation<'_>, cause: &str) -> CheckResult {
    let name = name(observation);
    found(
        observation,
        RoundTripCheck::SnapshotControllerWorks,
        "nobody works on it: neither status nor finalizers nor events",
    )
    .evidence([Evidence::namespaced("VolumeSnapshot", &observation.namespace_name(), &name, "status", "absent")])
    .cause(cause)
    .fix(install(observation.facts))
    .done()
}

/// Bound, and not a sign of a sidecar on the content.
pub(super) fn is_left_alone(observation: &Observation<'_>, snapshot: &Value) -> bool {
    let bound = text(snapshot, "/status/boundVolumeSnapshotContentName").is_some();
    let handle =
        observation.volume_snapshot_content.is_none_or(|content| text(content, "/status/snapshotHandle").is_none());
    let begun = observation.volume_snapshot_content.is_some_and(|content| {
        content
            .pointer("/metadata/annotations")
            .and_then(|annotations| annotations.get("snapshot.storage.kubernetes.io/volumesnapshot-being-created"))
            .is_some()
            || content.pointer("/status/error").is_some_and(|error| !error.is_null())
            || content.get("status").and_then(Value::as_object).is_some_and(|status| !status.is_empty())
    });
    let events = observation.events.iter().any(|event| {
        event.kind == "VolumeSnapshotContent"
            || event.component.starts_with("csi-snapshotter")
            || (event.kind == "VolumeSnapshot" && event.event_type == "Warning")
    });
    bound && handle && !begun && !events && observation.volume_snapshot_content.is_some()
}

fn no_sidecar(observation: &Observation<'_>, snapshot: &Value) -> Option<CheckResult> {
    let driver = observation.target.driver.as_deref()?;
    if !(is_left_alone(observation, snapshot) && observation.elapsed >= SIDECAR) {
        return None;
    }
    match sidecar_of(observation.facts, driver) {
        Presence::Absent { because, .. } => {
            let cause = format!("no csi-snapshotter of this driver is installed: {because}");
            Some(no_sidecar_result(observation, driver, &cause))
        }
        Presence::Present { .. } | Presence::Unknown { .. } => None,
    }
}

pub(super) fn no_sidecar_result(observation: &Observation<'_>, driver: &str, cause: &str) -> CheckResult {
    let content =
        observation.volume_snapshot_content.and_then(|content| text(content, "/metadata/name")).unwrap_or_default();
    found(observation, RoundTripCheck::SnapshotSidecarWorks, &format!("no csi-snapshotter of driver {driver} works on its content"))
        .evidence([Evidence::cluster("VolumeSnapshotContent", content, "status", "absent")])
        .cause(cause)
        .fix(
            Fix::text("Install the driver with its csi-snapshotter sidecar; many charts leave it out if the snapshot CRDs come later, so upgrade the chart once more.")
                .command("kubectl get pods -A -o jsonpath='{range .items[*]}{.metadata.namespace}/{.metadata.name} {.spec.containers[*].name}{\"\\n\"}{end}' | grep csi-snapshotter"),
        )
        .done()
}
