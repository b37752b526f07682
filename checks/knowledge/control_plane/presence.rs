//! Whether the snapshot-controller and a driver's csi-snapshotter are there: visible as a workload, proved by a lease,
//! absent, or perhaps out of sight.

use crate::knowledge::control_plane::containers::{is_csi_provisioner, is_csi_snapshotter, is_snapshot_controller};
use crate::knowledge::control_plane::distribution::{Distribution, may_be_hidden};
use crate::knowledge::control_plane::leases::{CONTROLLER_LEASE, is_fresh, lease_evidence, snapshotter_lease};
use crate::knowledge::control_plane::running::{Running, running};
use crate::knowledge::control_plane::sidecars::{controller_part_of, is_nowhere_in_sight, sidecar_in_sight, sidecars};
use crate::knowledge::drivers::registered::is_surely_unregistered;
use crate::model::facts::Facts;
use crate::model::finding::Evidence;
use crate::model::kubernetes::{Lease, VolumeSnapshotContent};

/// Whether something that snapshots need runs.
#[derive(Debug, Clone)]
pub enum Presence<'a> {
    /// It is there; whether it is ready, the installations tell.
    Present {
        /// The workloads that run it; empty if it is out of sight and only `proof` speaks for it.
        installations: Vec<Running<'a>>,
        /// What shows that it is there.
        proof: Evidence,
    },
    /// It is not there, for certain.
    Absent {
        /// Why that is certain.
        because: String,
        /// What shows it, if an object does.
        evidence: Option<Evidence>,
    },
    /// It cannot be told.
    Unknown {
        /// Why not.
        why: String,
    },
}

impl<'a> Presence<'a> {
    /// The workloads that run it, as far as visible.
    #[must_use]
    pub fn installations(&self) -> &[Running<'a>] {
        match self {
            Self::Present { installations, .. } => installations,
            Self::Absent { .. } | Self::Unknown { .. } => &[],
        }
    }
}

/// Whether a snapshot-controller runs.
pub fn snapshot_controllers(facts: &Facts) -> Presence<'_> {
    let installations = running(facts, is_snapshot_controller);
    if let Some(first) = installations.first() {
        let proof = first.evidence("spec.template.spec.containers", &first.container.image);
        return Presence::Present { installations, proof };
    }
    let leases = || facts.leases.seen().into_iter().flatten().filter(|lease| lease.metadata.name == CONTROLLER_LEASE);
    if let Some(lease) = leases().find(|lease| is_fresh(lease, facts)) {
        return Presence::Present { installations, proof: lease_evidence(lease) };
    }
    if facts.pods.seen().is_none() {
        return Presence::Unknown { why: "pods could not be listed".to_owned() };
    }
    let proof = ready_content(facts, None);
    let distribution = may_be_hidden(facts).filter(|distribution| distribution.may_hide_snapshot_controller());
    if let Some(known) = distribution.filter(|distribution| *distribution != Distribution::Hosted) {
        return match proof {
            Some(content) => Presence::Present { installations, proof: ready_evidence(content) },
            None => Presence::Unknown {
                why: format!("{known} may run it out of sight, and no snapshot that became ready proves it"),
            },
        };
    }
    if let Some(lease) = leases().next() {
        return Presence::Absent {
            because: "no container runs it, and its lease is no longer renewed".to_owned(),
            evidence: Some(lease_evidence(lease)),
        };
    }
    match (proof, distribution) {
        (Some(content), _) => Presence::Unknown {
            why: format!(
                "VolumeSnapshotContent {} became ready, so it runs out of sight, or was removed since",
                content.metadata.name
            ),
        },
        (None, Some(hosted)) => Presence::Unknown {
            why: format!("{hosted} may run it out of sight, as it does with the drivers' controllers"),
        },
        (None, None) => {
            Presence::Absent { because: "no container of any namespace runs it".to_owned(), evidence: None }
        }
    }
}

