//! What a second look at a cluster adds to the first: whether the control plane still runs, and whether its leases are
//! still renewed. Ages between two looks are measured by the clock of whoever looks, so the cluster's may differ from it.

use std::sync::Arc;
use std::time::Duration;

use crate::model::facts::Facts;
use crate::model::kubernetes::Lease;
use crate::model::need::Need;
use crate::model::probe::Probe;

/// What is read again while a round trip waits: the workloads of the control plane, the leases that they hold, what they are
/// allowed to do, and how drivers are registered.
pub const CONTROL_PLANE: [Need; 8] = [
    Need::Pods,
    Need::Workloads,
    Need::Leases,
    Need::Roles,
    Need::RoleBindings,
    Need::AccountReviews,
    Need::CsiDrivers,
    Need::CsiNodes,
];

/// The control plane in a look before the latest one.
#[derive(Debug, Clone, Default)]
pub struct Earlier(Facts);

impl Earlier {
    /// What was seen then: pods, workloads and leases, and nothing else.
    #[must_use]
    pub fn facts(&self) -> &Facts {
        &self.0
    }
}

impl Facts {
    /// Replaces the control plane by what a look shows `passed` later, and gives back what was known before. What could not
    /// be read again stays as it was.
    pub fn look_again(&mut self, latest: Facts, passed: Duration) -> Earlier {
        let mut earlier = Facts { collected_at: self.collected_at, ..Facts::default() };
        self.collected_at = latest.collected_at;
        earlier.pods = renew(&mut self.pods, latest.pods);
        earlier.workloads = renew(&mut self.workloads, latest.workloads);
        let mut leases = latest.leases;
        if let (Probe::Seen { value: leases }, Some(known)) = (&mut leases, self.leases.seen()) {
            for lease in Arc::make_mut(leases) {
                lease.unrenewed_for_ms = unrenewed_for(lease, known, passed);
            }
        }
        earlier.leases = renew(&mut self.leases, leases);
        renew(&mut self.roles, latest.roles);
        renew(&mut self.role_bindings, latest.role_bindings);
        renew(&mut self.csi_drivers, latest.csi_drivers);
        renew(&mut self.csi_nodes, latest.csi_nodes);
        // What is asked depends on what was read, of which this look has less: older answers stay behind the new ones.
        if let (Probe::Seen { value: reviews }, Some(known)) =
            (&mut self.account_reviews, latest.account_reviews.seen())
        {
            Arc::make_mut(reviews).splice(0..0, known.iter().cloned());
        }
        Earlier(earlier)
    }
}

fn renew<T: Clone>(known: &mut Probe<T>, latest: Probe<T>) -> Probe<T> {
    if latest.seen().is_some() { std::mem::replace(known, latest) } else { known.clone() }
}

fn unrenewed_for(lease: &Lease, known: &[Lease], passed: Duration) -> Option<u64> {
    let same = |other: &&Lease| {
        other.metadata.name == lease.metadata.name && other.metadata.namespace == lease.metadata.namespace
    };
    let before = known.iter().find(same).filter(|before| before.spec == lease.spec)?;
    let passed = u64::try_from(passed.as_millis()).unwrap_or(u64::MAX);
    Some(before.unrenewed_for_ms.unwrap_or_default().saturating_add(passed))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::kubernetes::{LeaseSpec, Metadata, Pod};

    fn lease(renewed: &str) -> Lease {
        Lease {
            metadata: Metadata { name: "l".to_owned(), namespace: Some("n".to_owned()), ..Metadata::default() },
            spec: LeaseSpec { renew_time: Some(renewed.parse().unwrap()), ..LeaseSpec::default() },
            unrenewed_for_ms: None,
        }
    }

    fn facts(renewed: &str) -> Facts {
        Facts { leases: Probe::from(vec![lease(renewed)]), ..Facts::default() }
    }

    fn age(facts: &Facts) -> Option<u64> {
        facts.leases.seen().unwrap()[0].unrenewed_for_ms
    }

    #[test]
    fn a_lease_that_nobody_renews_ages_by_the_own_clock() {
        let (early, late) = ("2026-01-01T00:00:00Z", "2026-01-01T00:00:05Z");
        let mut known = facts(early);
        known.look_again(facts(early), Duration::from_secs(6));
        assert_eq!(age(&known), Some(6_000));
        known.look_again(facts(early), Duration::from_millis(5_500));
        assert_eq!(age(&known), Some(11_500));
        known.look_again(facts(late), Duration::from_secs(5));
        assert_eq!(age(&known), None);
    }

    #[test]
    fn what_cannot_be_read_again_stays() {
        let pods = vec![Pod::default()];
        let mut known = Facts { pods: Probe::from(pods.clone()), ..Facts::default() };
        let latest = Facts { pods: Probe::Failed { reason: "no answer".to_owned() }, ..Facts::default() };
        let earlier = known.look_again(latest, Duration::from_secs(5));
        assert_eq!(known.pods.seen(), Some(&pods));
        assert_eq!(earlier.facts().pods.seen(), Some(&pods));
    }
}
