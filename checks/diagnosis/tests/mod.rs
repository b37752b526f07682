mod claims;
mod pods;
mod snapshots;

use std::time::Duration;

use serde_json::{Value, json};

use super::*;
use crate::model::chain::{Chain, Event};
use crate::model::command::Command;
use crate::model::facts::Facts;
use crate::model::finding::{Finding, Status};
use crate::model::look_again::Earlier;
use crate::model::nulls;
use crate::model::object::ObjectName;
use crate::model::probe::Probe;
use crate::model::result::CheckResult;
use crate::model::round_trip::{Origin, PodUser, StepId, VolumeMode};
use crate::moment::{Moment, Subject};
use crate::roundtrip::admission_allows::{Refusal, refused};
use crate::roundtrip::everything_removed::{StuckObject, stuck};
use crate::roundtrip::provisioning_succeeds::foreseen as class_foreseen;
use crate::roundtrip::snapshot_driver_matches::foreseen;
use crate::roundtrip::snapshot_sidecar_works::not_started;

/// A cluster in which everything was seen; `parts` are merged over it.
fn facts(parts: &Value) -> Facts {
    let mut facts = json!({ "collectedAt": "2026-01-01T00:00:00Z" });
    let seen = |value: Value| json!({ "state": "seen", "value": value });
    let driver = json!([{ "metadata": { "name": "good.csi" } }]);
    let fields = [
        ("serverVersion", json!({ "major": "1", "minor": "36", "gitVersion": "v1.36.3" })),
        ("csiDrivers", driver),
        ("csiNodes", json!([])),
        ("pods", json!([])),
        ("workloads", json!([])),
        ("leases", json!([])),
        ("volumeSnapshotClasses", json!([])),
    ];
    for (name, value) in fields {
        facts[name] = seen(parts.get(name).cloned().unwrap_or(value));
    }
    serde_json::from_value(facts).unwrap()
}

fn subject() -> Subject {
    Subject {
        label: "fast → default class, Filesystem".to_owned(),
        storage_class: "fast".to_owned(),
        driver: Some("good.csi".to_owned()),
        snapshot_class: None,
        volume_mode: VolumeMode::Filesystem,
        origin: Origin::default(),
    }
}

/// A moment of a wait, with its objects as the API server serves them.
struct Wait {
    step: StepId,
    seconds: u64,
    facts: Facts,
    earlier: Option<Earlier>,
    subject: Subject,
    claim: Option<Value>,
    pod: Option<Value>,
    snapshot: Option<Value>,
    content: Option<Value>,
    events: Vec<Event>,
}

impl Wait {
    fn at(step: StepId, seconds: u64) -> Self {
        let metadata = |name: &str| json!({ "namespace": "snapready-7f3a9c", "name": name });
        Self {
            step,
            seconds,
            facts: facts(&json!({})),
            earlier: None,
            subject: subject(),
            claim: Some(json!({ "metadata": metadata("source"), "status": { "phase": "Pending" } })),
            pod: Some(json!({ "metadata": metadata("writer"), "status": { "phase": "Pending" } })),
            snapshot: (step == StepId::Snapshot).then(|| json!({ "metadata": metadata("snapshot") })),
            content: None,
            events: Vec::new(),
        }
    }

    fn event(mut self, kind: &str, reason: &str, count: u64, message: &str) -> Self {
        let name = match kind {
            "Pod" => "writer",
            "PersistentVolumeClaim" => "source",
            "VolumeSnapshot" => "snapshot",
            _ => "snapcontent-1",
        };
        let normal = ["ExternalProvisioning", "Provisioning", "CreatingSnapshot"].contains(&reason);
        let event = json!({
            "involvedObject": { "kind": kind, "name": name },
            "type": if normal { "Normal" } else { "Warning" },
            "reason": reason,
            "message": message,
            "count": count,
        });
        self.events.push(nulls::from_value(event).unwrap());
        self
    }

    /// Bound, with a content of this driver and status.
    fn bound(mut self, driver: &str, status: &Value) -> Self {
        self.snapshot = Some(json!({
            "metadata": { "namespace": "snapready-7f3a9c", "name": "snapshot", "finalizers": ["x"] },
            "status": { "boundVolumeSnapshotContentName": "snapcontent-1", "readyToUse": false },
        }));
        self.content =
            Some(json!({ "metadata": { "name": "snapcontent-1" }, "spec": { "driver": driver }, "status": status }));
        self
    }

    fn error(self, message: &str) -> Self {
        self.bound("good.csi", &json!({ "error": { "message": message } }))
    }

