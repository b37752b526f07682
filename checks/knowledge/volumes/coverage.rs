//! Whether a claim can be snapshotted, and which way to back it up.

use std::collections::BTreeMap;

use crate::knowledge::classes::choose::{Choice, choose_snapshot_class, classes_of};
use crate::knowledge::control_plane::presence::{Presence, sidecar_of};
use crate::knowledge::drivers::registered::is_surely_unregistered;
use crate::knowledge::drivers::table::known_driver;
use crate::knowledge::volumes::volume::{Claimed, MIGRATED_TO};
use crate::model::facts::Facts;
use crate::model::object::SNAPSHOT_GROUP;
use crate::text::words::list;

/// Whether a claim can be snapshotted.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Snapshot {
    /// It can, with this class.
    Yes {
        /// The `VolumeSnapshotClass`; several and no default: one has to be named.
        class: String,
    },
    /// It cannot.
    No {
        /// Why, in one line.
        why: String,
        /// What of the cluster is to be mended; `None`: the storage is like that.
        mend: Option<Mend>,
    },
    /// It could not be determined.
    Unknown {
        /// Why, in one line.
        why: String,
    },
}

/// What keeps claims from being snapshotted whose storage could do it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mend {
    /// The snapshot API is not served.
    Api,
    /// The driver is not installed.
    Driver,
    /// The driver has no csi-snapshotter.
    Sidecar,
    /// The driver has no `VolumeSnapshotClass`.
    Class,
    /// The volume is gone.
    Volume,
}

/// The way to back a claim up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Way {
    /// A CSI snapshot, which the storage keeps safe by itself.
    Snapshot,
    /// Data moved from a CSI snapshot: the snapshot alone lies in the same storage as the volume.
    DataMovement,
    /// The files, through a pod that mounts the volume.
    Files,
    /// The cloud's own snapshots, by a plugin of the backup product.
    Provider,
    /// None that is known.
    None,
    /// It could not be determined.
    Unknown,
}

impl Way {
    /// Its name for people.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Snapshot => "CSI snapshot",
            Self::DataMovement => "data movement from a snapshot",
            Self::Files => "file-system backup",
            Self::Provider => "provider snapshot",
            Self::None => "none",
            Self::Unknown => "unknown",
        }
    }
}

/// Drivers whose snapshots lie apart from their volumes, so that they survive the volume's storage (Velero's documentation, "CSI
/// Snapshot Data Movement").
const DURABLE: [&str; 4] =
    ["ebs.csi.aws.com", "ebs.csi.eks.amazonaws.com", "disk.csi.azure.com", "pd.csi.storage.gke.io"];
/// In-tree volumes that plugins of backup products snapshot through the cloud's API.
const OF_CLOUDS: [&str; 3] = ["awsElasticBlockStore", "azureDisk", "gcePersistentDisk"];

/// What is known of each driver, looked up once however many claims there are.
#[derive(Debug)]
pub struct Coverage<'a> {
    facts: &'a Facts,
    drivers: BTreeMap<&'a str, Snapshot>,
}

impl<'a> Coverage<'a> {
    /// Over these facts.
    #[must_use]
    pub fn new(facts: &'a Facts) -> Self {
        Self { facts, drivers: BTreeMap::new() }
    }

    /// Whether a claim can be snapshotted, and the way to back it up.
    pub fn of(&mut self, one: &Claimed<'a>) -> (Snapshot, Way) {
        let snapshot = self.snapshot(one);
        let way = way(one, &snapshot);
        (snapshot, way)
    }

