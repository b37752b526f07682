use std::collections::BTreeMap;

use jiff::Timestamp;

use super::*;
use crate::model::{PodUser, VolumeMode};
use crate::roundtrip::modes::{MODES, Seen, Shape, other_namespace, plain};
use crate::roundtrip::payload::Payload;
use crate::roundtrip::program::ObjectId;

fn plan(own_namespace: bool, user: Option<i64>, modes: &[VolumeMode]) -> Plan {
    let target = |(index, volume_mode): (usize, &VolumeMode)| Target {
        index,
        storage_class: "fast".to_owned(),
        driver: Some("good.csi".to_owned()),
        binding_mode: None,
        reclaim_policy: None,
        snapshot_class: None,
        needs_name: false,
        defaults: None,
        snapshot_driver: None,
        deletion_policy: None,
        volume_mode: *volume_mode,
        mode: &plain::MODE,
        size_bytes: 1 << 30,
        existing: None,
        is_one_of_several_sizes: false,
    };
    Plan {
        run: "7f3a9c".parse().unwrap(),
        namespace: "ns".to_owned(),
        own_namespace,
        image: "docker.io/library/busybox:1.36".to_owned(),
        image_pull_secret: None,
        node_selector: Vec::new(),
        zones: BTreeMap::new(),
        force: false,
        user,
        expires_at: Timestamp::UNIX_EPOCH,
        targets: modes.iter().enumerate().map(target).collect(),
    }
}

const BOTH: [VolumeMode; 2] = [VolumeMode::Filesystem, VolumeMode::Block];

fn make(plan: &Plan, target: &Target, id: ObjectId) -> Manifest {
    made(plan, target, id, &Seen::default())
}

fn made(plan: &Plan, target: &Target, id: ObjectId, seen: &Seen<'_>) -> Manifest {
    made_for(PodUser::NonRoot, plan, target, id, seen)
}

fn made_for(user: PodUser, plan: &Plan, target: &Target, id: ObjectId, seen: &Seen<'_>) -> Manifest {
    let payload = Payload::new(b"seed", target.index, target.volume_mode, 32 << 20);
    let program = plain::program(Shape { own_namespace: plan.own_namespace, immediate: false });
    let object = program.object(id).unwrap();
    plain::manifest(&Making { plan, target, payload: &payload, program: &program, object, user, seen }).unwrap()
}

fn pods(plan: &Plan) -> Vec<Manifest> {
    pods_for(PodUser::NonRoot, plan)
}

fn pods_for(user: PodUser, plan: &Plan) -> Vec<Manifest> {
    let ids = [plain::SOURCE_CONSUMER, plain::RESTORED_CONSUMER, plain::WRITER, plain::READER];
    let make = |target: &Target| ids.map(|id| made_for(user, plan, target, id, &Seen::default()));
    plan.targets.iter().flat_map(make).collect()
}

#[test]
fn pods_satisfy_the_restricted_level() {
    let users = [PodUser::DiskGroup, PodUser::NonRoot]
        .into_iter()
        .flat_map(|pod_user| [(pod_user, Some(65_534)), (pod_user, None)]);
    for (pod_user, user) in users {
        for pod in pods_for(pod_user, &plan(true, user, &BOTH)) {
            let spec = &pod.body["spec"];
            assert_eq!(spec["securityContext"]["runAsNonRoot"], true);
            assert_eq!(spec["securityContext"].get("supplementalGroups").is_some(), pod_user == PodUser::DiskGroup);
            assert_eq!(spec["securityContext"]["seccompProfile"]["type"], "RuntimeDefault");
            assert_eq!(spec["securityContext"]["runAsUser"].as_i64(), user);
            assert_eq!(spec["securityContext"]["fsGroup"].as_i64(), user);
            assert_eq!(spec["automountServiceAccountToken"], false);
            assert_eq!(spec["restartPolicy"], "Never");
            for container in spec["containers"].as_array().unwrap() {
                let context = &container["securityContext"];
                assert_eq!(context["allowPrivilegeEscalation"], false);
                assert_eq!(context["capabilities"]["drop"], json!(["ALL"]));
                assert_eq!(context["readOnlyRootFilesystem"], true);
                assert_eq!(context["runAsNonRoot"], true);
                assert!(container["resources"]["limits"]["memory"].is_string());
                assert_eq!(container["env"][0]["value"], container["terminationMessagePath"]);
            }
            // Everything must also be what the API's own types can read, and small enough for one argument.
            let read: k8s_openapi::api::core::v1::Pod = serde_json::from_value(pod.body.clone()).unwrap();
            let script = read.spec.unwrap().containers.remove(0).command.unwrap().remove(2);
            assert!(script.len() < 64 << 10, "{}", script.len());
        }
    }
}

