use std::time::Duration;

use serde_json::{Value, json};

use super::*;
use crate::model::chain::{Chain, Event};
use crate::model::command::Command;
use crate::model::facts::Facts;
use crate::model::finding::Status;
use crate::model::look_again::Earlier;
use crate::model::nulls;
use crate::model::object::ObjectName;
use crate::model::probe::Probe;
use crate::model::result::CheckResult;
use crate::model::round_trip::{StepId, VolumeMode};
use crate::roundtrip::admission_allows::{Refusal, refused};
use crate::roundtrip::everything_removed::{StuckObject, stuck};
use crate::roundtrip::round_trip::vanished;
use crate::roundtrip::snapshot_driver_matches::foreseen;

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

#[test]
fn a_pod_that_ended_by_itself_is_not_waited_for() {
    let ended = |step, name: &str, code: i64, reason: &str| {
        let mut moment = Wait::at(step, 1);
        let state = json!({ "terminated": { "exitCode": code, "reason": reason, "message": "" } });
        let pod = moment.pod.as_mut().unwrap();
        pod["status"] = json!({ "phase": "Running", "containerStatuses": [{ "name": name, "state": state }] });
        moment
    };
    // The writer overwrites when it ends, and here nobody has asked it to.
    assert!(ended(Snapshot, "write", 0, "Completed").is("SR301").message.contains("before it was asked to"));
    ended(Overwrite, "write", 137, "Error").is("SR301");
    let mut asked = ended(Overwrite, "write", 0, "Completed");
    asked.pod.as_mut().unwrap()["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
    asked.waits();
    // The other container of the reader's pod still runs.
    assert!(ended(Verify, "read", 137, "OOMKilled").is("SR310").message.contains("out of memory"));
    ended(Verify, "follow", 137, "Error").waits();
}

#[test]
fn nobody_works_on_snapshots() {
    Wait::at(Snapshot, 5).is("SR303");
    Wait::at(Snapshot, 4).waits();
    let idle = json!([{ "kind": "Deployment", "metadata": { "namespace": "kube-system", "name": "snapshot-controller" },
        "spec": { "replicas": 0, "template": { "spec": { "containers": [{ "name": "snapshot-controller", "image": "r/snapshot-controller:v8.6.0" }] } } } }]);
    let result = Wait::at(Snapshot, 5).with(&json!({ "workloads": idle })).is("SR303");
    assert!(result.cause.unwrap().contains("scaled to 0"));
    // A sign of life, a controller that is to be seen, or a cluster that may hide it.
    assert_eq!(Wait::at(Snapshot, 60).with(&json!({ "pods": controller() })).waits().id, "SR303");
    Wait::at(Snapshot, 60).event("VolumeSnapshot", "CreatingSnapshot", 1, SILENT).waits();
    Wait::at(Snapshot, 60).with(&json!({ "serverVersion": { "gitVersion": "v1.32.0-gke.1000" } })).waits();
    Wait::at(Snapshot, 60).with(&json!({ "csiDrivers": [{ "metadata": { "name": "disk.csi.azure.com" } }] })).waits();
    let lease = json!([{ "metadata": { "name": "snapshot-controller-leader" }, "spec": { "holderIdentity": "h", "leaseDurationSeconds": 15, "renewTime": "2025-12-31T23:59:55Z" } }]);
    Wait::at(Snapshot, 60).with(&json!({ "leases": lease })).waits();
    let old = json!([{ "metadata": { "name": "snapshot-controller-leader" }, "spec": { "holderIdentity": "h", "leaseDurationSeconds": 15, "renewTime": "2025-12-31T00:00:00Z" } }]);
    Wait::at(Snapshot, 60).with(&json!({ "leases": old })).is("SR303");
    // Could not look is not absent.
    let mut unseen = Wait::at(Snapshot, 60);
    unseen.facts.pods = Probe::NotCollected;
    assert_eq!(unseen.waits().id, "SR303");
}

#[test]
fn no_sidecar_works_on_the_content() {
    let silent = |seconds| {
        Wait::at(Snapshot, seconds).bound("good.csi", &json!({})).event("VolumeSnapshot", "CreatingSnapshot", 1, SILENT)
    };
    // The driver's controller is to be seen, without it.
    let without = json!([{ "metadata": { "name": "c" }, "spec": { "containers": [
        { "name": "csi-provisioner", "image": "r/csi-provisioner:v6.3.0" },
        { "name": "driver", "image": "r/good:1", "args": ["--driver-name=good.csi"] } ] } }]);
    let bare = |seconds| silent(seconds).with(&json!({ "pods": without }));
    bare(6).is("SR304");
    bare(5).waits();
    // None of the driver's controller is to be seen: it may run elsewhere.
    silent(60).waits();
    assert_eq!(silent(60).with(&json!({ "pods": sidecar("c", "--driver-name=good.csi") })).waits().id, "SR304");
    silent(60).with(&json!({ "pods": sidecar("c", "--csi-address=/csi/csi.sock") })).waits();
    let drivers = json!([{ "metadata": { "name": "good.csi" } }, { "metadata": { "name": "other.csi" } }]);
    silent(60).with(&json!({ "csiDrivers": drivers, "pods": sidecar("c", "--driver-name=other.csi") })).waits();
    let lease = json!([{ "metadata": { "name": "external-snapshotter-leader-good-csi" }, "spec": { "holderIdentity": "h", "renewTime": "2026-01-01T00:00:00Z" } }]);
    silent(60).with(&json!({ "leases": lease })).waits();
    // A sign of life: the creation has begun.
    let mut begun = silent(60);
    begun.content.as_mut().unwrap()["metadata"]["annotations"] =
        json!({ "snapshot.storage.kubernetes.io/volumesnapshot-being-created": "yes" });
    assert_eq!(begun.waits().id, "SR307");
    // Cut, and still being uploaded.
    let cut = Wait::at(Snapshot, 600).bound("good.csi", &json!({ "snapshotHandle": "h", "readyToUse": false }));
    assert!(cut.waits().cause.unwrap().contains("taken"));
    // The content could not be seen: nothing is known about the sidecar.
    let mut unseen = silent(60);
    unseen.content = None;
    unseen.waits();
}

#[test]
fn classes() {
    let event = |reason: &str, message: &str| Wait::at(Snapshot, 3).event("VolumeSnapshot", reason, 1, message);
    let none = "Failed to set default snapshot class with error cannot find default snapshot class";
    assert!(event("SetDefaultSnapshotClassFailed", none).is("SR305").fix.unwrap().manifest.is_some());
    let class = json!([{ "metadata": { "name": "gold" }, "driver": "good.csi" }]);
    let fix = event("SetDefaultSnapshotClassFailed", none)
        .with(&json!({ "volumeSnapshotClasses": class }))
        .is("SR305")
        .fix
        .unwrap();
    assert!(fix.commands[0].to_string().contains("kubectl annotate volumesnapshotclass gold "), "{fix:?}");
    event(
        "SetDefaultSnapshotClassFailed",
        "Failed to set default snapshot class with error 2 default snapshot classes were found",
    )
    .is("SR305");
    event(
        "GetSnapshotClassFailed",
        "Failed to get snapshot class with error volumesnapshotclass.snapshot.storage.k8s.io \"x\" not found",
    )
    .is("SR305");
    event("SetDefaultSnapshotClassFailed", "Failed to set default snapshot class with error the PVC source is not yet bound to a PV, will not attempt to take a snapshot").waits();
    event(
        "SnapshotContentCreationFailed",
        "Failed to create snapshot content with error cannot find CSI PersistentVolumeSource for volume pvc-1",
    )
    .is("SR307");
    event("SetDefaultSnapshotClassFailed", "snapshotting non-CSI volumes is not supported, snapshot:ns/name")
        .is("SR307");
    Wait::at(Snapshot, 3).error("Failed to check and update snapshot content: cannot get credentials for snapshot content \"snapcontent-1\": error getting secret x in namespace y: secrets \"x\" not found").is("SR305");
    Wait::at(Snapshot, 3)
        .error("found unknown parameter key \"csi.storage.k8s.io/x\" with reserved namespace csi.storage.k8s.io/")
        .is("SR305");
    Wait::at(Snapshot, 5).error("snapshot controller failed to update: volumesnapshotcontents \"x\" is forbidden: User \"system:serviceaccount:a:b\" cannot patch resource").is("SR304");
}

#[test]
fn another_drivers_class() {
    let moment = Wait::at(Snapshot, 0).bound("other.csi", &json!({}));
    assert!(moment.is("SR306").message.contains("other.csi"));
    Wait::at(Snapshot, 0).bound("good.csi", &json!({})).waits();
}

#[test]
fn another_drivers_class_is_foreseen() {
    let class = |driver: &str| json!([{ "metadata": { "name": "gold" }, "driver": driver }]);
    let mut moment = Wait::at(Snapshot, 0).with(&json!({ "volumeSnapshotClasses": class("other.csi") }));
    assert!(foreseen(&moment.facts, &moment.subject).is_none(), "no class was named");
    moment.subject.snapshot_class = Some("gold".to_owned());
    let result = in_words(foreseen(&moment.facts, &moment.subject).unwrap());
    assert_eq!((result.id.as_str(), result.message.contains("other.csi")), ("SR306", true));
    let moment = moment.with(&json!({ "volumeSnapshotClasses": class("good.csi") }));
    assert!(foreseen(&moment.facts, &moment.subject).is_none());
}

#[test]
fn the_drivers_answer_to_a_snapshot() {
    let text = |code: &str| {
        format!(
            "Failed to check and update snapshot content: failed to take snapshot of the volume vol-1: \"rpc error: code = {code} desc = no\""
        )
    };
    for (code, early, late) in [
        ("InvalidArgument", 2, Some(3)),
        ("PermissionDenied", 2, Some(3)),
        ("Unauthenticated", 2, Some(3)),
        ("NotFound", 7, Some(8)),
        ("FailedPrecondition", 7, Some(8)),
        ("Internal", 44, Some(45)),
        ("ResourceExhausted", 7, Some(8)),
        ("Unavailable", 3600, None),
        ("DeadlineExceeded", 3600, None),
        ("Aborted", 3600, None),
    ] {
        assert_eq!(Wait::at(Snapshot, early).error(&text(code)).waits().id, "SR307");
        if let Some(late) = late {
            Wait::at(Snapshot, late).error(&text(code)).is("SR307");
        }
    }
    Wait::at(Snapshot, 3600).error(&text("Nonsense")).waits();
    let throttled = "rpc error: code = ResourceExhausted desc = Request rate exceeded, try again later";
    Wait::at(Snapshot, 3600).error(throttled).waits();
}

#[test]
fn provisioning() {
    let failed = |step, seconds, count, message: &str| {
        Wait::at(step, seconds).event("PersistentVolumeClaim", "ProvisioningFailed", count, message)
    };
    let rpc = |code: &str| {
        format!(
            "failed to provision volume with StorageClass \"fast\": rpc error: code = {code} desc = disk size is invalid. Must in [10, 32000]"
        )
    };
    failed(Provision, 3, 2, &rpc("InvalidArgument")).is("SR308");
    failed(Provision, 3, 1, &rpc("InvalidArgument")).waits();
    failed(Provision, 1, 2, &rpc("InvalidArgument")).waits();
    let infeasible = format!(
        "Volume provisioning failed with infeasible error. Retries will be delayed. {}",
        rpc("InvalidArgument")
    );
    failed(Provision, 0, 1, &infeasible).is("SR308");
    assert!(
        failed(Provision, 3, 2, &rpc("OutOfRange"))
            .is("SR308")
            .fix
            .unwrap()
            .commands
            .contains(&Command::read("Size".to_owned()))
    );
    failed(Restore, 8, 3, &rpc("NotFound")).is("SR309");
    failed(Restore, 600, 30, &rpc("Unavailable")).waits();
    failed(Provision, 9, 3, &rpc("ResourceExhausted")).is("SR308");
    failed(Provision, 3600, 99, &format!("{} 429 Too Many Requests", rpc("ResourceExhausted"))).waits();
    failed(Provision, 9, 3, &rpc("Internal")).waits();
    failed(Provision, 9, 1, "storageclass.storage.k8s.io \"fast\" not found").is("SR308");
    let source = "failed to provision volume with StorageClass \"fast\": error getting handle for DataSource Type VolumeSnapshot by Name snapshot: ";
    for (reason, certain) in [
        ("snapshotcontent c for snapshot s is not handled by CSI driver of StorageClass fast", true),
        ("requested volume size 52428800 is less than the size 1073741824 for the source snapshot snapshot", true),
        (
            "requested volume ns/restored modifies the mode of the source volume but does not have permission to do so. snapshot.storage.kubernetes.io/allow-volume-mode-change annotation is not present on snapshotcontent",
            true,
        ),
        ("snapshot snapshot is being deleted", true),
        ("snapshot snapshot not bound", false),
        ("snapshot snapshot is not Ready", false),
        ("snapshot handle snapshot is not available", false),
    ] {
        let moment = failed(Restore, 30, 9, &format!("{source}{reason}"));
        if certain {
            moment.is("SR309");
        } else {
            moment.waits();
        }
    }
    failed(
        Restore,
        1,
        1,
        "CSI driver does not support snapshot restore: controller CREATE_DELETE_SNAPSHOT capability is not reported",
    )
    .is("SR309");
    failed(Restore, 1, 1, "failed to provision volume with StorageClass \"fast\": volume content source missing")
        .is("SR309");
    // Bound in the end: what failed before is of no interest.
    let mut bound = failed(Provision, 9, 9, &rpc("InvalidArgument"));
    bound.claim.as_mut().unwrap()["status"]["phase"] = json!("Bound");
    assert_eq!(bound.waits().id, "SR310");
    // Another claim's failure is not this step's.
    let mut other = failed(Restore, 9, 9, &rpc("InvalidArgument"));
    other.events[0].involved_object.name = "another".to_owned();
    other.waits();
}

#[test]
fn no_provisioner() {
    let waiting = |seconds| {
        Wait::at(Provision, seconds).event(
            "PersistentVolumeClaim",
            "ExternalProvisioning",
            3,
            "Waiting for a volume to be created either by the external provisioner 'good.csi' or manually",
        )
    };
    assert!(waiting(60).waits().cause.unwrap().contains("csi-provisioner"));
    waiting(8).with(&json!({ "csiDrivers": [] })).is("SR308");
    waiting(7).with(&json!({ "csiDrivers": [] })).waits();
    // The driver's controller is to be seen, with its other sidecar alone.
    let result = waiting(8).with(&json!({ "pods": sidecar("c", "--driver-name=good.csi") })).is("SR308");
    assert!(result.cause.unwrap().contains("without csi-provisioner"));
    let with = json!([{ "metadata": { "name": "c" }, "spec": { "containers": [
        { "name": "csi-provisioner", "image": "r/csi-provisioner:v6.3.0" },
        { "name": "driver", "image": "r/good:1", "args": ["--driver-name=good.csi"] } ] } }]);
    waiting(60).with(&json!({ "pods": with })).waits();
    waiting(60)
        .with(&json!({ "csiDrivers": [] }))
        .event("PersistentVolumeClaim", "Provisioning", 1, "External provisioner is provisioning volume")
        .waits();
}

#[test]
fn images() {
    let gone = "Failed to pull image \"x/busybox:1\": rpc error: code = NotFound desc = failed to pull and unpack image: x/busybox:1: not found";
    Wait::at(Provision, 1).container("ErrImagePull", gone).is("SR310");
    Wait::at(Provision, 1)
        .container("ImagePullBackOff", "Back-off pulling image")
        .event("Pod", "Failed", 1, gone)
        .is("SR310");
    Wait::at(Provision, 1).container("InvalidImageName", "couldn't parse image name").is("SR310");
    let slow = "Failed to pull image \"x\": dial tcp 10.0.0.1:443: i/o timeout";
    Wait::at(Provision, 20).container("ErrImagePull", slow).event("Pod", "Failed", 2, slow).waits();
    Wait::at(Provision, 40).container("ImagePullBackOff", slow).event("Pod", "Failed", 3, slow).is("SR310");
    Wait::at(Provision, 1)
        .container("CreateContainerConfigError", "container has runAsNonRoot and image will run as root")
        .is("SR310");
    Wait::at(Provision, 1).container("CreateContainerConfigError", "failed to sync secret cache").waits();
    Wait::at(Verify, 60).container("ContainerCreating", "").waits();
}

#[test]
fn nodes() {
    let conflict = "0/2 nodes are available: 1 node(s) had untolerated taint {node-role.kubernetes.io/control-plane: }, 1 node(s) had volume node affinity conflict. preemption: 0/2 nodes are available: 2 Preemption is not helpful for scheduling.";
    Wait::at(Restore, 5).unschedulable(conflict).is("SR310");
    Wait::at(Restore, 5).unschedulable(conflict).event("Pod", "TriggeredScaleUp", 1, "pod triggered scale-up").waits();
    for (message, cause) in [
        ("0/1 nodes are available: 1 Insufficient cpu. preemption: none", "no node has room"),
        ("0/2 nodes are available: 1 Insufficient memory, 1 node(s) had volume node affinity conflict.", "can reach"),
        ("0/2 nodes are available: 2 node(s) were unschedulable.", "cordoned"),
        ("0/2 nodes are available: 2 node(s) had untolerated taint {dedicated: gpu}.", "taints"),
        ("0/2 nodes are available: 2 node(s) did not have enough free storage.", "CSIStorageCapacity"),
        ("0/2 nodes are available: 2 node(s) had something new.", "no autoscaler"),
    ] {
        let moment = |seconds| Wait::at(Restore, seconds).unschedulable(message);
        moment(59).waits();
        assert!(moment(60).is("SR310").cause.unwrap().contains(cause), "{message}");
        moment(20)
            .event("Pod", "NotTriggerScaleUp", 1, "pod didn't trigger scale-up: 1 max node group size reached")
            .is("SR310");
        moment(600).event("Pod", "Nominated", 1, "Pod should schedule on: nodeclaim/default-x").waits();
    }
    Wait::at(Restore, 600)
        .unschedulable("0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims.")
        .waits();
}

#[test]
fn mounts() {
    let failed = |seconds, count, message: &str| {
        Wait::at(Restore, seconds).container("ContainerCreating", "").event("Pod", "FailedMount", count, message)
    };
    let mount = "MountVolume.MountDevice failed for volume \"pvc-1\" : rpc error: code = Internal desc = mount failed: exit status 32 wrong fs type, bad option, bad superblock on /dev/sde";
    failed(5, 2, mount).is("SR310");
    failed(5, 1, mount).waits();
    failed(60, 9, "Unable to attach or mount volumes: timed out waiting for the condition").waits();
    failed(
        10,
        3,
        "MountVolume.SetUp failed for volume \"pvc-1\" : rpc error: code = InvalidArgument desc = no such option",
    )
    .is("SR310");
}

fn refusal<'a>(status: u16, reason: &'a str, message: &'a str, object: &'a ObjectName) -> Refusal<'a> {
    Refusal { status, reason, message, object, own_namespace: false }
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
fn stuck_objects_name_the_owner_and_nothing_is_stripped() {
    let finalizer = "snapshot.storage.kubernetes.io/volumesnapshotcontent-bound-protection";
    let object =
        ObjectName { kind: "VolumeSnapshotContent".to_owned(), namespace: None, name: "snapcontent-1".to_owned() };
    let stuck = stuck(&StuckObject {
        object,
        deletion_timestamp: Some("2026-01-01T00:00:00Z".to_owned()),
        finalizers: vec![finalizer.to_owned()],
        being_created: false,
        error: None,
    });
    let result = in_words(stuck);
    assert_eq!(result.id, "SR312");
    assert!(result.message.contains(finalizer));
    assert!(result.cause.unwrap().contains("csi-snapshotter"));
    assert!(
        result
            .fix
            .unwrap()
            .commands
            .iter()
            .map(ToString::to_string)
            .all(|command| !command.contains("patch") && !command.contains("finalizers"))
    );
}

