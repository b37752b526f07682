//! What each CSI driver can do, with what shows it. What was seen in the cluster counts before what a table says; what nothing
//! shows is unknown.

use std::collections::{BTreeMap, BTreeSet};

use crate::knowledge::control_plane::arguments::{GROUP_GATE, gate, is_on};
use crate::knowledge::control_plane::containers::is_csi_snapshotter;
use crate::knowledge::control_plane::presence::{Presence, sidecar_of};
use crate::knowledge::control_plane::sidecars::sidecars;
use crate::knowledge::drivers::registered::{is_in_tree, registered_drivers};
use crate::knowledge::drivers::table::known_driver;
use crate::knowledge::volumes::volume::{Claimed, claimed};
use crate::model::facts::Facts;
use crate::model::finding::Evidence;

/// Something that a driver can do or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Ability {
    /// Taking and deleting snapshots: `CREATE_DELETE_SNAPSHOT`.
    Snapshot,
    /// Telling which snapshots there are: `LIST_SNAPSHOTS`.
    List,
    /// Telling which blocks have changed: the service `SnapshotMetadata`.
    Changes,
    /// A volume from a snapshot.
    Restore,
    /// A volume from a volume: `CLONE_VOLUME`.
    Clone,
    /// Raw block volumes.
    Block,
    /// Larger volumes: `EXPAND_VOLUME`.
    Expand,
    /// Snapshots of several volumes at once: `CREATE_DELETE_GET_VOLUME_GROUP_SNAPSHOT`.
    Group,
    /// Volumes that only a part of the cluster can use: `VOLUME_ACCESSIBILITY_CONSTRAINTS`.
    Topology,
}

impl Ability {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Self; 9] = [
        Self::Snapshot,
        Self::List,
        Self::Changes,
        Self::Restore,
        Self::Clone,
        Self::Block,
        Self::Expand,
        Self::Group,
        Self::Topology,
    ];

    /// Its word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Snapshot => "snapshot",
            Self::List => "list",
            Self::Changes => "changes",
            Self::Restore => "restore",
            Self::Clone => "clone",
            Self::Block => "block",
            Self::Expand => "expand",
            Self::Group => "group",
            Self::Topology => "topology",
        }
    }
}

/// Whether a driver can do something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Capability {
    /// The answer; `None` is unknown.
    pub answer: Option<bool>,
    /// Whether the cluster has shown it; otherwise it is what the driver's makers say.
    pub is_certain: bool,
    /// What shows it.
    pub because: String,
    /// The object that shows it, if one does.
    pub evidence: Option<Evidence>,
}

impl Capability {
    fn unknown() -> Self {
        Self { answer: None, is_certain: false, because: "nothing shows it".to_owned(), evidence: None }
    }

    fn certain(answer: bool, because: impl Into<String>, evidence: Option<Evidence>) -> Self {
        Self { answer: Some(answer), is_certain: true, because: because.into(), evidence }
    }
}

/// A driver.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DriverCapabilities {
    /// How many claims have volumes of it.
    pub claims: usize,
    /// How many `StorageClasses` provision with it.
    pub storage_classes: usize,
    /// How many `VolumeSnapshotClasses` it has.
    pub snapshot_classes: usize,
    /// What it can do.
    pub abilities: BTreeMap<Ability, Capability>,
}

/// All drivers that are installed, or that volumes or classes name.
#[must_use]
pub fn drivers(facts: &Facts) -> BTreeMap<String, DriverCapabilities> {
    let storage = facts.storage_classes.seen().into_iter().flatten();
    let volumes = facts.persistent_volumes.seen().into_iter().flatten();
    let of_volumes = volumes.filter_map(|volume| Some(volume.spec.csi.as_ref()?.driver.clone()));
    let classes = facts.volume_snapshot_classes.seen().into_iter().flatten();
    let names: BTreeSet<String> = registered_drivers(facts)
        .into_iter()
        .chain(storage.map(|class| class.provisioner.clone()))
        .chain(classes.map(|class| class.driver.clone()))
        .chain(of_volumes)
        .filter(|name| !is_in_tree(name) && known_driver(name).is_none_or(|known| known.is_csi))
        .collect();
    let claims = claimed(facts).unwrap_or_default();
    names.into_iter().map(|name| (name.clone(), of(facts, &claims, &name))).collect()
}

