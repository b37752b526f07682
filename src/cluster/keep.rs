//! What of the listed objects is kept. Wide where it says which pods count, since a check cannot see what was dropped;
//! narrow where it says what of their environment stays, since secrets lie there.

use snapready_checks::model::kubernetes::{Container, Lease, Metadata, Pod, PodSpec, Workload};

/// kubectl's copy of the whole object, environment and all.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// Objects that are kept as they are, but for kubectl's copy of them.
pub(super) fn all<T: HasMetadata>(object: &mut T) -> bool {
    object.metadata().annotations.remove(LAST_APPLIED);
    true
}

/// Pods that run a snapshot controller or a CSI sidecar.
pub(super) fn pod(pod: &mut Pod) -> bool {
    let keep = speaks_of_snapshots_or_csi(&pod.metadata) || concerns(&pod.spec);
    if keep {
        pod.metadata.annotations.remove(LAST_APPLIED);
        cut(&mut pod.spec);
    }
    keep
}

/// Workloads that run a snapshot controller or a CSI sidecar.
pub(super) fn workload(workload: &mut Workload) -> bool {
    let template = &mut workload.spec.template;
    let keep = speaks_of_snapshots_or_csi(&workload.metadata) || concerns(&template.spec);
    if keep {
        workload.metadata.annotations.remove(LAST_APPLIED);
        cut(&mut template.spec);
    }
    keep
}

/// Leases that are not a kubelet's heartbeat, of which there is one for each node. Sidecars name theirs after their driver, so
/// the name cannot tell.
pub(super) fn lease(lease: &mut Lease) -> bool {
    lease.metadata.annotations.remove(LAST_APPLIED);
    lease.metadata.namespace.as_deref() != Some("kube-node-lease")
}

/// Objects with metadata.
pub(super) trait HasMetadata {
    fn metadata(&mut self) -> &mut Metadata;
}

macro_rules! has_metadata {
    ($($kind:ident),+) => {
        $(impl HasMetadata for snapready_checks::model::kubernetes::$kind {
            fn metadata(&mut self) -> &mut Metadata {
                &mut self.metadata
            }
        })+
    };
}

has_metadata!(StorageClass, VolumeSnapshotClass, VolumeSnapshotContent, CsiDriver, CsiNode, CustomResourceDefinition);

/// Distributions that name images by digest only are told by the names of containers and pods.
fn concerns(spec: &PodSpec) -> bool {
    let container = |container: &Container| {
        speaks(&container.name)
            || speaks(&container.image)
            || container.command.iter().chain(&container.args).any(|word| speaks(word))
    };
    let socket = |path: &str| path.contains("/plugins/") || path.contains("/plugins_registry");
    spec.containers.iter().any(container)
        || spec.volumes.iter().filter_map(|volume| volume.host_path.as_ref()).any(|host| socket(&host.path))
}

fn speaks_of_snapshots_or_csi(metadata: &Metadata) -> bool {
    speaks(&metadata.name)
}

fn speaks(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    text.contains("csi") || text.contains("snapshot")
}

/// Variables that hold a driver's name by convention.
const DRIVER_VARIABLES: [&str; 3] = ["DRIVER_NAME", "CSI_DRIVER_NAME", "PROVISIONER_NAME"];

fn cut(spec: &mut PodSpec) {
    for container in &mut spec.containers {
        let words: Vec<&str> = container.command.iter().chain(&container.args).map(String::as_str).collect();
        let named = variables_of_drivers(&words);
        container.env.retain(|variable| {
            variable.value.is_some()
                && (DRIVER_VARIABLES.contains(&variable.name.as_str()) || named.contains(&variable.name))
        });
    }
}

/// The variables in arguments that name a driver or its socket: `--driver-name=$(NAME)`, `--csi-address $(ADDRESS)`. Those in
/// other arguments may be passwords.
fn variables_of_drivers(words: &[&str]) -> Vec<String> {
    let mut named = Vec::new();
    let mut previous = "";
    for word in words {
        let (flag, value) = match word.split_once('=') {
            Some((flag, value)) => (flag, value),
            None => (previous, *word),
        };
        previous = word;
        let flag = flag.to_ascii_lowercase();
        if ["driver", "provisioner", "csi", "endpoint", "registration"].iter().any(|part| flag.contains(part)) {
            named.extend(value.split("$(").skip(1).filter_map(|rest| Some(rest.split_once(')')?.0.to_owned())));
        }
    }
    named
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(value: serde_json::Value) -> Pod {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn pods_that_count_are_told_by_image_name_argument_or_socket() {
        let spec =
            |container: serde_json::Value| json!({"metadata": {"name": "a"}, "spec": {"containers": [container]}});
        for (container, kept) in [
            (json!({"name": "x", "image": "registry.k8s.io/sig-storage/snapshot-controller:v8.2.0"}), true),
            (json!({"name": "snapshot-controller", "image": "quay.io/openshift/art@sha256:0"}), true),
            (json!({"name": "x", "image": "mirror/a", "args": ["--csi-address=/run/csi.sock"]}), true),
            (json!({"name": "x", "image": "mirror/CSI-provisioner"}), true),
            (json!({"name": "web", "image": "nginx", "args": ["-g", "daemon off;"]}), false),
        ] {
            assert_eq!(pod(&mut read(spec(container.clone()))), kept, "{container}");
        }
        let volume = json!({"metadata": {"name": "a"}, "spec": {"containers": [{"name": "x", "image": "y"}],
            "volumes": [{"name": "v", "hostPath": {"path": "/var/lib/kubelet/plugins/ebs.io"}}]}});
        assert!(pod(&mut read(volume)));
    }

    #[test]
    fn of_the_environment_only_names_of_drivers_stay() {
        let mut object = read(json!({
            "metadata": {"name": "csi", "annotations": {LAST_APPLIED: "s3cret", "a": "b"}},
            "spec": {"containers": [{
                "name": "csi", "image": "csi",
                "args": ["--driver-name=$(NAME)", "--csi-address", "unix://$(SOCKET)", "--password=$(PASSWORD)", "--v=$(LEVEL)"],
                "env": [
                    {"name": "NAME", "value": "ebs"},
                    {"name": "SOCKET", "value": "/csi.sock"},
                    {"name": "PASSWORD", "value": "s3cret"},
                    {"name": "LEVEL", "value": "5"},
                    {"name": "OTHER", "value": "s3cret"},
                    {"name": "DRIVER_NAME", "value": "efs"},
                    {"name": "CSI_DRIVER_NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
                ],
            }]},
        }));
        assert!(pod(&mut object));
        let names: Vec<&str> = object.spec.containers[0].env.iter().map(|variable| variable.name.as_str()).collect();
        assert_eq!(names, ["NAME", "SOCKET", "DRIVER_NAME"]);
        assert!(!serde_json::to_string(&object).unwrap().contains("s3cret"));
        assert_eq!(object.metadata.annotations.len(), 1);
    }

    #[test]
    fn heartbeats_of_nodes_are_dropped() {
        for (namespace, kept) in [("kube-node-lease", false), ("kube-system", true)] {
            let mut object: Lease =
                serde_json::from_value(json!({"metadata": {"name": "a", "namespace": namespace}})).unwrap();
            assert_eq!(lease(&mut object), kept);
        }
    }
}