    fn snapshot(&mut self, one: &Claimed<'a>) -> Snapshot {
        let lasting = |why: &str| Snapshot::No { why: why.to_owned(), mend: None };
        if one.claim.metadata.deletion_timestamp.is_some() {
            return lasting("the claim is being deleted");
        }
        let Some(volume) = one.volume else {
            return match one.claim.status.phase.as_str() {
                "Lost" => Snapshot::No { why: "its volume is lost".to_owned(), mend: Some(Mend::Volume) },
                "Bound" => Snapshot::Unknown { why: "its volume could not be read".to_owned() },
                _ => lasting("the claim is not bound to a volume"),
            };
        };
        if let Some(driver) = one.driver() {
            return self.drivers.entry(driver).or_insert_with(|| of_driver(self.facts, driver)).clone();
        }
        match (volume.metadata.annotations.get(MIGRATED_TO), volume.spec.in_tree()) {
            (Some(driver), _) => lasting(&format!(
                "an in-tree volume, although {driver} does its work: the snapshot-controller takes snapshots of CSI volumes alone"
            )),
            (None, Some(kind)) => lasting(&format!("no CSI volume ({kind})")),
            (None, None) => {
                Snapshot::Unknown { why: "its volume is of a kind that snapready does not know".to_owned() }
            }
        }
    }
}

fn of_driver(facts: &Facts, driver: &str) -> Snapshot {
    let mendable = |mend: Mend, why: String| Snapshot::No { why, mend: Some(mend) };
    let unknown = |why: String| Snapshot::Unknown { why };
    let known = known_driver(driver);
    if known.is_some_and(|known| known.snapshots == Some(false)) {
        return Snapshot::No { why: format!("{driver} has no snapshots"), mend: None };
    }
    match facts.snapshot_apis.seen() {
        None => return unknown("the versions of the snapshot API could not be read".to_owned()),
        Some(apis) if !apis.serves(SNAPSHOT_GROUP, "v1") => {
            return mendable(Mend::Api, format!("{SNAPSHOT_GROUP}/v1 is not served"));
        }
        Some(_) => {}
    }
    if is_surely_unregistered(facts, driver) {
        return mendable(Mend::Driver, format!("{driver} is not installed"));
    }
    let sidecar = sidecar_of(facts, driver);
    if let Presence::Absent { .. } = sidecar {
        return mendable(Mend::Sidecar, format!("{driver} has no csi-snapshotter"));
    }
    let Some(classes) = facts.volume_snapshot_classes.seen() else {
        return unknown("VolumeSnapshotClasses could not be read".to_owned());
    };
    let own = classes_of(classes, driver);
    let names = || list(own.iter().map(|class| class.metadata.name.as_str()));
    match (choose_snapshot_class(classes, driver), sidecar) {
        _ if own.is_empty() => mendable(Mend::Class, format!("{driver} has no VolumeSnapshotClass")),
        (_, Presence::Unknown { why }) => unknown(format!("whether {driver} has a csi-snapshotter: {why}")),
        (Choice::One(class), _) => Snapshot::Yes { class: class.metadata.name.clone() },
        _ => Snapshot::Yes { class: names() },
    }
}

