//! What a scenario's cluster holds before anybody comes.

use serde_json::{Value, json};

use super::clock;
use super::controllers;
use super::object::Object;
use super::rbac;
use super::resources::{
    CRDS, CSI_DRIVERS, CSI_NODES, DAEMON_SETS, DEPLOYMENTS, GROUP_CLASSES, LEASES, NAMESPACES, NODES, PODS, Resource,
    SNAPSHOT_CLASSES, STORAGE_CLASSES, VALIDATING_WEBHOOKS,
};
use super::scenario::{Crds, DRIVER, Missing, SnapshotClass, Snapshotter};
use super::world::World;

const NODE_NAMES: [&str; 2] = ["node-1", "node-2"];
const DRIVER_NAMESPACE: &str = "csi-simulated";
const CONTROLLER_ACCOUNT: &str = "csi-simulated-controller";

/// Upstream's CRDs of external-snapshotter v8.6.0.
const SNAPSHOT_CRDS: [&str; 3] = [
    include_str!("crds/volumesnapshotclasses.snapshot.storage.k8s.io.json"),
    include_str!("crds/volumesnapshotcontents.snapshot.storage.k8s.io.json"),
    include_str!("crds/volumesnapshots.snapshot.storage.k8s.io.json"),
];
const GROUP_SNAPSHOT_CRDS: [&str; 3] = [
    include_str!("crds/volumegroupsnapshotclasses.groupsnapshot.storage.k8s.io.json"),
    include_str!("crds/volumegroupsnapshotcontents.groupsnapshot.storage.k8s.io.json"),
    include_str!("crds/volumegroupsnapshots.groupsnapshot.storage.k8s.io.json"),
];

/// Fills the store.
pub(super) fn create(world: &World) {
    let scenario = &world.scenario;
    let mut namespaces = vec!["default", "kube-node-lease", "kube-public", "kube-system", DRIVER_NAMESPACE];
    if scenario.snapshot_controllers > 1 {
        namespaces.push("backup-product");
    }
    for name in namespaces {
        let mut namespace = json!({ "spec": { "finalizers": ["kubernetes"] }, "status": { "phase": "Active" } });
        namespace.set(&["metadata", "labels", "kubernetes.io/metadata.name"], json!(name));
        put(world, &NAMESPACES, "", name, namespace);
        controllers::furnish(world, name);
    }
    for name in NODE_NAMES {
        put(world, &NODES, "", name, node(name));
        let drivers = json!([{ "name": DRIVER, "nodeID": name, "topologyKeys": [] }]);
        put(world, &CSI_NODES, "", name, json!({ "spec": { "drivers": drivers } }));
    }
    crds(world);
    classes(world);
    if scenario.left_over_webhook {
        left_over_webhook(world);
    }
    driver(world);
    for namespace in ["kube-system", "backup-product"].into_iter().take(scenario.snapshot_controllers) {
        snapshot_controller(world, namespace);
    }
}

pub(super) fn put(world: &World, resource: Resource, namespace: &str, name: &str, mut object: Value) {
    object.set(&["apiVersion"], json!(resource.api_version(resource.version)));
    object.set(&["kind"], json!(resource.kind));
    object.set(&["metadata", "name"], json!(name));
    if resource.namespaced {
        object.set(&["metadata", "namespace"], json!(namespace));
    }
    let created = world.store.create(resource, object, false);
    debug_assert!(created.is_ok(), "{resource} {namespace}/{name}: {created:?}");
}

/// As external-snapshotter 7.0 installs it (deploy/kubernetes/webhook-example).
fn left_over_webhook(world: &World) {
    let name = "validation-webhook.snapshot.storage.k8s.io";
    let webhook = json!({
        "name": name, "failurePolicy": "Fail", "sideEffects": "None", "admissionReviewVersions": ["v1"],
        "clientConfig": { "service": { "namespace": "default", "name": "snapshot-validation-service", "path": "/volumesnapshot" } },
        "rules": [{
            "apiGroups": ["snapshot.storage.k8s.io"], "apiVersions": ["v1"], "operations": ["CREATE", "UPDATE"],
            "resources": ["volumesnapshots", "volumesnapshotcontents", "volumesnapshotclasses"], "scope": "*",
        }],
    });
    put(world, &VALIDATING_WEBHOOKS, "", name, json!({ "webhooks": [webhook] }));
}

fn node(name: &str) -> Value {
    json!({
        "metadata": { "labels": {
            "kubernetes.io/hostname": name, "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64",
        } },
        "spec": {},
        "status": {
            "conditions": [{ "type": "Ready", "status": "True", "reason": "KubeletReady" }],
            "nodeInfo": { "kubeletVersion": "v1.36.2", "operatingSystem": "linux", "architecture": "amd64" },
        },
    })
}