fn of(facts: &Facts, claims: &[Claimed<'_>], driver: &str) -> DriverCapabilities {
    let own: Vec<&Claimed<'_>> = claims.iter().filter(|one| one.driver() == Some(driver)).collect();
    let storage = facts.storage_classes.seen().into_iter().flatten();
    let classes = facts.volume_snapshot_classes.seen().into_iter().flatten();
    DriverCapabilities {
        claims: own.len(),
        storage_classes: storage.filter(|class| class.provisioner == driver).count(),
        snapshot_classes: classes.filter(|class| class.driver == driver).count(),
        abilities: Ability::ALL.map(|ability| (ability, capability(facts, &own, driver, ability))).into(),
    }
}

/// `own` are the claims with volumes of the driver.
fn capability(facts: &Facts, own: &[&Claimed<'_>], driver: &str, ability: Ability) -> Capability {
    let seen = match ability {
        Ability::Snapshot => snapshot(facts, driver),
        Ability::List => lists(facts, driver),
        Ability::Changes => changes(facts, driver),
        Ability::Restore => from_source(own, "VolumeSnapshot", "a claim was restored from a snapshot"),
        Ability::Clone => from_source(own, "PersistentVolumeClaim", "a claim was cloned from another"),
        Ability::Block => block(own),
        Ability::Expand => None,
        Ability::Group => group(facts, driver),
        Ability::Topology => topology(facts, driver),
    };
    seen.or_else(|| by_table(driver, ability)).unwrap_or_else(Capability::unknown)
}

/// What the driver's makers say.
fn by_table(driver: &str, ability: Ability) -> Option<Capability> {
    let known = known_driver(driver)?;
    let answer = match ability {
        Ability::Snapshot => known.snapshots,
        Ability::Restore => known.restores,
        Ability::Clone => known.clones,
        Ability::Block => known.raw_block,
        Ability::Expand => known.expands,
        Ability::Topology => known.topology,
        Ability::List | Ability::Changes | Ability::Group => None,
    }?;
    let because = format!("{} according to {}", known.product, known.source);
    Some(Capability { answer: Some(answer), is_certain: false, because, evidence: None })
}

fn snapshot(facts: &Facts, driver: &str) -> Option<Capability> {
    let contents = facts.volume_snapshot_contents.seen().into_iter().flatten();
    let mut taken = contents.filter(|content| {
        content.spec.driver == driver
            && content.spec.source.volume_handle.is_some()
            && content.status.snapshot_handle.is_some()
    });
    if let Some(content) = taken.next() {
        let handle = content.status.snapshot_handle.clone().unwrap_or_default();
        let evidence =
            Evidence::cluster("VolumeSnapshotContent", &content.metadata.name, "status.snapshotHandle", handle);
        return Some(Capability::certain(true, "it has taken a snapshot", Some(evidence)));
    }
    // A csi-snapshotter asks its driver at startup, and exits if it lacks CREATE_DELETE_SNAPSHOT (external-snapshotter
    // cmd/csi-snapshotter/main.go).
    let Presence::Present { installations, .. } = sidecar_of(facts, driver) else { return None };
    for running in &installations {
        for (pod, status) in running.statuses() {
            let namespace = pod.metadata.namespace.as_deref().unwrap_or_default();
            let evidence = |path: &str, value: String| {
                let path = format!("status.containerStatuses[{}].{path}", status.name);
                Some(Evidence::namespaced("Pod", namespace, &pod.metadata.name, &path, value))
            };
            if let Some(ended) =
                status.ended().filter(|ended| ended.message.contains("does not support ControllerCreateSnapshot"))
            {
                let because = "its csi-snapshotter exits, as the driver lacks CREATE_DELETE_SNAPSHOT";
                return Some(Capability::certain(
                    false,
                    because,
                    evidence("lastState.terminated.message", ended.message.clone()),
                ));
            }
            if status.ready && status.restart_count == 0 {
                let because = "its csi-snapshotter runs, which exits if the driver lacks CREATE_DELETE_SNAPSHOT";
                let capability = Capability::certain(true, because, evidence("ready", "true".to_owned()));
                return Some(Capability { is_certain: false, ..capability });
            }
        }
    }
    None
}

/// Of a snapshot that was there before its content, a csi-snapshotter learns the size by `ListSnapshots`; where the driver lacks
/// `LIST_SNAPSHOTS` it takes the snapshot for ready, and its size for 0 (external-snapshotter pkg/snapshotter/snapshotter.go,
/// `GetSnapshotStatus`).
fn lists(facts: &Facts, driver: &str) -> Option<Capability> {
    let contents = facts.volume_snapshot_contents.seen().into_iter().flatten();
    let imported = contents.filter(|content| {
        content.spec.driver == driver
            && content.spec.source.snapshot_handle.is_some()
            && content.status.ready_to_use == Some(true)
    });
    let mut without = None;
    for content in imported {
        let size = content.status.restore_size.unwrap_or_default();
        let evidence =
            Evidence::cluster("VolumeSnapshotContent", &content.metadata.name, "status.restoreSize", size.to_string());
        if size > 0 {
            return Some(Capability::certain(
                true,
                "it has told the size of a snapshot that was there before",
                Some(evidence),
            ));
        }
        without.get_or_insert(evidence);
    }
    let because = "a snapshot that was there before is ready, and has no size";
    Some(Capability { is_certain: false, ..Capability::certain(false, because, Some(without?)) })
}

/// Whether the sidecar csi-snapshot-metadata runs beside its csi-snapshotter.
fn changes(facts: &Facts, driver: &str) -> Option<Capability> {
    let all = sidecars(facts, is_csi_snapshotter);
    let sidecar = all.iter().find(|sidecar| sidecar.serves(driver))?;
    let beside =
        sidecar.running.spec.containers.iter().find(|container| container.image.contains("csi-snapshot-metadata"))?;
    let evidence = sidecar.running.evidence("spec.template.spec.containers[].image", beside.image.as_str());
    let because = "csi-snapshot-metadata runs beside its csi-snapshotter";
    Some(Capability { is_certain: false, ..Capability::certain(true, because, Some(evidence)) })
}

/// A claim that is bound, and that was made from something.
fn from_source(own: &[&Claimed<'_>], kind: &str, because: &str) -> Option<Capability> {
    let made_from = |one: &Claimed<'_>| {
        let source = one.claim.spec.data_source.as_ref().filter(|source| source.kind == kind)?;
        Some(one.evidence("spec.dataSource.name", source.name.as_str()))
    };
    Some(Capability::certain(true, because, Some(bound(own).find_map(made_from)?)))
}

fn block(own: &[&Claimed<'_>]) -> Option<Capability> {
    let one = bound(own).find(|one| one.claim.spec.volume_mode.as_deref() == Some("Block"))?;
    Some(Capability::certain(true, "it has a bound block volume", Some(one.evidence("spec.volumeMode", "Block"))))
}

fn bound<'a>(own: &'a [&'a Claimed<'a>]) -> impl Iterator<Item = &'a Claimed<'a>> {
    own.iter().copied().filter(|one| one.claim.status.phase == "Bound")
}

/// Whether its csi-snapshotter was told to make group snapshots, which is no proof that the driver can.
fn group(facts: &Facts, driver: &str) -> Option<Capability> {
    let all = sidecars(facts, is_csi_snapshotter);
    let sidecar = all.iter().find(|sidecar| sidecar.serves(driver))?;
    let container = sidecar.running.container;
    let by_gate = gate(container, GROUP_GATE) == Some(true);
    let is_asked = by_gate || is_on(container, "enable-volume-group-snapshots");
    is_asked.then(|| Capability {
        answer: Some(true),
        is_certain: false,
        because: "group snapshots are switched on in its csi-snapshotter".to_owned(),
        evidence: Some(sidecar.running.evidence("spec.template.spec.containers[].args", container.args.join(" "))),
    })
}

fn topology(facts: &Facts, driver: &str) -> Option<Capability> {
    let nodes = facts.csi_nodes.seen()?;
    let mut registered = nodes
        .iter()
        .flat_map(|node| node.spec.drivers.iter().map(move |driver| (node, driver)))
        .filter(|(_, registered)| registered.name == driver);
    let (node, first) = registered.next()?;
    let keys = first.topology_keys.join(", ");
    let evidence = Evidence::cluster("CSINode", &node.metadata.name, "spec.drivers[].topologyKeys", keys.as_str());
    Some(if keys.is_empty() {
        Capability::certain(false, "its nodes have registered no topology keys", Some(evidence))
    } else {
        Capability::certain(true, "its nodes have registered topology keys", Some(evidence))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn facts(changes: &[(&str, Value)]) -> Facts {
        let mut facts = json!({});
        for (field, value) in changes {
            facts[*field] = json!({"state": "seen", "value": value});
        }
        serde_json::from_value(facts).unwrap()
    }

    fn answers(facts: &Facts, driver: &str, ability: Ability) -> (Option<bool>, bool) {
        let found = &drivers(facts)[driver].abilities[&ability];
        (found.answer, found.is_certain)
    }

    #[test]
    fn what_was_seen_counts_before_the_table() {
        let storage = json!([{"metadata": {"name": "a"}, "provisioner": "efs.csi.aws.com"}]);
        let only = facts(&[("storageClasses", storage.clone())]);
        assert_eq!(answers(&only, "efs.csi.aws.com", Ability::Snapshot), (Some(false), false));
        let content = json!([{"metadata": {"name": "c"}, "spec": {"driver": "efs.csi.aws.com", "source": {"volumeHandle": "v"}},
            "status": {"snapshotHandle": "h"}}]);
        let taken = facts(&[("storageClasses", storage), ("volumeSnapshotContents", content)]);
        assert_eq!(answers(&taken, "efs.csi.aws.com", Ability::Snapshot), (Some(true), true));
    }

    #[test]
    fn a_restore_a_clone_and_a_device_prove_themselves() {
        let claim = |name: &str, spec: Value| {
            let mut spec = spec;
            spec["volumeName"] = json!("v");
            json!({"metadata": {"name": name, "namespace": "n"}, "spec": spec, "status": {"phase": "Bound"}})
        };
        let with = |spec: Value| {
            facts(&[
                (
                    "persistentVolumes",
                    json!([{"metadata": {"name": "v"}, "spec": {"csi": {"driver": "csi.example.org"}}}]),
                ),
                ("persistentVolumeClaims", json!([claim("a", spec)])),
            ])
        };
        let plain = with(json!({}));
        for (ability, spec) in [
            (Ability::Restore, json!({"dataSource": {"kind": "VolumeSnapshot", "name": "s"}})),
            (Ability::Clone, json!({"dataSource": {"kind": "PersistentVolumeClaim", "name": "s"}})),
            (Ability::Block, json!({"volumeMode": "Block"})),
        ] {
            assert_eq!(answers(&plain, "csi.example.org", ability), (None, false), "{ability:?}");
            assert_eq!(answers(&with(spec), "csi.example.org", ability), (Some(true), true), "{ability:?}");
        }
    }

    #[test]
    fn imported_snapshots_tell_whether_snapshots_are_listed() {
        let content = |size: Value, source: &str| {
            let contents = json!([{"metadata": {"name": "c"}, "spec": {"driver": "csi.example.org", "source": {source: "h"}},
                "status": {"readyToUse": true, "restoreSize": size, "snapshotHandle": "h"}}]);
            let storage = json!([{"metadata": {"name": "a"}, "provisioner": "csi.example.org"}]);
            answers(
                &facts(&[("volumeSnapshotContents", contents), ("storageClasses", storage)]),
                "csi.example.org",
                Ability::List,
            )
        };
        assert_eq!(content(json!(1024), "snapshotHandle"), (Some(true), true));
        assert_eq!(content(json!(0), "snapshotHandle"), (Some(false), false));
        assert_eq!(content(json!(1024), "volumeHandle"), (None, false));
    }

    #[test]
    fn the_sidecar_of_changed_blocks_tells_of_them() {
        let with = |image: &str| {
            let pod = json!([{"metadata": {"name": "p", "namespace": "n"}, "spec": {"containers": [
                {"name": "driver", "image": "example.org/driver:v1", "args": ["--drivername=csi.example.org"]},
                {"name": "csi-snapshotter", "image": "registry.k8s.io/sig-storage/csi-snapshotter:v8.6.0"},
                {"name": "other", "image": image}]}}]);
            let driver = json!([{"metadata": {"name": "csi.example.org"}}]);
            answers(&facts(&[("pods", pod), ("csiDrivers", driver)]), "csi.example.org", Ability::Changes)
        };
        assert_eq!(with("registry.k8s.io/sig-storage/csi-snapshot-metadata:v0.2.0"), (Some(true), false));
        assert_eq!(with("registry.k8s.io/sig-storage/csi-attacher:v4.8.0"), (None, false));
    }

    #[test]
    fn nodes_tell_the_topology() {
        let node = |keys: Value| {
            facts(&[(
                "csiNodes",
                json!([{"metadata": {"name": "n"}, "spec": {"drivers": [
            {"name": "csi.example.org", "topologyKeys": keys}]}}]),
            )])
        };
        assert_eq!(answers(&node(json!(["zone"])), "csi.example.org", Ability::Topology), (Some(true), true));
        assert_eq!(answers(&node(json!([])), "csi.example.org", Ability::Topology), (Some(false), true));
    }
}