fn way(one: &Claimed<'_>, snapshot: &Snapshot) -> Way {
    let restores = one.driver().and_then(known_driver).and_then(|known| known.restores);
    let is_block = one.claim.spec.volume_mode.as_deref() == Some("Block");
    match snapshot {
        Snapshot::Yes { .. } if restores == Some(false) => Way::Snapshot,
        Snapshot::Yes { .. } if one.driver().is_some_and(|driver| DURABLE.contains(&driver)) => Way::Snapshot,
        Snapshot::Yes { .. } => Way::DataMovement,
        Snapshot::Unknown { .. } => Way::Unknown,
        Snapshot::No { .. } => match one.volume {
            None => Way::None,
            Some(volume) if volume.spec.in_tree().is_some_and(|kind| OF_CLOUDS.contains(&kind)) => Way::Provider,
            // Velero's documentation, "File System Backup", limitations: hostPath volumes are not supported.
            Some(volume) if volume.spec.in_tree() == Some("hostPath") => Way::None,
            Some(_) if is_block => Way::None,
            Some(_) => Way::Files,
        },
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::knowledge::volumes::volume::claimed;

    fn judged(volume: &serde_json::Value, claim: &serde_json::Value, apis: &serde_json::Value) -> (Snapshot, Way) {
        let seen = |value: serde_json::Value| json!({"state": "seen", "value": value});
        let mut claim = claim.clone();
        claim["metadata"] = json!({"name": "db", "namespace": "shop"});
        claim["spec"]["volumeName"] = json!("v");
        let facts: Facts = serde_json::from_value(json!({
            "persistentVolumes": seen(json!([{"metadata": {"name": "v"}, "spec": volume}])),
            "persistentVolumeClaims": seen(json!([claim])),
            "snapshotApis": seen(apis.clone()),
            "volumeSnapshotClasses": seen(json!([
                {"metadata": {"name": "gold"}, "driver": "ebs.csi.aws.com", "deletionPolicy": "Delete"},
                {"metadata": {"name": "b"}, "driver": "rbd.csi.ceph.com", "deletionPolicy": "Delete"},
                {"metadata": {"name": "a"}, "driver": "rbd.csi.ceph.com", "deletionPolicy": "Delete"},
            ])),
            "volumeSnapshotContents": seen(json!([])),
            "csiDrivers": seen(json!([{"metadata": {"name": "ebs.csi.aws.com"}}, {"metadata": {"name": "rbd.csi.ceph.com"}}])),
            "csiNodes": seen(json!([])),
            "pods": seen(json!([{"metadata": {"name": "p", "namespace": "s"}, "spec": {"containers": [
                {"name": "csi-snapshotter", "image": "registry.k8s.io/sig-storage/csi-snapshotter:v8.2.0"},
                {"name": "ebs-plugin", "image": "public.ecr.aws/ebs-csi-driver/aws-ebs-csi-driver:v1.40.0"},
            ]}, "status": {"containerStatuses": [{"name": "csi-snapshotter", "ready": true}]}}])),
            "workloads": seen(json!([])),
            "leases": seen(json!([])),
        }))
        .unwrap();
        let all = claimed(&facts).unwrap();
        Coverage::new(&facts).of(&all[0])
    }

    #[test]
    fn each_claim_has_its_way() {
        let v1 = json!({"snapshot.storage.k8s.io": ["v1"]});
        let bound = json!({"spec": {}, "status": {"phase": "Bound"}});
        let block = json!({"spec": {"volumeMode": "Block"}, "status": {"phase": "Bound"}});
        let csi = |driver: &str| json!({"csi": {"driver": driver}});
        let (snapshot, way) = judged(&csi("ebs.csi.aws.com"), &bound, &v1);
        assert_eq!((snapshot, way), (Snapshot::Yes { class: "gold".to_owned() }, Way::Snapshot));
        let row = |volume: &serde_json::Value, claim: &serde_json::Value, apis: &serde_json::Value| {
            let (snapshot, way) = judged(volume, claim, apis);
            let (why, mend) = match snapshot {
                Snapshot::No { why, mend } => (why, mend.is_some()),
                other => panic!("{other:?}"),
            };
            (why, mend, way)
        };
        let (why, mend, way) = row(&csi("ebs.csi.aws.com"), &bound, &json!({}));
        assert!(why.contains("not served") && mend && way == Way::Files, "{why}");
        let (why, mend, way) = row(&csi("efs.csi.aws.com"), &bound, &v1);
        assert!(why.contains("has no snapshots") && !mend && way == Way::Files, "{why}");
        let (why, _, way) = row(&csi("efs.csi.aws.com"), &block, &v1);
        assert_eq!(way, Way::None, "{why}");
        let (why, mend, way) = row(&json!({"nfs": {}}), &bound, &v1);
        assert!(why.contains("nfs") && !mend && way == Way::Files, "{why}");
        assert_eq!(row(&json!({"hostPath": {}}), &bound, &v1).2, Way::None);
        assert_eq!(row(&json!({"awsElasticBlockStore": {}}), &bound, &v1).2, Way::Provider);
        assert!(matches!(judged(&json!({}), &bound, &v1).0, Snapshot::Unknown { .. }));
    }
}