fn crds(world: &World) {
    let texts: Vec<&str> = match world.scenario.crds {
        Crds::Missing => Vec::new(),
        Crds::V1Beta1 => SNAPSHOT_CRDS.to_vec(),
        Crds::V1 => SNAPSHOT_CRDS.into_iter().chain(GROUP_SNAPSHOT_CRDS).collect(),
    };
    for text in texts {
        let parsed: Result<Value, _> = serde_json::from_str(text);
        debug_assert!(parsed.is_ok(), "{parsed:?}");
        let Ok(mut crd) = parsed else { continue };
        if world.scenario.crds == Crds::V1Beta1 {
            only_v1beta1(&mut crd);
        }
        let stored: Vec<&str> = crd
            .list("/spec/versions")
            .iter()
            .filter(|version| version.get("storage") == Some(&json!(true)))
            .map(|version| version.text("/name"))
            .collect();
        let status = json!({
            "acceptedNames": crd.pointer("/spec/names"),
            "conditions": [
                { "type": "NamesAccepted", "status": "True", "reason": "NoConflicts", "message": "no conflicts found", "lastTransitionTime": clock::now() },
                { "type": "Established", "status": "True", "reason": "InitialNamesAccepted", "message": "the initial names have been accepted", "lastTransitionTime": clock::now() },
            ],
            "storedVersions": stored,
        });
        crd.set(&["status"], status);
        crd.set(&["spec", "conversion"], json!({ "strategy": "None" }));
        crd.set(&["metadata", "generation"], json!(1));
        let name = crd.name().to_owned();
        put(world, &CRDS, "", &name, crd);
    }
}

/// Makes of a CRD of release 8.6 what release 3.x had: v1beta1 alone, no short names.
fn only_v1beta1(crd: &mut Value) {
    let mut versions = crd.list("/spec/versions").to_vec();
    versions.retain(|version| version.text("/name") == "v1beta1");
    for version in &mut versions {
        version.set(&["served"], json!(true));
        version.set(&["storage"], json!(true));
        version.unset(&["deprecated"]);
        version.unset(&["deprecationWarning"]);
    }
    crd.set(&["spec", "versions"], Value::Array(versions));
    crd.unset(&["spec", "names", "shortNames"]);
    crd.set_annotation("controller-gen.kubebuilder.io/version", "v0.3.0");
    crd.set_annotation("api-approved.kubernetes.io", "https://github.com/kubernetes-csi/external-snapshotter/pull/139");
}

fn classes(world: &World) {
    let policy = if world.scenario.retain { "Retain" } else { "Delete" };
    for (name, mode, default) in [("standard", "WaitForFirstConsumer", true), ("immediate", "Immediate", false)] {
        let mut class = json!({
            "provisioner": DRIVER, "reclaimPolicy": policy, "volumeBindingMode": mode, "allowVolumeExpansion": true,
        });
        if default && world.scenario.missing == Some(Missing::Provisioner) {
            class.set(&["provisioner"], json!("kubernetes.io/no-provisioner"));
        }
        if default {
            class.set_annotation("storageclass.kubernetes.io/is-default-class", "true");
        }
        put(world, &STORAGE_CLASSES, "", name, class);
    }
    for class in world.scenario.snapshot_classes {
        put(world, &SNAPSHOT_CLASSES, "", class.name, snapshot_class(class, policy));
    }
    if world.scenario.crds == Crds::V1 {
        put(world, &GROUP_CLASSES, "", "standard-group-snapshots", group_class(policy));
    }
}

/// Where there are snapshots at all, the driver has them of several volumes, too.
fn group_class(policy: &str) -> Value {
    let mut object = json!({ "driver": DRIVER, "deletionPolicy": policy });
    object.set_annotation("groupsnapshot.storage.kubernetes.io/is-default-class", "true");
    object
}

fn snapshot_class(class: &SnapshotClass, policy: &str) -> Value {
    let mut object = json!({ "driver": class.driver, "deletionPolicy": policy });
    if class.default {
        object.set_annotation("snapshot.storage.kubernetes.io/is-default-class", "true");
    }
    if let Some(secret) = class.secret {
        object.set(&["parameters", "csi.storage.k8s.io/snapshotter-secret-name"], json!(secret));
        object.set(&["parameters", "csi.storage.k8s.io/snapshotter-secret-namespace"], json!("kube-system"));
    }
    object
}

fn container(name: &str, image: &str, arguments: &[&str]) -> Value {
    json!({ "name": name, "image": image, "args": arguments })
}

/// The same, with the volume in which the driver's socket lies.
fn with_socket(mut container: Value, volume: &str) -> Value {
    container.set(&["volumeMounts"], json!([{ "name": volume, "mountPath": "/csi" }]));
    container
}

