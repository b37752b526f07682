//! Whether a controller or sidecar that was told to elect a leader has one. Until it has, it does nothing at all; its pod is
//! ready all the same.

use jiff::{SignedDuration, Timestamp};

use crate::knowledge::control_plane::arguments::{is_on, value};
use crate::knowledge::control_plane::commands::log;
use crate::knowledge::control_plane::leases::{lease_evidence, lifetime};
use crate::knowledge::control_plane::running::Running;
use crate::model::command::kubectl;
use crate::model::facts::Facts;
use crate::model::finding::{Evidence, Finding, Fix, Status};
use crate::model::kubernetes::{Container, Lease};
use crate::text::names::is_object_name;

/// A leader has taken its lease by then: a candidate tries every 2 to 5 s, and a lease of one that died ends after 15 s.
const PATIENCE: SignedDuration = SignedDuration::from_mins(2);
/// A lease that is so much older than the newest of the others is not renewed any more. Somebody always renews some lease: they
/// are the clock of the cluster.
const LATE: SignedDuration = SignedDuration::from_mins(1);
/// By so much the clock of whoever asks may differ.
const CLOCKS: SignedDuration = SignedDuration::from_hours(1);

/// Whether a container was told to elect a leader by a lease.
pub(crate) fn elects(container: &Container) -> bool {
    let by_endpoints = value(container, "leader-election-type").is_some_and(|kind| kind != "leases");
    is_on(container, "leader-election") && !by_endpoints
}

/// The namespace of a workload's lease.
pub(crate) fn lease_namespace(running: &Running<'_>) -> String {
    // `$(NAMESPACE)` is its own: the value comes from the pod's field, which its specification does not show.
    let namespace = value(running.container, "leader-election-namespace").filter(|name| is_object_name(name));
    namespace.unwrap_or_else(|| running.namespace.clone())
}

/// What is known of the leader of a workload: nothing (`None`) if it elects none, or does not run. `is_its_lease` picks its
/// leases by their names, of which `wanted` is one in words.
pub(crate) fn leader(
    facts: &Facts,
    running: &Running<'_>,
    what: &str,
    wanted: &str,
    is_its_lease: impl Fn(&str) -> bool,
) -> Option<Finding> {
    let container = running.container;
    if !elects(container) || running.ready == 0 {
        return None;
    }
    let place = running.place();
    let Some(leases) = facts.leases.seen() else {
        return Some(Finding::new(
            Status::Unknown,
            format!("whether {place} has a leader: leases could not be listed"),
        ));
    };
    let namespace = lease_namespace(running);
    let namespace = namespace.as_str();
    let (own, others): (Vec<&Lease>, Vec<&Lease>) = leases.iter().partition(|lease| {
        lease.metadata.namespace.as_deref() == Some(namespace) && is_its_lease(&lease.metadata.name)
    });
    let newest = own.into_iter().max_by_key(|lease| lease.spec.renew_time);
    let others = others.into_iter().filter_map(|lease| lease.spec.renew_time).max();
    // Holders write the time of their nodes, of which one may be ahead.
    let now = others.map_or(facts.collected_at, |newest| newest.min(facts.collected_at));
    if let Some(lease) = newest
        && is_held(lease, now, LATE)
    {
        let agrees = is_held(lease, facts.collected_at, CLOCKS);
        let status = if agrees { Status::Pass } else { Status::Unknown };
        let message = if agrees { place } else { format!("the lease of {place} is old, or the clocks differ") };
        return Some(Finding::new(status, message).evidence(lease_evidence(lease)));
    }
    let ready = running.statuses().filter(|(_, status)| status.ready);
    let since = ready.filter_map(|(_, status)| status.state.running.as_ref()?.started_at).min();
    // The newest renewal is some seconds old.
    let Some(age) = since.map(|since| now.duration_since(since).max(SignedDuration::ZERO)) else {
        return Some(Finding::new(Status::Unknown, format!("{place} has no leader; how long it has run is not known")));
    };
    if age < PATIENCE {
        return Some(Finding::new(
            Status::Unknown,
            format!("{place} has no leader yet; it has run for {} s", age.as_secs()),
        ));
    }
    // It may have led for a while.
    let renewed = newest.and_then(|lease| lease.spec.renew_time);
    let idle = renewed.map_or(age, |renewed| age.min(now.duration_since(renewed)));
    Some(no_leader(running, what, idle, newest, namespace, wanted))
}

fn no_leader(
    running: &Running<'_>,
    what: &str,
    idle: SignedDuration,
    stale: Option<&Lease>,
    namespace: &str,
    wanted: &str,
) -> Finding {
    let evidence = stale.map_or_else(
        || Evidence::namespaced("Lease", namespace, wanted, "metadata.name", "does not exist"),
        lease_evidence,
    );
    let place = running.place();
    let fix =
        Fix::text("Read its log, and give its ServiceAccount get, create and update on leases in that namespace.");
    let account = running.spec.service_account_name.as_deref().unwrap_or("default");
    let names = [namespace, running.namespace.as_str(), account];
    let may_it = names.into_iter().all(is_object_name).then(|| {
        let account = format!("system:serviceaccount:{}:{account}", running.namespace);
        kubectl("auth can-i create leases.coordination.k8s.io -n").word(namespace).words("--as").word(account)
    });
    Finding::new(Status::Fail, format!("the {what} of {place} has elected no leader for {}", in_words(idle)))
        .evidence(evidence)
        .evidence(running.evidence("spec.template.spec.containers[].args", running.container.args.join(" ")))
        .cause(
            "It does nothing before it has its lease. Its ServiceAccount has no right on leases there, or what it waits for \
             before that, the driver or the CRDs, does not answer.",
        )
        .fix(fix.commands(may_it).commands(log(running)))
}

/// Whether a lease has a holder who renews it, not later than this.
fn is_held(lease: &Lease, now: Timestamp, late: SignedDuration) -> bool {
    let ends = SignedDuration::from_secs(lifetime(lease)) + late;
    let has_holder = lease.spec.holder_identity.as_deref().is_some_and(|holder| !holder.is_empty());
    has_holder && lease.spec.renew_time.is_some_and(|renewed| now.duration_since(renewed) <= ends)
}

fn in_words(age: SignedDuration) -> String {
    match age.as_mins() {
        mins if mins < 120 => format!("{mins} min"),
        mins if mins < 48 * 60 => format!("{} h", mins / 60),
        mins => format!("{} days", mins / 60 / 24),
    }
}