/// Whether a csi-snapshotter runs for a driver.
pub fn sidecar_of<'a>(facts: &'a Facts, driver: &str) -> Presence<'a> {
    let (own, others): (Vec<_>, Vec<_>) =
        sidecars(facts, is_csi_snapshotter).into_iter().partition(|sidecar| sidecar.serves(driver));
    let unmapped = others.iter().find(|sidecar| sidecar.drivers.is_empty()).map(|sidecar| sidecar.running.place());
    let installations: Vec<Running<'a>> = own.into_iter().map(|sidecar| sidecar.running).collect();
    if let Some(first) = installations.first() {
        let proof = first.evidence("spec.template.spec.containers", &first.container.image);
        return Presence::Present { installations, proof };
    }
    let name = snapshotter_lease(driver);
    let leases = || facts.leases.seen().into_iter().flatten().filter(|lease| lease.metadata.name == name);
    if let Some(lease) = leases().find(|lease| is_fresh(lease, facts)) {
        // A lease outlives its holder for a while.
        return match controller_part_of(facts, driver) {
            Some(part) if !is_held_by_a_visible_pod(lease, facts) => Presence::Unknown {
                why: format!(
                    "the driver's controller runs in {} without it, but a moment ago somebody renewed its lease",
                    part.place()
                ),
            },
            Some(_) | None => Presence::Present { installations, proof: lease_evidence(lease) },
        };
    }
    if facts.pods.seen().is_none() {
        return Presence::Unknown { why: "pods could not be listed".to_owned() };
    }
    if let Some(place) = unmapped {
        return Presence::Unknown {
            why: format!("which driver the csi-snapshotter of {place} belongs to cannot be told"),
        };
    }
    if let Some(part) = controller_part_of(facts, driver) {
        return Presence::Absent {
            because: format!("the driver's controller runs in {} without it", part.place()),
            evidence: Some(part.evidence("spec.template.spec.containers", containers(&part))),
        };
    }
    let hidden = |known: &Distribution| *known != Distribution::Hosted && known.may_hide_controller_of(driver);
    if let Some(distribution) = may_be_hidden(facts).filter(hidden) {
        return match ready_content(facts, Some(driver)) {
            Some(content) => Presence::Present { installations, proof: ready_evidence(content) },
            None => Presence::Unknown {
                why: format!("{distribution} may run it out of sight, and no snapshot that became ready proves it"),
            },
        };
    }
    if let Some(lease) = leases().next() {
        return Presence::Absent {
            because: "no container runs it, and its lease is no longer renewed".to_owned(),
            evidence: Some(lease_evidence(lease)),
        };
    }
    if is_surely_unregistered(facts, driver) {
        return Presence::Absent { because: "the driver is not installed".to_owned(), evidence: None };
    }
    Presence::Unknown { why: "no part of the driver's controller is visible: it may run out of sight".to_owned() }
}

/// Whether a driver that was installed certainly runs nowhere: nothing of it is in sight, and no distribution keeps controllers
/// out of sight here. A driver that works for nobody makes a cluster look hosted.
#[must_use]
pub fn runs_nowhere(facts: &Facts, driver: &str) -> bool {
    let hidden = |known: &Distribution| *known != Distribution::Hosted && known.may_hide_controller_of(driver);
    !may_be_hidden(facts).is_some_and(|known| hidden(&known)) && is_nowhere_in_sight(facts, driver)
}

/// The holder's identity is its pod's name, with more behind it in some releases.
fn is_held_by_a_visible_pod(lease: &Lease, facts: &Facts) -> bool {
    let holder = lease.spec.holder_identity.as_deref().unwrap_or_default();
    facts.pods.seen().into_iter().flatten().any(|pod| holder.starts_with(&pod.metadata.name))
}

/// The visible part of a driver's controller, if it is certain that it runs without a csi-provisioner.
pub fn without_provisioner<'a>(facts: &'a Facts, driver: &str) -> Option<Running<'a>> {
    let mut provisioners = sidecars(facts, is_csi_provisioner).into_iter();
    if provisioners.any(|sidecar| sidecar.drivers.is_empty() || sidecar.serves(driver)) {
        return None;
    }
    controller_part_of(facts, driver).or_else(|| sidecar_in_sight(facts, driver, is_csi_snapshotter))
}

fn containers(running: &Running<'_>) -> String {
    running.spec.containers.iter().map(|container| container.name.as_str()).collect::<Vec<_>>().join(", ")
}

/// A content that became ready, and so proves that a controller and its driver's sidecar worked then. A content that
/// somebody made by hand for an existing snapshot counts as well: a sidecar made it ready.
fn ready_content<'a>(facts: &'a Facts, driver: Option<&str>) -> Option<&'a VolumeSnapshotContent> {
    facts.volume_snapshot_contents.seen().into_iter().flatten().find(|content| {
        driver.is_none_or(|driver| content.spec.driver == driver)
            && content.status.ready_to_use == Some(true)
            && content.status.snapshot_handle.is_some()
    })
}

/// A ready content as evidence.
fn ready_evidence(content: &VolumeSnapshotContent) -> Evidence {
    Evidence::cluster("VolumeSnapshotContent", &content.metadata.name, "status.readyToUse", "true")
}