/// A container that runs, or one that exits again and again for a flag that it does not know.
fn container_status(container: &Value) -> Value {
    let crashes = container.list("/args").iter().any(|argument| argument.as_str() == Some(UNKNOWN_FLAG));
    let mut status = json!({
        "name": container.text("/name"), "image": container.text("/image"), "imageID": "",
        "ready": !crashes, "started": !crashes, "restartCount": if crashes { 7 } else { 0 }, "lastState": {},
        "state": { "running": { "startedAt": clock::now() } },
    });
    if crashes {
        status.set(&["state"], json!({ "waiting": { "reason": "CrashLoopBackOff", "message": "back-off 5m0s restarting failed container" } }));
        status.set(&["lastState"], json!({ "terminated": { "exitCode": 2, "reason": "Error" } }));
    }
    status
}

/// Switches group snapshots on; up to 8.6 they are off without it.
const GROUPS: &str = "--feature-gates=CSIVolumeGroupSnapshot=true";

/// A flag that csi-snapshotter has lost with 8.2.
const UNKNOWN_FLAG: &str = "--enable-volume-group-snapshots=true";

/// What a workload and its pods are called, and what is in them.
struct Workload<'a> {
    resource: Resource,
    namespace: &'a str,
    name: &'a str,
    labels: Value,
    spec: Value,
}

impl Workload<'_> {
    /// Makes the workload and one running pod for each name and node.
    fn create(&self, world: &World, pods: &[(&str, &str)]) {
        let count = pods.len();
        let mut status = json!({ "observedGeneration": 1 });
        let counts: &[&str] = if self.resource == &DAEMON_SETS {
            &[
                "desiredNumberScheduled",
                "currentNumberScheduled",
                "updatedNumberScheduled",
                "numberReady",
                "numberAvailable",
            ]
        } else {
            &["replicas", "updatedReplicas", "readyReplicas", "availableReplicas"]
        };
        for field in counts {
            status.set(&[field], json!(count));
        }
        let template = json!({ "metadata": { "labels": self.labels }, "spec": self.spec });
        let mut workload = json!({
            "metadata": { "labels": self.labels, "generation": 1 },
            "spec": { "selector": { "matchLabels": self.labels }, "template": template },
            "status": status,
        });
        if self.resource == &DEPLOYMENTS {
            workload.set(&["spec", "replicas"], json!(count));
        }
        put(world, self.resource, self.namespace, self.name, workload);
        for (pod, node) in pods {
            let mut spec = self.spec.clone();
            spec.set(&["nodeName"], json!(node));
            let owner = if self.resource == &DAEMON_SETS {
                json!({ "apiVersion": "apps/v1", "kind": "DaemonSet", "name": self.name, "uid": "", "controller": true })
            } else {
                let set = pod.rsplit_once('-').map_or(*pod, |(set, _)| set);
                json!({ "apiVersion": "apps/v1", "kind": "ReplicaSet", "name": set, "uid": "", "controller": true })
            };
            let statuses: Vec<Value> = self.spec.list("/containers").iter().map(container_status).collect();
            let conditions: Vec<Value> = ["Initialized", "Ready", "ContainersReady", "PodScheduled"]
                .into_iter()
                .map(|kind| json!({ "type": kind, "status": "True", "lastTransitionTime": clock::now() }))
                .collect();
            let object = json!({
                "metadata": { "labels": self.labels, "ownerReferences": [owner] },
                "spec": spec,
                "status": {
                    "phase": "Running", "startTime": clock::now(), "conditions": conditions,
                    "containerStatuses": statuses,
                },
            });
            put(world, &PODS, self.namespace, pod, object);
        }
    }
}

fn lease(world: &World, namespace: &str, name: &str, holder: &str) {
    let spec = json!({
        "holderIdentity": holder, "leaseDurationSeconds": 15, "leaseTransitions": 0,
        "acquireTime": clock::now_micro(), "renewTime": clock::now_micro(),
    });
    put(world, &LEASES, namespace, name, json!({ "spec": spec }));
}

/// A driver name as sidecars write it in their leases.
fn sanitized(name: &str) -> String {
    name.chars().map(|character| if character.is_ascii_alphanumeric() { character } else { '-' }).collect()
}