#[test]
fn pods_that_run_as_root_differ_in_nothing_else_and_satisfy_the_baseline_level() {
    for user in [Some(65_534), None] {
        let plan = plan(true, user, &[VolumeMode::Block]);
        let with_root = pods_for(PodUser::Root, &plan);
        for (mut pod, mut other) in with_root.into_iter().zip(pods_for(PodUser::DiskGroup, &plan)) {
            let context = pod.body["spec"]["securityContext"].take();
            assert_eq!(
                context,
                json!({ "runAsUser": 0, "runAsGroup": 0, "supplementalGroups": [6], "seccompProfile": { "type": "RuntimeDefault" } })
            );
            other.body["spec"]["securityContext"].take();
            for container in other.body["spec"]["containers"].as_array_mut().unwrap() {
                container["securityContext"].as_object_mut().unwrap().remove("runAsNonRoot");
                assert_eq!(container["securityContext"]["capabilities"], json!({ "drop": ["ALL"] }));
            }
            assert_eq!(pod, other);
        }
    }
}

#[test]
fn a_namespace_of_the_runs_own_enforces_the_level_of_its_pods() {
    let plan = plan(true, None, &BOTH);
    for (user, level) in
        [(PodUser::Root, "baseline"), (PodUser::DiskGroup, "restricted"), (PodUser::NonRoot, "restricted")]
    {
        let space = made_for(user, &plan, &plan.targets[0], plain::SPACE, &Seen::default());
        for mode in ["enforce", "audit", "warn"] {
            assert_eq!(space.body["metadata"]["labels"][format!("pod-security.kubernetes.io/{mode}")], level);
        }
    }
}

#[test]
fn names_and_labels_find_everything_again() {
    let single = plan(true, None, &BOTH[..1]);
    assert_eq!(name(&single, &single.targets[0], "source"), "source");
    let several = plan(true, None, &BOTH);
    assert_eq!(name(&several, &several.targets[1], "reader"), "reader-1");
    let shared = plan(false, None, &BOTH);
    assert_eq!(name(&shared, &shared.targets[1], "snapshot"), "snapready-7f3a9c-snapshot-1");
    let target = &shared.targets[1];
    let mut all = pods(&shared);
    let others = [plain::SOURCE_CLAIM, plain::SNAPSHOT, plain::RESTORED_CLAIM, plain::SPACE];
    all.extend(others.map(|id| make(&shared, target, id)));
    for object in all {
        let metadata = &object.body["metadata"];
        assert_eq!(metadata["labels"][RUN_LABEL], "7f3a9c");
        assert_eq!(metadata["labels"][MANAGED_BY.0], MANAGED_BY.1);
        assert_eq!(metadata["annotations"][EXPIRES_AT], "1970-01-01T00:00:00Z");
        assert_eq!(metadata["name"], object.name.as_str());
        assert_eq!(metadata["namespace"].as_str(), object.namespace.as_deref());
        assert_eq!(object.body["kind"], object.kind.name);
    }
}

#[test]
fn the_restored_claim_comes_from_the_snapshot_of_the_source() {
    let plan = plan(true, None, &BOTH);
    let target = &plan.targets[1];
    let ready = json!({ "status": { "restoreSize": "5Gi" } });
    let seen = [(plain::SNAPSHOT, &ready)].into_iter().collect();
    let restored = made(&plan, target, plain::RESTORED_CLAIM, &seen).body;
    assert_eq!(restored["spec"]["dataSource"]["name"], make(&plan, target, plain::SNAPSHOT).name.as_str());
    assert_eq!(restored["spec"]["resources"]["requests"]["storage"], "5Gi");
    assert_eq!(restored["spec"]["volumeMode"], "Block");
    let taken = make(&plan, target, plain::SNAPSHOT).body;
    assert_eq!(
        taken["spec"]["source"]["persistentVolumeClaimName"],
        make(&plan, target, plain::SOURCE_CLAIM).name.as_str()
    );
    assert!(taken["spec"].get("volumeSnapshotClassName").is_none());
    let reader = &pods(&plan)[7].body["spec"];
    assert_eq!(reader["volumes"][0]["persistentVolumeClaim"]["claimName"], "restored-1");
    assert_eq!(reader["containers"][0]["volumeDevices"][0]["devicePath"], reader["containers"][0]["env"][1]["value"]);
}

/// A content as the snapshot-controller makes it, for a class with a secret.
fn first_content() -> Value {
    json!({
        "metadata": { "name": "snapcontent-1", "annotations": {
            "snapshot.storage.kubernetes.io/deletion-secret-name": "s",
            "snapshot.storage.kubernetes.io/deletion-secret-namespace": "kube-system",
            "other": "is its own",
        } },
        "spec": {
            "driver": "good.csi", "deletionPolicy": "Retain", "volumeSnapshotClassName": "gold", "sourceVolumeMode": "Block",
            "source": { "volumeHandle": "vol-1" }, "volumeSnapshotRef": { "name": "snapshot", "uid": "1" },
        },
        "status": { "snapshotHandle": "snap \"1\"\n#", "readyToUse": true },
    })
}

