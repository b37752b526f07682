//! Finding a driver's csi-snapshotter: visible as a container, proved by its lease, absent, or perhaps out of sight.

use crate::controller::find::{Presence, is_fresh, lease_evidence, ready_content, ready_evidence};
use crate::distribution::{Distribution, may_be_hidden};
use crate::drivers::registered::is_surely_unregistered;
use crate::model::facts::Facts;
use crate::model::kubernetes::{Container, Lease};
use crate::running::Running;
use crate::sidecars::mapping::{is_controller_part, is_csi_provisioner, is_csi_snapshotter, sanitised, sidecars};

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
    let name = format!("external-snapshotter-leader-{}", sanitised(driver));
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
    if let Some(distribution) = may_be_hidden(facts).filter(|known| *known != Distribution::Hosted) {
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

/// A visible workload that is part of a driver's controller.
pub fn controller_part_of<'a>(facts: &'a Facts, driver: &str) -> Option<Running<'a>> {
    sidecar_in_sight(facts, driver, is_controller_part)
}

/// The first visible sidecar of a kind that serves a driver.
pub fn sidecar_in_sight<'a>(facts: &'a Facts, driver: &str, matches: fn(&Container) -> bool) -> Option<Running<'a>> {
    sidecars(facts, matches).into_iter().find(|sidecar| sidecar.serves(driver)).map(|sidecar| sidecar.running)
}
