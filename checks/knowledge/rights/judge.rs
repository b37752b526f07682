//! Whether RBAC grants a workload's `ServiceAccount` what its release needs.

use crate::knowledge::control_plane::leading::lease_namespace;
use crate::knowledge::control_plane::leases::is_fresh;
use crate::knowledge::control_plane::running::Running;
use crate::knowledge::rights::fix::fix;
use crate::knowledge::rights::needed::{Effect, Releases, Right, needed};
use crate::knowledge::rights::rbac::{Account, Rbac, Request};
use crate::knowledge::version::Component;
use crate::model::facts::Facts;
use crate::model::finding::{Evidence, Finding, Status};
use crate::model::rbac::RoleBinding;

/// One finding about the account of a workload; `None` if not all roles and bindings could be read.
pub(crate) fn judge(facts: &Facts, component: Component, running: &Running<'_>, drivers: &[String]) -> Option<Finding> {
    let rbac = Rbac::of(facts)?;
    let account = account(running);
    let place = running.place();
    let what = component.name();
    let seen = running.evidence("spec.template.spec.serviceAccountName", account.name);
    let denied_to = |releases| {
        let rights = needed(facts, component, running, drivers, releases)?;
        Some(denied(&rbac, account, rights))
    };
    let Some(denied) = denied_to(Releases::Its) else {
        let message = format!("which rights the {what} of {place} needs is not known: its release is too old");
        return Some(Finding::new(Status::Skip, message));
    };
    if !denied.is_empty() {
        return Some(not_granted(facts, &rbac, component, running, &denied).evidence(seen));
    }
    let version = component.version(&running.container.image);
    let by_all = version.is_some() || denied_to(Releases::All).is_some_and(|denied| denied.is_empty());
    // What RBAC does not grant, another authorizer may: everything counts as granted that all of them together allow.
    let who = if rbac.is_helped(account) { "RBAC with another authorizer grants" } else { "RBAC grants" };
    let (status, message) = match version {
        Some(version) => (Status::Pass, format!("{who} {what} {version} of {place} what it needs")),
        None if by_all => (Status::Pass, format!("{who} the {what} of {place} what any release needs")),
        None => (
            Status::Skip,
            format!("{who} the {what} of {place} what every release needs; its image names no version of upstream's"),
        ),
    };
    Some(Finding::new(status, message).evidence(seen))
}

/// The finding about the first of these workloads, if each of them lacks a right before which it does nothing, or can neither work nor
/// say why: its events are forbidden, too. `None` if one of them may work, would say what stops it, or cannot be judged.
pub(crate) fn silenced(
    facts: &Facts,
    component: Component,
    workloads: &[Running<'_>],
    drivers: &[String],
) -> Option<Finding> {
    let rbac = Rbac::of(facts)?;
    let judge = |running: &Running<'_>| {
        let denied = denied(&rbac, account(running), needed(facts, component, running, drivers, Releases::Its)?);
        let finding = is_silencing(&denied).then(|| not_granted(facts, &rbac, component, running, &denied))?;
        let seen = running.evidence("spec.template.spec.serviceAccountName", account(running).name);
        (finding.status == Status::Fail).then(|| finding.evidence(seen))
    };
    let all: Option<Vec<Finding>> = workloads.iter().map(judge).collect();
    all?.into_iter().next()
}

/// Whether a workload without these rights does not even say what it lacks. One whose right to list is taken away while it runs goes on
/// until its watch ends; then nobody who waits for it finds it silent. A volume that cannot be written down is written again and again,
/// without an event (kubernetes-sigs/sig-storage-lib-external-provisioner `controller/volume_store.go`).
fn is_silencing(denied: &[Right]) -> bool {
    let is_mute = denied.iter().any(|right| right.resource == "events");
    let is_silent = |right: &Right| {
        let is_silent =
            |verb: &&str| matches!((right.resource, *verb), (_, "list" | "watch") | ("persistentvolumes", "create"));
        right.resource == "leases" || right.verbs.iter().any(is_silent)
    };
    denied.iter().any(|right| right.effect > Effect::Degrades && (is_mute || is_silent(right)))
}

