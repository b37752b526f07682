use super::*;

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
fn a_class_without_provisioner_is_foreseen() {
    let class = |name: &str, provisioner: &str| json!({ "metadata": { "name": name }, "provisioner": provisioner });
    let by_hand = Subject { driver: Some("kubernetes.io/no-provisioner".to_owned()), ..subject() };
    let told = |snapshot_classes: Value| {
        let mut facts = facts(&json!({ "volumeSnapshotClasses": snapshot_classes }));
        facts.storage_classes = Probe::from(
            [
                class("fast", "kubernetes.io/no-provisioner"),
                class("b", "good.csi"),
                class("a", "good.csi"),
                class("c", "x.csi"),
            ]
            .map(|class| nulls::from_value(class).unwrap())
            .to_vec(),
        );
        assert!(class_foreseen(&facts, &subject()).is_none(), "it has a driver");
        class_foreseen(&facts, &by_hand).unwrap().finding().clone()
    };
    let finding = told(json!([{ "metadata": { "name": "gold" }, "driver": "good.csi", "deletionPolicy": "Delete" }]));
    assert!(finding.fix.unwrap().text.contains("VolumeSnapshotClass: a, b."), "{}", finding.message);
    assert!(told(json!([])).fix.unwrap().text.contains("no other one here"));
}

/// Whoever watches need not wait until the time is up to read what is likely.
#[test]
fn what_is_likely_is_told_while_it_is_waited_for() {
    let waiting = |seconds| {
        let wait = Wait::at(Provision, seconds).event("PersistentVolumeClaim", "Provisioning", 1, "x").event(
            "PersistentVolumeClaim",
            "ProvisioningFailed",
            1,
            "rpc error: code = DeadlineExceeded desc = context deadline exceeded",
        );
        match diagnose(&wait.moment(&wait.chain())) {
            Diagnosis::Waiting { last_seen, .. } => last_seen,
            Diagnosis::Certain(cause) => panic!("{:?}", cause.finding()),
        }
    };
    assert!(!waiting(14).contains("likely"), "{}", waiting(14));
    assert!(waiting(15).ends_with("(likely: the driver or its storage did not answer in time)"), "{}", waiting(15));
}
