//! Which rights a release of a component needs (`data/component-rights.tsv`): by what its code asks the API server for, which is less
//! than what upstream's example roles grant.

use crate::knowledge::classes::secrets::{SecretReference, secret_references};
use crate::knowledge::control_plane::arguments::{gate, is_on};
use crate::knowledge::control_plane::leading::{elects, lease_namespace};
use crate::knowledge::control_plane::leases::{CONTROLLER_LEASE, sanitised, snapshotter_lease};
use crate::knowledge::control_plane::running::Running;
use crate::knowledge::control_plane::skew::needs_groups;
use crate::knowledge::rights::rbac::Objects;
use crate::knowledge::tables::rows;
use crate::knowledge::version::{Component, Version};
use crate::model::facts::Facts;

/// What is lost without a right, from harmless to worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Effect {
    /// Something beside snapshots and restores.
    Degrades,
    /// Snapshots or restores do not work.
    Stops,
    /// Nor are snapshots that exist deleted.
    Strands,
}

/// A right that a component needs: some verbs on a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Right {
    /// API group.
    pub(crate) group: &'static str,
    /// Resource, with its subresource.
    pub(crate) resource: &'static str,
    /// Verbs.
    pub(crate) verbs: Vec<&'static str>,
    /// Where; `None` for all namespaces and for cluster-scoped resources.
    pub(crate) namespace: Option<String>,
    /// The object's name, if it is about one.
    pub(crate) name: Option<String>,
    /// What is lost without it.
    pub(crate) effect: Effect,
    /// The same in words: a sentence without its stop.
    pub(crate) breaks: &'static str,
}

impl Right {
    /// Whether both are about the same objects.
    pub(crate) fn is_about_the_same(&self, other: &Self) -> bool {
        let about = |right: &Self| (right.group, right.resource, right.namespace.clone(), right.name.clone());
        about(self) == about(other)
    }

    /// Which objects a verb of it is about: what is listed or created has no name.
    pub(crate) fn objects(&self, verb: &str) -> Objects<'_> {
        match &self.name {
            Some(name) if !["list", "watch", "create"].contains(&verb) => Objects::Named(name),
            // Every driver names its lease after itself, and whose it is may not be known.
            None if self.resource == "leases" && verb != "create" => Objects::Some,
            _ => Objects::All,
        }
    }
}

struct Row {
    component: &'static str,
    from: Option<Version>,
    before: Option<Version>,
    when: &'static str,
    right: Right,
}

impl Row {
    /// Of a version that is not known, only what all need is said.
    fn is_of(&self, version: Option<Version>) -> bool {
        match version {
            Some(version) => {
                self.from.is_none_or(|from| from <= version) && self.before.is_none_or(|before| version < before)
            }
            None => self.from.is_none() && self.before.is_none(),
        }
    }
}

fn table() -> impl Iterator<Item = Row> {
    rows(include_str!("../../data/component-rights.tsv")).filter_map(|row| {
        let [component, from, before, when, group, resource, verbs, effect, breaks, _source] = *row.as_slice() else {
            return None;
        };
        let effect = match effect {
            "warn" => Effect::Degrades,
            "fail" => Effect::Stops,
            "strands" => Effect::Strands,
            _ => return None,
        };
        let verbs = verbs.split(' ').collect();
        let right = Right { group, resource, verbs, namespace: None, name: None, effect, breaks };
        Some(Row { component, from: Version::parse(from), before: Version::parse(before), when, right })
    })
}

/// The releases whose rights are known: before them one program was controller and sidecar.
const FIRST: Version = Version::new(2, 0, 0);

/// Of which releases rights are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Releases {
    /// The workload's own; where its image does not tell, what every release needs.
    Its,
    /// All: what any of them needs.
    All,
}

/// The rights that a workload needs, by its release, its arguments and its drivers; `None` for a release of which nothing is known.
pub(crate) fn needed(
    facts: &Facts,
    component: Component,
    running: &Running<'_>,
    drivers: &[String],
    releases: Releases,
) -> Option<Vec<Right>> {
    let version = component.version(&running.container.image);
    if version.is_some_and(|version| version < FIRST) {
        return None;
    }
    let is_of = |row: &Row| releases == Releases::All || row.is_of(version);
    let rows = table().filter(|row| row.component == component.name() && is_of(row));
    Some(rows.flat_map(|row| apply(facts, component, running, drivers, version, row)).collect())
}

