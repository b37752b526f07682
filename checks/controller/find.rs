//! Finding the snapshot-controller: visible as a workload, proved by its lease, absent, or perhaps out of sight.

use jiff::SignedDuration;

use crate::distribution::{Distribution, may_be_hidden};
use crate::model::facts::Facts;
use crate::model::finding::Evidence;
use crate::model::interest::Interest;
use crate::model::kubernetes::{Container, Lease, VolumeSnapshotContent};
use crate::running::{Running, image_name, running};

/// The lease of snapshot-controllers, in the namespace of each.
pub const CONTROLLER_LEASE: &str = "snapshot-controller-leader";

/// What is read of pods here, and so kept of them.
pub const INTEREST: Interest = Interest { words: &["snapshot"], host_paths: &[], variables: &[], flags: &[] };

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

/// Whether a container is a snapshot-controller. `OpenShift`'s images are digests of one repository, so the names count
/// as much as the images.
#[must_use]
pub fn is_snapshot_controller(container: &Container) -> bool {
    const NAMES: [&str; 4] =
        ["snapshot-controller", "volume-snapshot-controller", "csi-snapshot-controller", "rke2-snapshot-controller"];
    let image = image_name(&container.image);
    // OpenShift's operator runs another binary; its name contains the controller's.
    let is_operator = image.contains("operator") || container.name.contains("operator");
    !is_operator
        && !works_elsewhere(container)
        && (image.contains("snapshot-controller") || NAMES.contains(&container.name.as_str()))
}

/// Whether a container works on another cluster, as in the clusters that host control planes: one that works on its own
/// takes its pod's service account and no kubeconfig.
pub(crate) fn works_elsewhere(container: &Container) -> bool {
    let mut words = container.command.iter().chain(&container.args);
    words.any(|word| word.trim_start_matches('-').starts_with("kubeconfig"))
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
    let distribution = may_be_hidden(facts);
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

/// The lease as evidence.
pub(crate) fn lease_evidence(lease: &Lease) -> Evidence {
    let namespace = lease.metadata.namespace.as_deref().unwrap_or_default();
    let renewed = lease.spec.renew_time.map_or_else(|| "never".to_owned(), |time| time.to_string());
    Evidence::namespaced("Lease", namespace, &lease.metadata.name, "spec.renewTime", renewed)
}

/// Longer than this after its end, in milliseconds, nobody renews a lease: leaders try every 2 s (client-go's `RetryPeriod`; 5 s in
/// csi-lib-utils), and give up leading 5 s before the lease ends (`RenewDeadline`).
const RENEWAL: u64 = 2_000;

/// Whether nobody has renewed a lease for longer than it lives, as somebody saw who read it more than once.
#[must_use]
pub fn has_lapsed(lease: &Lease) -> bool {
    lease.unrenewed_for_ms.is_some_and(|age| age >= lifetime(lease).unsigned_abs() * 1_000 + RENEWAL)
}

/// How long a renewal counts, in seconds.
fn lifetime(lease: &Lease) -> i64 {
    lease.spec.lease_duration_seconds.unwrap_or(15).clamp(0, 3600)
}

/// Whether a lease had a living holder when the facts were collected. A minute is allowed for differing clocks, unless it
/// was read more than once.
#[must_use]
pub fn is_fresh(lease: &Lease, facts: &Facts) -> bool {
    let Some(renewed) = lease.spec.renew_time else {
        return false;
    };
    if lease.spec.holder_identity.as_deref().unwrap_or_default().is_empty() {
        return false;
    }
    !has_lapsed(lease) && facts.collected_at.duration_since(renewed) <= SignedDuration::from_secs(lifetime(lease) + 60)
}

/// A content that became ready, and so proves that a controller and its driver's sidecar worked then. A content that
/// somebody made by hand for an existing snapshot counts as well: a sidecar made it ready.
pub(crate) fn ready_content<'a>(facts: &'a Facts, driver: Option<&str>) -> Option<&'a VolumeSnapshotContent> {
    facts.volume_snapshot_contents.seen().into_iter().flatten().find(|content| {
        driver.is_none_or(|driver| content.spec.driver == driver)
            && content.status.ready_to_use == Some(true)
            && content.status.snapshot_handle.is_some()
    })
}

/// A ready content as evidence.
pub(crate) fn ready_evidence(content: &VolumeSnapshotContent) -> Evidence {
    Evidence::cluster("VolumeSnapshotContent", &content.metadata.name, "status.readyToUse", "true")
}
