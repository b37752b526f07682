use jiff::Timestamp;

use super::*;
use crate::model::VolumeMode;
use crate::roundtrip::payload::Payload;

fn plan(own_namespace: bool, user: Option<i64>, modes: &[VolumeMode]) -> Plan {
    let target = |(index, volume_mode): (usize, &VolumeMode)| Target {
        index,
        storage_class: "fast".to_owned(),
        driver: Some("good.csi".to_owned()),
        binding_mode: None,
        reclaim_policy: None,
        snapshot_class: None,
        snapshot_driver: None,
        deletion_policy: None,
        volume_mode: *volume_mode,
        size_bytes: 1 << 30,
    };
    Plan {
        run: "7f3a9c".parse().unwrap(),
        namespace: "ns".to_owned(),
        own_namespace,
        image: "docker.io/library/busybox:1.36".to_owned(),
        image_pull_secret: None,
        node_selector: Vec::new(),
        user,
        expires_at: Timestamp::UNIX_EPOCH,
        targets: modes.iter().enumerate().map(target).collect(),
    }
}

const BOTH: [VolumeMode; 2] = [VolumeMode::Filesystem, VolumeMode::Block];

fn pods(plan: &Plan) -> Vec<Manifest> {
    let make = |target: &Target| {
        let payload = Payload::new(b"seed", target.index, target.volume_mode, 32 << 20);
        let consumer = consumer(plan, target, Role::RestoredConsumer).unwrap();
        [consumer, writer(plan, target, &payload), reader(plan, target, &payload)]
    };
    plan.targets.iter().flat_map(make).collect()
}

#[test]
fn pods_satisfy_the_restricted_level() {
    for user in [Some(65_534), None] {
        for pod in pods(&plan(true, user, &BOTH)) {
            let spec = &pod.body["spec"];
            assert_eq!(spec["securityContext"]["runAsNonRoot"], true);
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
fn names_and_labels_find_everything_again() {
    let single = plan(true, None, &BOTH[..1]);
    assert_eq!(name(&single, &single.targets[0], Role::SourceClaim), "source");
    let several = plan(true, None, &BOTH);
    assert_eq!(name(&several, &several.targets[1], Role::Reader), "reader-1");
    let shared = plan(false, None, &BOTH);
    assert_eq!(name(&shared, &shared.targets[1], Role::Snapshot), "snapready-7f3a9c-snapshot-1");
    let target = &shared.targets[1];
    let mut all = pods(&shared);
    all.extend([source_claim(&shared, target), snapshot(&shared, target), restored_claim(&shared, target, 5 << 30)]);
    all.push(namespace(&shared));
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
    let restored = restored_claim(&plan, target, 5 << 30).body;
    assert_eq!(restored["spec"]["dataSource"]["name"], snapshot(&plan, target).name.as_str());
    assert_eq!(restored["spec"]["resources"]["requests"]["storage"], "5Gi");
    assert_eq!(restored["spec"]["volumeMode"], "Block");
    let taken = snapshot(&plan, target).body;
    assert_eq!(taken["spec"]["source"]["persistentVolumeClaimName"], source_claim(&plan, target).name.as_str());
    assert!(taken["spec"].get("volumeSnapshotClassName").is_none());
    let reader = &pods(&plan)[5].body["spec"];
    assert_eq!(reader["volumes"][0]["persistentVolumeClaim"]["claimName"], "restored-1");
    assert_eq!(reader["containers"][0]["volumeDevices"][0]["devicePath"], reader["containers"][0]["env"][1]["value"]);
}