/// What a row comes to here: nothing where its condition does not hold.
fn apply(
    facts: &Facts,
    component: Component,
    running: &Running<'_>,
    drivers: &[String],
    version: Option<Version>,
    row: Row,
) -> Vec<Right> {
    let container = running.container;
    let right = row.right;
    let holds = match row.when {
        "" => true,
        "leader-election" => {
            let names = lease_names(component, drivers);
            let namespace = Some(lease_namespace(running));
            return match (elects(container), names.as_slice()) {
                (false, _) => Vec::new(),
                (true, []) => vec![Right { namespace, ..right }],
                (true, names) => names
                    .iter()
                    .map(|name| Right { namespace: namespace.clone(), name: Some(name.clone()), ..right.clone() })
                    .collect(),
            };
        }
        "distributed" => is_on(container, "enable-distributed-snapshotting"),
        "groups" => version.is_some_and(|version| needs_groups(component, version, running).is_some()),
        "secrets" => return secrets(facts, drivers, &right),
        "topology" => has_topology(facts, running, drivers, version),
        "wait-for-first-consumer" => facts.storage_classes.seen().into_iter().flatten().any(|class| {
            drivers.contains(&class.provisioner) && class.volume_binding_mode.as_deref() == Some("WaitForFirstConsumer")
        }),
        "pv-protection" => gate(running.container, "HonorPVReclaimPolicy") != Some(false),
        _ => false,
    };
    if holds { vec![right] } else { Vec::new() }
}

fn lease_names(component: Component, drivers: &[String]) -> Vec<String> {
    match component {
        Component::SnapshotController => vec![CONTROLLER_LEASE.to_owned()],
        Component::CsiSnapshotter => drivers.iter().map(|driver| snapshotter_lease(driver)).collect(),
        Component::CsiProvisioner => drivers.iter().map(|driver| sanitised(driver)).collect(),
    }
}

/// The secrets of the drivers' classes. Those with templates, only a snapshot's name tells.
fn secrets(facts: &Facts, drivers: &[String], right: &Right) -> Vec<Right> {
    let classes = || {
        let all = facts.volume_snapshot_classes.seen().into_iter().flatten();
        all.filter(|class| drivers.contains(&class.driver))
    };
    // With a class that names none, snapshots come and go.
    let effect = if classes().any(|class| secret_references(class).is_empty()) { Effect::Stops } else { right.effect };
    let mut found: Vec<Right> = Vec::new();
    for class in classes() {
        for reference in secret_references(class) {
            let SecretReference::Fixed { namespace, name, .. } = reference else { continue };
            let (namespace, name) = (Some(namespace.to_owned()), Some(name.to_owned()));
            let one = Right { namespace, name, effect, ..right.clone() };
            if !found.contains(&one) {
                found.push(one);
            }
        }
    }
    found
}

/// Whether a csi-provisioner places volumes by the nodes' topology: its driver has keys, the gate is on (always from 5.0 on), and it does
/// not run on each node, where it looks at no other.
fn has_topology(facts: &Facts, running: &Running<'_>, drivers: &[String], version: Option<Version>) -> bool {
    let by_default = version.is_some_and(|version| version >= Version::new(5, 0, 0));
    let mut registered = facts.csi_nodes.seen().into_iter().flatten().flat_map(|node| &node.spec.drivers);
    gate(running.container, "Topology").unwrap_or(by_default)
        && !is_on(running.container, "node-deployment")
        && registered.any(|driver| drivers.contains(&driver.name) && !driver.topology_keys.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::rbac::RESOURCES;

    /// What is dropped from roles cannot be granted by them.
    #[test]
    fn rules_about_every_resource_of_the_table_are_kept() {
        for row in table() {
            let main = row.right.resource.split('/').next().unwrap();
            let known = RESOURCES.iter().any(|(group, all)| *group == row.right.group && all.contains(&main));
            assert!(known, "{:?}", row.right);
        }
    }

    #[test]
    fn the_table_is_read() {
        const WHEN: [&str; 8] = [
            "",
            "leader-election",
            "distributed",
            "groups",
            "secrets",
            "topology",
            "wait-for-first-consumer",
            "pv-protection",
        ];
        let text = include_str!("../../data/component-rights.tsv");
        assert_eq!(table().count(), rows(text).count());
        let is_read = |cell: &str| cell.is_empty() || Version::parse(cell).is_some();
        for row in rows(text) {
            assert!(is_read(row[1]) && is_read(row[2]) && WHEN.contains(&row[3]), "{row:?}");
        }
    }

    #[test]
    fn verbs_follow_the_release() {
        let verbs = |component: Component, version: Option<Version>, resource: &str| -> Vec<&'static str> {
            let rows = table().filter(|row| row.component == component.name() && row.is_of(version));
            rows.filter(|row| row.right.resource == resource && row.when.is_empty())
                .flat_map(|row| row.right.verbs)
                .collect()
        };
        let contents = "volumesnapshotcontents";
        for (version, patch, update) in [
            (Some(Version::new(4, 2, 1)), false, true),
            (Some(Version::new(5, 0, 1)), true, true),
            (Some(Version::new(6, 0, 0)), true, false),
            (Some(Version::new(8, 6, 0)), true, false),
            (None, false, false),
        ] {
            let found = verbs(Component::CsiSnapshotter, version, contents);
            assert_eq!((found.contains(&"patch"), found.contains(&"update")), (patch, update), "{version:?}");
            assert!(found.contains(&"list"), "{version:?}");
        }
        assert!(!verbs(Component::SnapshotController, Some(Version::new(4, 2, 1)), contents).contains(&"patch"));
        assert!(verbs(Component::CsiProvisioner, Some(Version::new(5, 0, 0)), "persistentvolumes").contains(&"delete"));
    }
}