/// A finding that a workload has no leader, with what RBAC says of it. Where its account has no right on leases, that is the cause, and
/// the finding follows from that of `rights`, the check of rights.
pub(crate) fn why_no_leader(
    finding: Finding,
    facts: &Facts,
    component: Component,
    running: &Running<'_>,
    drivers: &[String],
    rights: (&str, Option<&str>),
) -> Finding {
    if finding.status != Status::Fail {
        return finding;
    }
    match may_lead(facts, component, running, drivers) {
        Some(false) => finding
            .cause(format!(
                "It does nothing before it has its lease, and RBAC does not grant {} get, create and update on leases in \
                 namespace {}.",
                account(running).user(),
                lease_namespace(running)
            ))
            .follows_from(rights.0, rights.1),
        Some(true) => finding.cause(
            "It does nothing before it has its lease. RBAC grants its ServiceAccount the rights for it, so what it waits for \
             before that, the driver or the CRDs, does not answer.",
        ),
        None => finding,
    }
}

/// Whether RBAC grants a workload's account what electing a leader takes; `None` if that is not known.
fn may_lead(facts: &Facts, component: Component, running: &Running<'_>, drivers: &[String]) -> Option<bool> {
    let rbac = Rbac::of(facts)?;
    let rights = needed(facts, component, running, drivers, Releases::Its)?;
    let leases: Vec<Right> = rights.into_iter().filter(|right| right.resource == "leases").collect();
    (!leases.is_empty()).then(|| denied(&rbac, account(running), leases).is_empty())
}

pub(super) fn account<'a>(running: &'a Running<'_>) -> Account<'a> {
    let name = running.spec.service_account_name.as_deref().filter(|name| !name.is_empty());
    Account { namespace: &running.namespace, name: name.unwrap_or("default") }
}

fn request<'a>(right: &'a Right, verb: &'a str) -> Request<'a> {
    let Right { group, resource, namespace, .. } = right;
    Request { verb, group, resource, namespace: namespace.as_deref(), objects: right.objects(verb) }
}

/// What RBAC does not grant of these rights: each with the verbs that are missing. The worst comes first.
pub(super) fn denied(rbac: &Rbac<'_>, account: Account<'_>, rights: Vec<Right>) -> Vec<Right> {
    let denied = rights.into_iter().filter_map(|right| {
        let is_denied = |verb: &&str| {
            let wanted = request(&right, verb);
            // Those about objects of the cluster lie in this namespace.
            let by_default =
                right.resource == "events" && rbac.allows(account, Request { namespace: Some("default"), ..wanted });
            !by_default && !rbac.allows(account, wanted)
        };
        let verbs: Vec<&'static str> = right.verbs.iter().copied().filter(is_denied).collect();
        (!verbs.is_empty()).then_some(Right { verbs, ..right })
    });
    let mut denied: Vec<Right> = denied.collect();
    denied.sort_by_key(|right| std::cmp::Reverse(right.effect));
    let mut merged: Vec<Right> = Vec::new();
    for one in denied {
        match merged.iter_mut().find(|known| known.is_about_the_same(&one)) {
            Some(known) => known.verbs.extend(one.verbs),
            None => merged.push(one),
        }
    }
    merged
}

/// Whether a workload renews a lease that RBAC does not let it write: then another authorizer grants what RBAC does not.
fn is_granted_otherwise(facts: &Facts, running: &Running<'_>, denied: &[Right]) -> bool {
    let leases = facts.leases.seen().map_or(&[][..], Vec::as_slice);
    let mut rights = denied.iter().filter(|right| right.resource == "leases");
    rights.any(|right| {
        leases.iter().any(|lease| {
            let holder = lease.spec.holder_identity.as_deref().unwrap_or_default();
            right.name.as_deref() == Some(lease.metadata.name.as_str())
                && right.namespace == lease.metadata.namespace
                && is_fresh(lease, facts)
                && running.pods.iter().any(|pod| holder.starts_with(&pod.metadata.name))
        })
    })
}

fn not_granted(
    facts: &Facts,
    rbac: &Rbac<'_>,
    component: Component,
    running: &Running<'_>,
    denied: &[Right],
) -> Finding {
    let account = account(running);
    let what = component.name();
    let place = running.place();
    let list = in_words(denied);
    if is_granted_otherwise(facts, running, denied) {
        let message = format!(
            "RBAC grants the {what} of {place} no {list}, but it renews its lease without: another authorizer may grant both"
        );
        return Finding::new(Status::Unknown, message);
    }
    let Some((first, verb)) = denied.first().and_then(|right| Some((right, *right.verbs.first()?))) else {
        return Finding::new(Status::Unknown, format!("the rights of {place}"));
    };
    let status = if first.effect == Effect::Degrades { Status::Warn } else { Status::Fail };
    let bindings: Vec<String> = rbac.bindings_of(account).map(with_role).collect();
    let bindings = if bindings.is_empty() { "none".to_owned() } else { bindings.join(", ") };
    let near = rbac.near_misses(account, request(first, verb)).next();
    let mut finding = Finding::new(status, format!("RBAC grants the {what} of {place} no {list}"))
        .evidence(Evidence::namespaced("ServiceAccount", account.namespace, account.name, "bindings", bindings));
    if let Some(binding) = near {
        finding = finding.evidence(missed(binding));
    }
    if rbac.answer(account, request(first, verb)) == Some(false) {
        let asked = format!("{verb} {}: denied", qualified(first));
        finding = finding.evidence(Evidence::cluster("SubjectAccessReview", &account.user(), "status.allowed", asked));
    }
    let near_miss = near.map_or_else(String::new, |binding| {
        format!(" {} grants it, but {}.", named(binding), misses(binding, account))
    });
    let cause = format!(
        "{}. The API server refuses: User \"{}\" cannot {verb} resource \"{}\" in API group \"{}\".{near_miss}",
        first.breaks,
        account.user(),
        first.resource,
        first.group
    );
    let makes_none = component == Component::SnapshotController && makes_no_content(denied);
    if first.effect == Effect::Strands && !makes_none {
        finding = finding.strands();
    }
    finding.cause(cause).fix(fix(component, account, denied))
}

