use super::*;

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
