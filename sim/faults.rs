//! What goes wrong, as data: between a client and the API here, in the cluster in [`super::scenario`].

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Something that goes wrong with requests to the API. Which requests: verbs and resources; empty means any.
#[derive(Debug, Clone, Copy)]
pub struct Fault {
    /// Verbs as in RBAC: `get`, `list`, `watch`, `create`, `patch`, `delete`.
    pub verbs: &'static [&'static str],
    /// Resources in the plural, without their group; of subresources only the resource counts.
    pub resources: &'static [&'static str],
    /// Whether it meets dry runs as well, as what refuses a request does.
    pub dry_runs: bool,
    /// How many matching requests go well first.
    pub after: u32,
    /// How many matching requests it then meets.
    pub times: u32,
    /// What happens to them.
    pub effect: Effect,
}

/// What happens to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// RBAC forbids it: 403. Access reviews say so too, whatever `after` and `times` are.
    Forbidden,
    /// The client is not known: 401.
    Unauthorized,
    /// A quota is exceeded: 403. The text is what follows `exceeded quota: `.
    ExceededQuota(&'static str),
    /// It is refused: status, reason and message.
    Refused(u16, &'static str, &'static str),
    /// An admission webhook refuses it: the name of the webhook and its text.
    Denied(&'static str, &'static str),
    /// 429 with `Retry-After`, in seconds.
    TooManyRequests(u32),
    /// This 5xx code instead of the effect.
    Error(u16),
    /// The effect, and then this 5xx code.
    ErrorAfterEffect(u16),
    /// The connection breaks before there is an effect.
    Disconnect,
    /// The effect, and then the connection breaks.
    DisconnectAfterEffect,
    /// This 5xx code at once, and the effect so much later.
    LateEffect(u16, Duration),
    /// The right answer, so much later.
    Slow(Duration),
    /// The connection of a watch breaks after so much time.
    CutWatch(Duration),
}

impl Fault {
    /// What always happens to these verbs and resources.
    #[must_use]
    pub const fn always(verbs: &'static [&'static str], resources: &'static [&'static str], effect: Effect) -> Self {
        Self { verbs, resources, dry_runs: true, after: 0, times: u32::MAX, effect }
    }

    /// What happens once, to the first request with these verbs and resources.
    #[must_use]
    pub const fn once(verbs: &'static [&'static str], resources: &'static [&'static str], effect: Effect) -> Self {
        Self { verbs, resources, dry_runs: true, after: 0, times: 1, effect }
    }

    fn is_about(&self, verb: &str, resource: &str) -> bool {
        (self.verbs.is_empty() || self.verbs.contains(&verb))
            && (self.resources.is_empty() || self.resources.contains(&resource))
    }
}

/// The faults of a running cluster, and how often each has been met.
#[derive(Debug, Default)]
pub(super) struct Faults {
    list: Mutex<Vec<(Fault, u32)>>,
}

impl Faults {
    pub(super) fn new(faults: &[Fault]) -> Self {
        Self { list: Mutex::new(faults.iter().map(|fault| (*fault, 0)).collect()) }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<(Fault, u32)>> {
        self.list.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn add(&self, fault: Fault) {
        self.lock().push((fault, 0));
    }

    #[cfg(feature = "hooks")]
    pub(super) fn clear(&self) {
        self.lock().clear();
    }

    /// What happens to this request; counts it.
    pub(super) fn meet(&self, verb: &str, resource: &str, dry_run: bool) -> Option<Effect> {
        let mut met = None;
        let about = |(fault, _): &&mut (Fault, u32)| fault.is_about(verb, resource) && (fault.dry_runs || !dry_run);
        for (fault, count) in self.lock().iter_mut().filter(about) {
            *count = count.saturating_add(1);
            if met.is_none() && *count > fault.after && *count - fault.after <= fault.times {
                met = Some(fault.effect);
            }
        }
        met
    }

    /// Whether RBAC forbids it.
    pub(super) fn forbids(&self, verb: &str, resource: &str) -> bool {
        self.lock().iter().any(|(fault, _)| fault.effect == Effect::Forbidden && fault.is_about(verb, resource))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_meets_what_it_is_about_as_often_as_it_says() {
        let fault =
            Fault { dry_runs: false, after: 1, times: 2, ..Fault::once(&["create"], &["pods"], Effect::Error(500)) };
        let faults = Faults::new(&[fault]);
        assert_eq!(faults.meet("get", "pods", false), None);
        assert_eq!(faults.meet("create", "secrets", false), None);
        assert!((0..4).all(|_| faults.meet("create", "pods", true).is_none()));
        let met: Vec<_> = (0..4).map(|_| faults.meet("create", "pods", false).is_some()).collect();
        assert_eq!(met, [false, true, true, false]);
    }

    #[test]
    fn reviews_know_what_is_forbidden() {
        let faults = Faults::new(&[Fault::always(&["list"], &["leases"], Effect::Forbidden)]);
        assert!(faults.forbids("list", "leases"));
        assert!(!faults.forbids("get", "leases"));
    }
}