    fn container(mut self, reason: &str, message: &str) -> Self {
        let status = json!([{ "name": "write", "image": "x/busybox:1", "state": { "waiting": { "reason": reason, "message": message } } }]);
        self.pod.as_mut().unwrap()["status"]["containerStatuses"] = status;
        self.claim.as_mut().unwrap()["status"]["phase"] = json!("Bound");
        self
    }

    fn unschedulable(mut self, message: &str) -> Self {
        let condition =
            json!([{ "type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message }]);
        self.pod.as_mut().unwrap()["status"]["conditions"] = condition;
        self
    }

    fn with(mut self, parts: &Value) -> Self {
        self.facts = facts(parts);
        self
    }

    fn chain(&self) -> Chain {
        nulls::from_value(json!({
            "claim": self.claim, "pod": self.pod, "volumeSnapshot": self.snapshot, "volumeSnapshotContent": self.content,
        }))
        .unwrap()
    }

    fn moment<'a>(&'a self, chain: &'a Chain) -> Moment<'a> {
        Moment {
            step: self.step,
            elapsed: Duration::from_secs(self.seconds),
            pod_elapsed: Duration::from_secs(self.seconds),
            facts: &self.facts,
            earlier: self.earlier.as_ref(),
            subject: &self.subject,
            chain,
            events: &self.events,
        }
    }

    fn timed_out(&self) -> CheckResult {
        in_words(timed_out(&self.moment(&self.chain())))
    }

    #[track_caller]
    fn is(&self, id: &str) -> CheckResult {
        match diagnose(&self.moment(&self.chain())) {
            Diagnosis::Certain(explanation) => {
                let result = in_words(*explanation);
                assert_eq!(result.id, id, "{result:#?}");
                assert!(result.cause.is_some() && result.fix.is_some() && !result.evidence.is_empty(), "{result:#?}");
                works_afterwards(&result);
                result
            }
            waiting @ Diagnosis::Waiting { .. } => panic!("{id} expected: {waiting:?}"),
        }
    }

    #[track_caller]
    fn waits(&self) -> CheckResult {
        match diagnose(&self.moment(&self.chain())) {
            Diagnosis::Waiting { waiting_for, last_seen } => assert!(!waiting_for.is_empty() && !last_seen.is_empty()),
            Diagnosis::Certain(result) => panic!("certain too early: {result:#?}"),
        }
        let result = self.timed_out();
        assert!(result.cause.is_some() && result.fix.is_some(), "{result:#?}");
        assert!(result.status == Status::Fail);
        works_afterwards(&result);
        result
    }
}

/// Advice as its own name.
fn in_words(explanation: Explanation) -> CheckResult {
    explanation.result(|advice| Some(Command::read(format!("{advice:?}"))))
}

/// The run's namespace and objects are gone when a fix is read.
#[track_caller]
fn works_afterwards(result: &CheckResult) {
    for command in &result.fix.as_ref().unwrap().commands {
        let gone = ["snapready-7f3a9c", "writer", "source", "volumesnapshot snapshot", "snapcontent-1"];
        assert!(!gone.iter().any(|name| command.to_string().contains(name)), "{command}");
    }
}

use StepId::{Overwrite, Provision, Restore, Snapshot, Verify};

const SILENT: &str = "Waiting for a snapshot ns/x to be created by the CSI driver.";

fn sidecar(name: &str, argument: &str) -> Value {
    json!([{ "metadata": { "name": name }, "spec": { "containers": [{ "name": "csi-snapshotter", "image": "r/csi-snapshotter:v8.6.0", "args": [argument] }] } }])
}

fn controller() -> Value {
    json!([{ "metadata": { "name": "c" }, "spec": { "containers": [{ "name": "snapshot-controller", "image": "r/snapshot-controller:v8.6.0" }] } }])
}

fn refusal<'a>(status: u16, reason: &'a str, message: &'a str, object: &'a ObjectName) -> Refusal<'a> {
    Refusal { status, reason, message, object, own_namespace: false, user: PodUser::NonRoot }
}

fn claim() -> ObjectName {
    ObjectName { kind: "PersistentVolumeClaim".to_owned(), namespace: Some("ns".to_owned()), name: "source".to_owned() }
}

#[test]
fn refusals_name_who_refuses() {
    for (status, reason, message, cause) in [
        (
            403,
            "Forbidden",
            "persistentvolumeclaims \"source\" is forbidden: exceeded quota: storage, requested: requests.storage=1Gi, used: requests.storage=9Gi, limited: requests.storage=9Gi",
            "ResourceQuota storage",
        ),
        (
            403,
            "Forbidden",
            "pods \"writer\" is forbidden: failed quota: compute: must specify limits.ephemeral-storage",
            "ResourceQuota compute",
        ),
        (
            403,
            "Forbidden",
            "persistentvolumeclaims \"source\" is forbidden: minimum storage usage per PersistentVolumeClaim is 10Gi, but request is 1Gi",
            "LimitRange",
        ),
        (
            403,
            "Forbidden",
            "pods \"writer\" is forbidden: violates PodSecurity \"restricted:latest\": runAsNonRoot != true",
            "Pod Security",
        ),
        (
            403,
            "Forbidden",
            "pods \"writer\" is forbidden: unable to validate against any security context constraint: []",
            "OpenShift",
        ),
        (
            422,
            "Invalid",
            "ValidatingAdmissionPolicy 'images' with binding 'b' denied request: only from our registry",
            "ValidatingAdmissionPolicy images",
        ),
        (400, "BadRequest", "admission webhook \"validate.kyverno.svc-fail\" denied the request: policy x", "Kyverno"),
        (403, "Forbidden", "admission webhook \"validation.gatekeeper.sh\" denied the request: [repo] x", "Gatekeeper"),
        (
            500,
            "InternalError",
            "Internal error occurred: failed calling webhook \"validation-webhook.snapshot.storage.k8s.io\": no endpoints available",
            "does not answer",
        ),
        (
            403,
            "Forbidden",
            "persistentvolumeclaims is forbidden: User \"eve\" cannot create resource \"persistentvolumeclaims\" in API group \"\" in the namespace \"ns\"",
            "right to create persistentvolumeclaims",
        ),
        (404, "NotFound", "namespaces \"ns\" not found", "namespace does not exist"),
        (404, "NotFound", "the server could not find the requested resource", "CRD"),
        (409, "AlreadyExists", "persistentvolumeclaims \"source\" already exists", "there already"),
        (
            409,
            "Conflict",
            "Operation cannot be fulfilled on resourcequotas \"q\": the object has been modified; please apply your changes to the latest version and try again",
            "ResourceQuota of the namespace cannot be evaluated",
        ),
        (
            403,
            "Forbidden",
            "pods \"writer\" is forbidden: error looking up service account ns/default: serviceaccount \"default\" not found",
            "no service account",
        ),
        (401, "Unauthorized", "Unauthorized", "credentials"),
    ] {
        let result = in_words(refused(&refusal(status, reason, message, &claim())));
        assert_eq!((result.id.as_str(), result.status), ("SR311", Status::Fail));
        assert!(result.cause.as_ref().unwrap().contains(cause), "{result:#?}");
        assert!(!result.fix.unwrap().text.is_empty());
    }
}

#[test]
fn hostile_text_stays_on_one_line_and_out_of_commands() {
    let evil = format!("\u{1b}[31m$(rm -rf /)\n\u{202e}{}", "A".repeat(1 << 20));
    let mut moment = Wait::at(Snapshot, 60).error(&format!("{evil} rpc error: code = InvalidArgument desc = {evil}"));
    moment.subject.driver = Some(evil.clone());
    moment.subject.storage_class.clone_from(&evil);
    moment.subject.snapshot_class = Some(evil.clone());
    moment.snapshot.as_mut().unwrap()["metadata"]["name"] = json!(evil);
    moment.content.as_mut().unwrap()["spec"]["driver"] = json!("other");
    let mut results = vec![
        moment.timed_out(),
        in_words(refused(&refusal(403, &evil, &format!("exceeded quota: {evil},"), &claim()))),
    ];
    let finalizers = vec![evil.clone()];
    results.push(in_words(stuck(&StuckObject {
        object: claim(),
        deletion_timestamp: Some(evil.clone()),
        finalizers,
        being_created: false,
        error: Some(evil.clone()),
    })));
    let moment = Wait::at(Restore, 60).event(
        "PersistentVolumeClaim",
        "ProvisioningFailed",
        9,
        &format!("{evil}rpc error: code = NotFound"),
    );
    results.push(moment.timed_out());
    for result in results {
        assert!(
            !result.message.chars().any(char::is_control) && result.message.chars().count() < 2000,
            "{}",
            result.message.len()
        );
        assert!(
            result.target.is_none_or(|target| target.chars().count() <= 401 && !target.chars().any(char::is_control))
        );
        for evidence in &result.evidence {
            assert!(evidence.path.chars().count() <= 401 && evidence.name.chars().count() <= 401);
            assert!(!evidence.value.chars().any(char::is_control) && evidence.value.chars().count() <= 1501);
        }
        for command in result.fix.unwrap().commands {
            let command = command.to_string();
            assert!(!command.contains("rm -rf") && !command.contains('\u{1b}'), "{command}");
        }
    }
}

#[test]
fn every_step_says_what_it_waits_for_without_any_object() {
    for step in StepId::ALL {
        let mut moment = Wait::at(step, 0);
        (moment.claim, moment.pod, moment.snapshot) = (None, None, None);
        moment.waits();
    }
}