fn driver(world: &World) {
    let spec = json!({
        "attachRequired": false, "podInfoOnMount": false, "fsGroupPolicy": "File", "storageCapacity": false,
        "requiresRepublish": false, "seLinuxMount": false, "volumeLifecycleModes": ["Persistent"],
    });
    if world.scenario.missing != Some(Missing::CsiDriver) {
        put(world, &CSI_DRIVERS, "", DRIVER, json!({ "spec": spec }));
    }

    let socket = json!([{ "name": "socket", "emptyDir": {} }]);
    let plugin = container("driver", "registry.example.com/csi-simulated:v1.0.0", &["--endpoint=unix:///csi/csi.sock"]);
    if world.scenario.provisioner {
        let election = ["--csi-address=/csi/csi.sock", "--leader-election=true"];
        let mut containers = vec![with_socket(
            container("csi-provisioner", "registry.k8s.io/sig-storage/csi-provisioner:v6.3.0", &election),
            "socket",
        )];
        let arguments = match world.scenario.snapshotter {
            Snapshotter::Works | Snapshotter::WithoutPatch if world.scenario.crds == Crds::V1 => {
                Some([&election[..], &[GROUPS]].concat())
            }
            Snapshotter::Works | Snapshotter::WithoutPatch => Some(election.to_vec()),
            Snapshotter::Absent => None,
            Snapshotter::WrongSocket => Some(vec!["--csi-address=/csi/driver.sock", "--leader-election=true"]),
            Snapshotter::UnknownFlag => Some([&election[..], &[UNKNOWN_FLAG]].concat()),
        };
        if let Some(arguments) = arguments {
            let image = "registry.k8s.io/sig-storage/csi-snapshotter:v8.6.0";
            containers.push(with_socket(container("csi-snapshotter", image, &arguments), "socket"));
        }
        containers.push(with_socket(plugin.clone(), "socket"));
        let pod = "csi-simulated-controller-6d9c7f5b8-x2x7q";
        Workload {
            resource: &DEPLOYMENTS,
            namespace: DRIVER_NAMESPACE,
            name: "csi-simulated-controller",
            labels: json!({ "app": "csi-simulated-controller" }),
            spec: json!({ "containers": containers, "volumes": socket, "serviceAccountName": CONTROLLER_ACCOUNT }),
        }
        .create(world, &[(pod, "node-1")]);
        let may_patch = world.scenario.snapshotter != Snapshotter::WithoutPatch;
        rbac::sidecars(world, DRIVER_NAMESPACE, CONTROLLER_ACCOUNT, may_patch);
        lease(world, DRIVER_NAMESPACE, &sanitized(DRIVER), pod);
        if matches!(world.scenario.snapshotter, Snapshotter::Works | Snapshotter::WithoutPatch) {
            lease(world, DRIVER_NAMESPACE, &format!("external-snapshotter-leader-{}", sanitized(DRIVER)), pod);
        }
    }
    let registration = format!("--kubelet-registration-path=/var/lib/kubelet/plugins/{DRIVER}/csi.sock");
    let registrar = container(
        "node-driver-registrar",
        "registry.k8s.io/sig-storage/csi-node-driver-registrar:v2.17.0",
        &["--csi-address=/csi/csi.sock", &registration],
    );
    let folder = json!([{ "name": "plugin", "hostPath": { "path": format!("/var/lib/kubelet/plugins/{DRIVER}"), "type": "DirectoryOrCreate" } }]);
    Workload {
        resource: &DAEMON_SETS,
        namespace: DRIVER_NAMESPACE,
        name: "csi-simulated-node",
        labels: json!({ "app": "csi-simulated-node" }),
        spec: json!({ "containers": [with_socket(registrar, "plugin"), with_socket(plugin, "plugin")], "volumes": folder, "serviceAccountName": "default" }),
    }
    .create(world, &[("csi-simulated-node-4mzkd", "node-1"), ("csi-simulated-node-9k2vt", "node-2")]);
}

fn snapshot_controller(world: &World, namespace: &str) {
    let tag = if world.scenario.crds == Crds::V1Beta1 { "v3.0.3" } else { "v8.6.0" };
    let image = format!("registry.k8s.io/sig-storage/snapshot-controller:{tag}");
    let mut arguments = vec!["--v=5", "--leader-election=true"];
    arguments.extend((world.scenario.crds == Crds::V1).then_some(GROUPS));
    let pod = "snapshot-controller-7d6f8c9b5-p4q8r";
    Workload {
        resource: &DEPLOYMENTS,
        namespace,
        name: "snapshot-controller",
        labels: json!({ "app.kubernetes.io/name": "snapshot-controller" }),
        spec: json!({
            "containers": [container("snapshot-controller", &image, &arguments)],
            "serviceAccountName": "snapshot-controller",
        }),
    }
    .create(world, &[(pod, "node-1")]);
    let has_role = world.scenario.missing != Some(Missing::ControllerRole);
    rbac::snapshot_controller(world, namespace, "snapshot-controller", has_role);
    lease(world, namespace, "snapshot-controller-leader", pod);
}