/// Whether a snapshot-controller without these rights makes no contents. Then no finalizer keeps a snapshot: its own first one it takes
/// off again by an update, as it put it on.
fn makes_no_content(denied: &[Right]) -> bool {
    denied.iter().filter(|right| right.effect > Effect::Degrades).any(|right| {
        right.verbs.iter().any(|verb| {
            matches!(
                (right.resource, *verb),
                (_, "list" | "watch")
                    | ("leases", _)
                    | ("volumesnapshots" | "persistentvolumeclaims", "update")
                    | ("volumesnapshotcontents", "create")
                    | ("persistentvolumes", "get")
            )
        })
    })
}

/// `patch on volumesnapshotcontents.snapshot.storage.k8s.io; and 2 more`.
fn in_words(denied: &[Right]) -> String {
    const SHOWN: usize = 3;
    let shown = denied.iter().take(SHOWN).map(|right| {
        let place = right.namespace.as_ref().map_or_else(String::new, |namespace| format!(" in namespace {namespace}"));
        format!("{} on {}{place}", right.verbs.join(", "), qualified(right))
    });
    let shown = shown.collect::<Vec<_>>().join("; no ");
    if denied.len() > SHOWN { format!("{shown}; and {} more", denied.len() - SHOWN) } else { shown }
}

/// `volumesnapshotcontents/status.snapshot.storage.k8s.io` is nothing that kubectl knows: the subresource comes last.
fn qualified(right: &Right) -> String {
    let (main, subresource) = match right.resource.split_once('/') {
        Some((main, subresource)) => (main, format!("/{subresource}")),
        None => (right.resource, String::new()),
    };
    if right.group.is_empty() { format!("{main}{subresource}") } else { format!("{main}.{}{subresource}", right.group) }
}

fn named(binding: &RoleBinding) -> String {
    match &binding.metadata.namespace {
        Some(namespace) => format!("{} {namespace}/{}", binding.kind, binding.metadata.name),
        None => format!("{} {}", binding.kind, binding.metadata.name),
    }
}

/// The role is what somebody has to look at.
fn with_role(binding: &RoleBinding) -> String {
    format!("{} (to {} {})", named(binding), binding.role_ref.kind, binding.role_ref.name)
}

/// A binding that misses an account, as evidence.
fn missed(binding: &RoleBinding) -> Evidence {
    let subjects = binding.subjects.iter().map(|subject| match &subject.namespace {
        Some(namespace) => format!("{} {namespace}/{}", subject.kind, subject.name),
        None => format!("{} {}", subject.kind, subject.name),
    });
    Evidence {
        namespace: binding.metadata.namespace.clone(),
        ..Evidence::cluster(&binding.kind, &binding.metadata.name, "subjects", subjects.collect::<Vec<_>>().join(", "))
    }
}

fn misses(binding: &RoleBinding, account: Account<'_>) -> String {
    let elsewhere = binding.subjects.iter().find(|subject| {
        subject.kind == "ServiceAccount"
            && subject.name == account.name
            && subject.namespace.as_deref().or(binding.metadata.namespace.as_deref()) != Some(account.namespace)
    });
    match (elsewhere, &binding.metadata.namespace) {
        (Some(subject), _) => format!(
            "to {} of namespace {}, not to that of {}",
            subject.name,
            subject.namespace.as_deref().unwrap_or("(none)"),
            account.namespace
        ),
        (None, Some(namespace)) => format!("in namespace {namespace} alone"),
        (None, None) => "to somebody else".to_owned(),
    }
}
