//! Versions as distributions and vendors write them. What is not upstream's number is no version, never a wrong one.

use proptest::prelude::*;
use snapready_checks::knowledge::version::{Component, Version};

#[test]
fn versions_of_servers_are_read() {
    for (text, expected) in [
        ("v1.36.3", Some("1.36.3")),
        ("1.36", Some("1.36.0")),
        ("v1.31.1-eks-1b3e656", Some("1.31.1")),
        ("v1.30.5-gke.1014001", Some("1.30.5")),
        ("v1.33.1+k3s1", Some("1.33.1")),
        ("v1.32.4-rc1+k3s1", Some("1.32.4")),
        ("v1.33.1+rke2r1", Some("1.33.1")),
        ("v1.27.6+f67aeb3", Some("1.27.6")),
        ("v1.25.7+1.el8", Some("1.25.7")),
        ("v1.29.3+IKS", Some("1.29.3")),
        ("v1.27.5+vmware.1-fips.1", Some("1.27.5")),
        ("v1.28.2-aliyun.1", Some("1.28.2")),
        ("v1.30.0-tke.5", Some("1.30.0")),
        ("v1.28.6-vke.2", Some("1.28.6")),
        ("v1.26.0-mirantis-1", Some("1.26.0")),
        ("v1.31.2+k0s.0", Some("1.31.2")),
        ("v1.22.3-3+9ec7c40ec93c73", Some("1.22.3")),
        ("v1.34.0-alpha.1.23+abcdef0123456-dirty", Some("1.34.0")),
        ("v1.21.14-dispatcher-dirty", Some("1.21.14")),
        ("v0.0.0-master+$Format:%H$", None),
        ("v1", None),
        ("", None),
        ("v", None),
        ("unknown", None),
        ("1.2.3.4", None),
        ("v1..3", None),
        ("v1.30.", None),
        ("v1.30.5abc", None),
        ("v99999999999.1.1", None),
        ("v-1.30.0", None),
        ("v+1.30.0", None),
        ("v１.30.0", None),
    ] {
        let read = Version::of_server(text).map(|version| version.to_string());
        assert_eq!(read.as_deref(), expected, "{text:?}");
    }
}

