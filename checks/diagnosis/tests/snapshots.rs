use super::*;

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

/// Who will not work is named, and not the other one of the two.
#[test]
fn what_is_not_started_names_who_would_leave_it_behind() {
    let told = |check| {
        let found = Finding::new(Status::Fail, "RBAC grants nothing").cause("It cannot work");
        let explanation = not_started(&subject(), check, found);
        let result = in_words(explanation);
        assert_eq!(result.cause.as_deref(), Some("RBAC grants nothing: It cannot work"));
        (result.id, result.message)
    };
    let (id, message) = told(&crate::controller::snapshot_controller_rights::CHECK);
    assert!(id == "SR303" && message.contains("the snapshot-controller would not finish"), "{id} {message}");
    let (id, message) = told(&crate::sidecars::sidecar_rights::CHECK);
    assert!(id == "SR304" && message.contains("no csi-snapshotter of driver good.csi"), "{id} {message}");
}