fn imported(seen: &Seen<'_>, own_namespace: bool, word: &str) -> Option<Manifest> {
    let mut plan = plan(own_namespace, None, &BOTH);
    for target in &mut plan.targets {
        target.mode = &other_namespace::MODE;
    }
    let target = &plan.targets[1];
    let payload = Payload::new(b"seed", target.index, target.volume_mode, 32 << 20);
    let program = (target.mode.program)(Shape { own_namespace, immediate: false });
    let object = program.objects().iter().find(|object| object.word == word).unwrap();
    let user = PodUser::NonRoot;
    (target.mode.manifest)(&Making { plan: &plan, target, payload: &payload, program: &program, object, user, seen })
}

#[test]
fn a_content_is_made_for_the_handle_that_was_seen_and_for_no_other() {
    let first = first_content();
    let snapshot = json!({ "metadata": { "name": "snapshot" } });
    let seen: Seen<'_> = [(plain::SNAPSHOT, &snapshot), (plain::CONTENT, &first)].into_iter().collect();
    for (own_namespace, namespace, name) in
        [(true, "ns-other-1", "imported-snapshot-1"), (false, "ns", "snapready-7f3a9c-imported-snapshot-1")]
    {
        let content = imported(&seen, own_namespace, "imported-content").unwrap();
        assert_eq!((content.namespace, &*content.name), (None, "snapready-7f3a9c-imported-content-1"));
        assert_eq!(
            content.body["spec"],
            json!({
                "deletionPolicy": "Delete", "driver": "good.csi", "source": { "snapshotHandle": "snap \"1\"\n#" },
                "sourceVolumeMode": "Block", "volumeSnapshotClassName": "gold",
                "volumeSnapshotRef": {
                    "apiVersion": "snapshot.storage.k8s.io/v1", "kind": "VolumeSnapshot", "namespace": namespace, "name": name,
                },
            })
        );
        let metadata = &content.body["metadata"];
        assert_eq!(metadata["annotations"]["snapshot.storage.kubernetes.io/deletion-secret-name"], "s");
        assert_eq!(metadata["annotations"]["snapshot.storage.kubernetes.io/deletion-secret-namespace"], "kube-system");
        assert!(metadata["annotations"].get("other").is_none());
        // Without it the content goes at once, and the snapshot stays in the storage.
        assert_eq!(
            metadata["finalizers"],
            json!(["snapshot.storage.kubernetes.io/volumesnapshotcontent-bound-protection"])
        );
        let second = imported(&seen, own_namespace, "imported-snapshot").unwrap();
        assert_eq!((second.namespace.as_deref(), &*second.name), (Some(namespace), name));
        assert_eq!(second.body["spec"], json!({ "source": { "volumeSnapshotContentName": content.name } }));
    }
    let without: Seen<'_> = [(plain::SNAPSHOT, &snapshot)].into_iter().collect();
    assert_eq!(imported(&without, true, "imported-content"), None, "a handle is never guessed");
    let mut no_handle = first_content();
    no_handle["status"] = json!({});
    let without: Seen<'_> = [(plain::CONTENT, &no_handle)].into_iter().collect();
    assert_eq!(imported(&without, true, "imported-content"), None);
}

#[test]
fn a_content_that_is_taken_over_is_found_by_a_clean_up_and_stays() {
    let change = imported(&Seen::default(), true, "content").unwrap();
    let metadata = &change.body["metadata"];
    assert_eq!(change.body["spec"], json!({ "deletionPolicy": "Retain" }));
    assert_eq!(metadata["labels"]["snapready.dev/run"], "7f3a9c");
    assert_eq!(metadata["labels"]["app.kubernetes.io/managed-by"], "snapready");
    assert_eq!(metadata["labels"]["snapready.dev/mode"], "other-namespace");
    assert!(metadata["annotations"]["snapready.dev/expires-at"].is_string());
}

#[test]
fn names_are_short_enough_and_unique_in_every_mode() {
    let long = "n".repeat(63);
    for mode in MODES {
        for own_namespace in [true, false] {
            let mut plan = plan(own_namespace, None, &BOTH);
            plan.namespace = if own_namespace { "snapready-7f3a9c".to_owned() } else { long.clone() };
            let mut names = std::collections::BTreeSet::new();
            for index in 0..plan.targets.len() {
                plan.targets[index].mode = mode;
                // More round trips than anybody asks for.
                plan.targets[index].index = 9_000 + index;
                let target = &plan.targets[index];
                let payload = Payload::new(b"seed", target.index, target.volume_mode, 32 << 20);
                let program = (mode.program)(Shape { own_namespace, immediate: false });
                for id in program.created() {
                    let object = program.object(*id).unwrap();
                    let seen = &Seen::default();
                    let user = PodUser::NonRoot;
                    let making =
                        Making { plan: &plan, target, payload: &payload, program: &program, object, user, seen };
                    let made = (mode.manifest)(&making).unwrap();
                    assert!(made.name.len() <= 63, "{}", made.name);
                    assert!(names.insert(made.object()) || object.shared, "{}: {:?}", mode.name, made.object());
                }
            }
        }
    }
}
