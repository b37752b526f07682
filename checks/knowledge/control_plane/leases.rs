//! The leases of the control plane: what they are called, and whether their holders live.

use jiff::SignedDuration;

use crate::model::facts::Facts;
use crate::model::finding::Evidence;
use crate::model::kubernetes::Lease;

/// The lease of snapshot-controllers, in the namespace of each.
pub const CONTROLLER_LEASE: &str = "snapshot-controller-leader";

/// What the name of a csi-snapshotter's lease begins with; its driver's name follows.
pub const SNAPSHOTTER_LEASE: &str = "external-snapshotter-leader-";

/// The lease of a driver's csi-snapshotters.
#[must_use]
pub fn snapshotter_lease(driver: &str) -> String {
    format!("{SNAPSHOTTER_LEASE}{}", sanitised(driver))
}

/// A driver's name as it stands in the names of leases (csi-lib-utils). It cannot be read back.
#[must_use]
pub fn sanitised(driver: &str) -> String {
    let mut name: String = driver.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    if name.ends_with('-') {
        name.push('X');
    }
    name
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

/// Whether nobody has renewed a lease for longer than it lives, as somebody saw who read it more than once.
#[must_use]
pub fn has_lapsed(lease: &Lease) -> bool {
    lease.unrenewed_for_ms.is_some_and(|age| age >= lifetime(lease).unsigned_abs() * 1_000 + RENEWAL)
}

/// Longer than this after its end, in milliseconds, nobody renews a lease: leaders try every 2 s (client-go's `RetryPeriod`; 5 s in
/// csi-lib-utils), and give up leading 5 s before the lease ends (`RenewDeadline`).
const RENEWAL: u64 = 2_000;

/// How long a renewal counts, in seconds.
pub(crate) fn lifetime(lease: &Lease) -> i64 {
    lease.spec.lease_duration_seconds.unwrap_or(15).clamp(0, 3600)
}

/// The lease as evidence.
pub(crate) fn lease_evidence(lease: &Lease) -> Evidence {
    let namespace = lease.metadata.namespace.as_deref().unwrap_or_default();
    let renewed = lease.spec.renew_time.map_or_else(|| "never".to_owned(), |time| time.to_string());
    Evidence::namespaced("Lease", namespace, &lease.metadata.name, "spec.renewTime", renewed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leases_are_named_as_csi_lib_utils_names_them() {
        assert_eq!(sanitised("ebs.csi.aws.com"), "ebs-csi-aws-com");
        assert_eq!(sanitised("odd_name."), "odd-name-X");
        assert_eq!(sanitised("HX-CSI"), "HX-CSI");
    }
}
