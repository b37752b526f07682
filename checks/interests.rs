//! What the bodies of knowledge read of the objects that are listed.

use crate::knowledge::control_plane::{bundled, containers, sidecars, sockets};
use crate::model::interest::Interest;
use crate::model::need::Need;
use crate::products;

/// The interests in the objects of a need. Where there are none, all objects are kept as they are.
#[must_use]
pub const fn interests(need: Need) -> &'static [Interest] {
    match need {
        Need::Pods | Need::Workloads => {
            &[bundled::INTEREST, containers::INTEREST, sidecars::INTEREST, sockets::INTEREST, products::INTEREST]
        }
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::kubernetes::Pod;
    use crate::model::listed::Listed;

    fn read(value: serde_json::Value) -> Pod {
        serde_json::from_value(value).unwrap()
    }

    fn keep(pod: &mut Pod) -> bool {
        pod.keep(interests(Need::Pods))
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
            assert_eq!(keep(&mut read(spec(container.clone()))), kept, "{container}");
        }
        let volume = json!({"metadata": {"name": "a"}, "spec": {"containers": [{"name": "x", "image": "y"}],
            "volumes": [{"name": "v", "hostPath": {"path": "/var/lib/kubelet/plugins/ebs.io"}}]}});
        assert!(keep(&mut read(volume)));
    }

    #[test]
    fn of_the_environment_only_names_of_drivers_stay() {
        let mut object = read(json!({
            "metadata": {"name": "csi", "annotations": {
                "kubectl.kubernetes.io/last-applied-configuration": "s3cret", "a": "b"}},
            "spec": {"containers": [{
                "name": "csi", "image": "csi",
                "args": ["--driver-name=$(NAME)", "-provisioner", "$(OTHER_NAME)", "--password=$(PASSWORD)",
                    "--v=$(LEVEL)", "--name=$(DRIVER)", "--username=$(USER)"],
                "env": [
                    {"name": "NAME", "value": "ebs"},
                    {"name": "OTHER_NAME", "value": "efs"},
                    {"name": "DRIVER", "value": "nfs"},
                    {"name": "USER", "value": "s3cret"},
                    {"name": "PASSWORD", "value": "s3cret"},
                    {"name": "LEVEL", "value": "5"},
                    {"name": "OTHER", "value": "s3cret"},
                    {"name": "DRIVER_NAME", "value": "efs"},
                    {"name": "CSI_DRIVERNAME", "value": "ceph"},
                    {"name": "CSI_DRIVER_NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
                ],
            }]},
        }));
        assert!(keep(&mut object));
        let names: Vec<&str> = object.spec.containers[0].env.iter().map(|variable| variable.name.as_str()).collect();
        assert_eq!(names, ["NAME", "OTHER_NAME", "DRIVER", "DRIVER_NAME", "CSI_DRIVERNAME"]);
        assert!(!serde_json::to_string(&object).unwrap().contains("s3cret"));
        assert_eq!(object.metadata.annotations.len(), 1);
    }
}