#[test]
fn a_snapshot_that_may_still_be_cut_is_not_deleted() {
    let object =
        ObjectName { kind: "VolumeSnapshotContent".to_owned(), namespace: None, name: "snapcontent-1".to_owned() };
    let stuck = stuck(&StuckObject {
        object,
        deletion_timestamp: Some("2026-01-01T00:00:00Z".to_owned()),
        finalizers: vec!["snapshot.storage.kubernetes.io/volumesnapshotcontent-bound-protection".to_owned()],
        being_created: true,
        error: None,
    });
    assert!(in_words(stuck).cause.unwrap().contains("has not said for certain"));
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

#[test]
fn a_pod_that_somebody_deletes_has_not_failed() {
    let mut moment = Wait::at(Verify, 1);
    let ended = json!([{ "name": "read", "state": { "terminated": { "exitCode": 1 } } }]);
    moment.pod.as_mut().unwrap()["status"]["containerStatuses"] = ended;
    moment.is("SR302");
    moment.pod.as_mut().unwrap()["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
    moment.waits();
}

#[test]
fn a_pod_has_its_own_time_to_be_scheduled() {
    let moment = Wait::at(Provision, 90).unschedulable("0/1 nodes are available: 1 Insufficient cpu.");
    let chain = moment.chain();
    let late = Moment { pod_elapsed: Duration::from_secs(1), ..moment.moment(&chain) };
    assert!(matches!(diagnose(&late), Diagnosis::Waiting { .. }));
    moment.is("SR310");
}

#[test]
fn a_consumer_that_does_not_go_is_waited_for_as_such() {
    let mut moment = Wait::at(Provision, 300);
    moment.claim.as_mut().unwrap()["status"]["phase"] = json!("Bound");
    moment.pod.as_mut().unwrap()["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
    let result = moment.waits();
    assert!(result.message.contains("pod writer to be gone"), "{result:#?}");
    assert!(result.cause.unwrap().contains("node does not answer"));
}

#[test]
fn what_was_not_proved_is_not_known() {
    let status = |step, object: &ObjectName| vanished(&subject(), step, object).finding().status;
    let writer = ObjectName { kind: "Pod".to_owned(), namespace: Some("n".to_owned()), name: "writer".to_owned() };
    assert_eq!(status(Overwrite, &writer), Status::Unknown);
    assert_eq!(status(Snapshot, &writer), Status::Fail);
    let claim = ObjectName { kind: "PersistentVolumeClaim".to_owned(), ..writer };
    assert_eq!(status(Overwrite, &claim), Status::Fail);
}