#[test]
fn versions_of_images_are_upstreams_or_none() {
    use Component::{CsiProvisioner, CsiSnapshotter, SnapshotController};
    for (component, image, expected) in [
        (SnapshotController, "registry.k8s.io/sig-storage/snapshot-controller:v8.6.0", Some("8.6.0")),
        (SnapshotController, "localhost:5000/snapshot-controller:v6.3.1@sha256:00", Some("6.3.1")),
        (SnapshotController, "rancher/hardened-snapshot-controller:v8.2.0-build20250101", Some("8.2.0")),
        (SnapshotController, "rancher/mirrored-sig-storage-snapshot-controller:v6.2.1", Some("6.2.1")),
        (SnapshotController, "mcr.microsoft.com/oss/kubernetes-csi/snapshot-controller:v6.3.3", Some("6.3.3")),
        (
            SnapshotController,
            "public.ecr.aws/eks-distro/kubernetes-csi/external-snapshotter/snapshot-controller:v8.2.0-eks-1-33-4",
            Some("8.2.0"),
        ),
        (SnapshotController, "public.ecr.aws/csi-components/snapshot-controller:v8.6.0-eksbuild.5", Some("8.6.0")),
        (
            SnapshotController,
            "registry.cn-hangzhou.aliyuncs.com/acs/snapshot-controller:v4.0.0-a230d5b-aliyun",
            Some("4.0.0"),
        ),
        (SnapshotController, "mirror/kubernetes-csi_external-snapshotter:v5.0.1_vmware.1", Some("5.0.1")),
        (SnapshotController, "mirror/registry.k8s.io_sig-storage_snapshot-controller:v8.0.1", Some("8.0.1")),
        (SnapshotController, "example.org/snapshot-controller:v9.0.0", Some("9.0.0")),
        (SnapshotController, "example.org/snapshot-controller:8.2", Some("8.2.0")),
        (SnapshotController, "quay.io/k8scsi/snapshot-controller:v2.2.0-rc3", Some("2.2.0")),
        (CsiSnapshotter, "gcr.io/gke-release/csi-snapshotter:v4.2.1-gke.0", Some("4.2.1")),
        (CsiSnapshotter, "longhornio/csi-snapshotter:v8.5.0-20260210", Some("8.5.0")),
        (CsiSnapshotter, "rancher/mirrored-longhornio-csi-snapshotter:v7.0.2-20250204", Some("7.0.2")),
        (CsiSnapshotter, "localhost:5000/vmware.io/csi-snapshotter:v8.2.0_vmware.1", Some("8.2.0")),
        (CsiSnapshotter, "ccr.ccs.tencentyun.com/tkeimages/csi-snapshotter:v3.0.2", Some("3.0.2")),
        (CsiSnapshotter, "cgr.dev/example/csi-external-snapshotter-fips:8.2.0-r3", Some("8.2.0")),
        (CsiSnapshotter, "quay.io/k8scsi/csi-snapshotter-amd64:v1.2.2", Some("1.2.2")),
        (CsiProvisioner, "localhost:5000/vmware/csi-provisioner/csi-provisioner:v5.0.2_vmware.12", Some("5.0.2")),
        (CsiProvisioner, "docker.io/openstorage/csi-provisioner:v1.6.1-1", Some("1.6.1")),
        (CsiProvisioner, "registry.k8s.io/sig-storage/csi-provisioner:v6.4.0", Some("6.4.0")),
        // No tag, or none that is a number.
        (SnapshotController, "localhost:5000/snapshot-controller", None),
        (SnapshotController, "example.org/snapshot-controller@sha256:00", None),
        (SnapshotController, "example.org/snapshot-controller:canary", None),
        (SnapshotController, "example.org/snapshot-controller:v8", None),
        (SnapshotController, "example.org/snapshot-controller:8.6abc", None),
        (CsiSnapshotter, "registry.k8s.io/sig-storage/csi-snapshotter", None),
        (CsiSnapshotter, "${SNAPSHOTTER_IMAGE}", None),
        (CsiSnapshotter, "", None),
        (CsiSnapshotter, ":v8.6.0", None),
        // OpenShift's number, also where it is one of upstream's as well.
        (SnapshotController, "registry.redhat.io/openshift4/ose-csi-snapshot-controller:v4.2.0", None),
        (SnapshotController, "quay.io/openshift/origin-csi-snapshot-controller:4.2", None),
        (CsiSnapshotter, "quay.io/openshift/origin-csi-external-snapshotter:4.1.0", None),
        (CsiSnapshotter, "quay.io/openshift-release-dev/ocp-v4.0-art-dev@sha256:00", None),
        (CsiSnapshotter, "mirror.example/ose-csi-external-snapshotter-rhel8:v4.2.0", None),
        (CsiProvisioner, "quay.io/openshift/csi-external-provisioner:5.0", None),
        // Somebody's date or number.
        (SnapshotController, "example.org/snapshot-controller:v4.14.0", None),
        (SnapshotController, "example.org/snapshot-controller:v20240101.1", None),
        (SnapshotController, "example.org/snapshot-controller:2025.1", None),
        (CsiSnapshotter, "example.org/csi-snapshotter:v7.1.0", None),
        // One image for a driver and all of its sidecars, with the driver's number.
        (CsiSnapshotter, "example.org/storage/acme-csi:v4.2.0", None),
        (CsiSnapshotter, "example.org/storage/csi-sidecars:v8.2.0", None),
        (CsiSnapshotter, "example.org/csi-snapshotter/acme:v4.0.1", None),
        (CsiSnapshotter, "example.org/storage/acme-csi-snapshotter:v4.2.0", None),
        (CsiProvisioner, "example.org/storage/acme-csi-provisioner:v2.1.0", None),
        (CsiProvisioner, "quay.io/hpestorage/volume-group-provisioner:v1.0.10", None),
        // Another component's image.
        (CsiSnapshotter, "registry.k8s.io/sig-storage/snapshot-controller:v8.6.0", None),
        (CsiProvisioner, "registry.k8s.io/sig-storage/csi-snapshotter:v4.2.1", None),
    ] {
        let read = component.version(image).map(|version| version.to_string());
        assert_eq!(read.as_deref(), expected, "{image:?}");
    }
}

proptest! {
    #[test]
    fn a_number_is_read_whatever_follows_it(
        (major, minor, patch) in (0_u32.., 0_u32.., 0_u32..),
        behind in "([-+_].*)?",
    ) {
        let text = format!("v{major}.{minor}.{patch}{behind}");
        prop_assert_eq!(Version::parse(&text), Some(Version::new(major, minor, patch)));
    }

    #[test]
    fn no_text_is_too_strange(text in "\\PC*", image in "[a-z0-9./:@_+v-]{0,40}(csi-snapshotter|snapshot-controller)?[a-z0-9.:@_+v-]{0,20}") {
        for component in [Component::SnapshotController, Component::CsiSnapshotter, Component::CsiProvisioner] {
            for text in [&text, &image] {
                let _ = (Version::parse(text), Version::of_server(text));
                if let Some(version) = component.version(text) {
                    prop_assert!(version.major <= 9 && text.contains(&version.major.to_string()));
                }
            }
        }
    }
}
