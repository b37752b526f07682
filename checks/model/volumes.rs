//! Claims, volumes and snapshots, cut down to the fields that checks read.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::kubernetes::{Metadata, ObjectReference, SnapshotError};

/// A claim for a volume.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct PersistentVolumeClaim {
    /// Metadata.
    pub metadata: Metadata,
    /// Spec.
    pub spec: PersistentVolumeClaimSpec,
    /// Status.
    pub status: PersistentVolumeClaimStatus,
}

/// Spec of a `PersistentVolumeClaim`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PersistentVolumeClaimSpec {
    /// The volume that it is bound to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub volume_name: Option<String>,
    /// The class; `None` for no class said, empty for none wanted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub storage_class_name: Option<String>,
    /// `Filesystem` or `Block`; the API server sets it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub volume_mode: Option<String>,
    /// How its volume may be used: `ReadWriteOnce`, `ReadOnlyMany`, …
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub access_modes: Vec<String>,
    /// What it asks for.
    pub resources: Resources,
    /// What its volume was made from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data_source: Option<DataSource>,
}

/// What a volume was made from.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct DataSource {
    /// `VolumeSnapshot`, `PersistentVolumeClaim` or a populator's kind.
    pub kind: String,
    /// Name, in the claim's namespace.
    pub name: String,
}

/// What a claim asks for.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Resources {
    /// At least this much.
    pub requests: Storage,
}

/// An amount of storage.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Storage {
    /// A quantity, as it is written: `10Gi`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub storage: Option<String>,
}

/// Status of a `PersistentVolumeClaim`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct PersistentVolumeClaimStatus {
    /// `Pending`, `Bound` or `Lost`.
    pub phase: String,
    /// What the volume has.
    pub capacity: Storage,
}

/// A volume.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct PersistentVolume {
    /// Metadata.
    pub metadata: Metadata,
    /// Spec.
    pub spec: PersistentVolumeSpec,
}

/// That a field is there, whatever stands in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Present {}

macro_rules! persistent_volume_spec {
    ($($field:ident $name:literal)+) => {
        /// Spec of a `PersistentVolume`.
        #[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
        #[serde(rename_all = "camelCase", default)]
        pub struct PersistentVolumeSpec {
            /// Its size.
            pub capacity: Storage,
            /// The class that it was provisioned with; empty or `None` if there was none.
            #[serde(skip_serializing_if = "Option::is_none")]
            pub storage_class_name: Option<String>,
            /// The claim that it is for.
            #[serde(skip_serializing_if = "Option::is_none")]
            pub claim_ref: Option<ObjectReference>,
            /// The volume of a CSI driver.
            #[serde(skip_serializing_if = "Option::is_none")]
            pub csi: Option<CsiVolume>,
            $(
                #[doc = concat!("Whether it is a `", $name, "` volume, which no CSI driver has made.")]
                #[serde(rename = $name, skip_serializing_if = "Option::is_none")]
                pub $field: Option<Present>,
            )+
        }

        impl PersistentVolumeSpec {
            /// The field of its in-tree source: `nfs`, `awsElasticBlockStore`, …
            #[must_use]
            pub fn in_tree(&self) -> Option<&'static str> {
                None$(.or(self.$field.map(|_| $name)))+
            }
        }
    };
}

// k8s.io/api core/v1 PersistentVolumeSource, all releases.
persistent_volume_spec! {
    aws_elastic_block_store "awsElasticBlockStore"
    azure_disk "azureDisk"
    azure_file "azureFile"
    cephfs "cephfs"
    cinder "cinder"
    fc "fc"
    flex_volume "flexVolume"
    flocker "flocker"
    gce_persistent_disk "gcePersistentDisk"
    glusterfs "glusterfs"
    host_path "hostPath"
    iscsi "iscsi"
    local "local"
    nfs "nfs"
    photon_persistent_disk "photonPersistentDisk"
    portworx_volume "portworxVolume"
    quobyte "quobyte"
    rbd "rbd"
    scale_io "scaleIO"
    storageos "storageos"
    vsphere_volume "vsphereVolume"
}

/// A volume of a CSI driver.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct CsiVolume {
    /// Driver name.
    pub driver: String,
}

/// A snapshot of a volume.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct VolumeSnapshot {
    /// Metadata.
    pub metadata: Metadata,
    /// Spec.
    pub spec: VolumeSnapshotSpec,
    /// Status; empty until the snapshot-controller works on it.
    pub status: VolumeSnapshotStatus,
}

/// Spec of a `VolumeSnapshot`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct VolumeSnapshotSpec {
    /// The class; the snapshot-controller writes the default's name here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub volume_snapshot_class_name: Option<String>,
    /// What it is a snapshot of.
    pub source: VolumeSnapshotSource,
}

/// What a `VolumeSnapshot` is of: one of the two.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct VolumeSnapshotSource {
    /// The claim, in the same namespace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub persistent_volume_claim_name: Option<String>,
    /// A content that was there before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub volume_snapshot_content_name: Option<String>,
}

/// Status of a `VolumeSnapshot`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct VolumeSnapshotStatus {
    /// The content that it is bound to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bound_volume_snapshot_content_name: Option<String>,
    /// When the storage took it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub creation_time: Option<Timestamp>,
    /// Whether it can be restored from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ready_to_use: Option<bool>,
    /// The size of a volume that it can be restored to, a quantity as it is written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub restore_size: Option<String>,
    /// The last error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<SnapshotError>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_source_of_a_volume_is_read_and_written() {
        let json =
            r#"{"metadata":{"name":"a"},"spec":{"nfs":{"server":"s","path":"/p"},"capacity":{"storage":"1Gi"}}}"#;
        let volume: PersistentVolume = serde_json::from_str(json).unwrap();
        assert_eq!(volume.spec.in_tree(), Some("nfs"));
        let again: PersistentVolume = serde_json::from_str(&serde_json::to_string(&volume).unwrap()).unwrap();
        assert_eq!(again, volume);
    }
}
