//! The rights that a round trip takes: derived from what it does, so that what is asked for, what is granted and what is used
//! are one list.

use std::collections::{BTreeMap, BTreeSet};

use snapready_checks::model::need::Rule;
use snapready_checks::model::object::{GROUP_SNAPSHOT_GROUP, Kind};

use crate::facts::Right;
use crate::roundtrip::existing::{Given, Reference};
use crate::roundtrip::modes::{MODES, Mode, Shape, plain};
use crate::roundtrip::program::{Act, By, Object, Policy, Program};

/// What round trips in these modes do, and in the plain one.
fn programs(modes: &[&'static Mode], own_namespace: bool) -> impl Iterator<Item = Program> {
    let modes = std::iter::once(&plain::MODE).chain(modes.iter().copied());
    modes.map(move |mode| (mode.program)(Shape { own_namespace, immediate: false }))
}

/// The rights that a round trip takes in its namespace: on what it creates there, and on events.
///
/// Pods are neither executed in nor read the logs of, so there is no subresource.
#[must_use]
pub fn namespace_rules(modes: &[&'static Mode]) -> Vec<Rule> {
    within(programs(modes, true))
}

fn within(programs: impl Iterator<Item = Program>) -> Vec<Rule> {
    let mut kinds: BTreeSet<Kind> = BTreeSet::new();
    for program in programs {
        let created = program.created().iter().filter_map(|id| program.object(*id)).map(|object| object.kind);
        kinds.extend(created.filter(|kind| kind.namespaced));
    }
    let mut rules = vec![Rule::new("", "events", &["list", "watch"])];
    rules.extend(
        kinds.iter().map(|kind| Rule::new(kind.group, kind.plural, &["create", "delete", "get", "list", "watch"])),
    );
    rules
}

/// What round trips do with the objects of a cluster-scoped kind, apart from reading them.
#[derive(Debug, Clone, Copy, Default)]
struct Does {
    create: bool,
    delete: bool,
    patch: bool,
}

/// The cluster-scoped kinds that a round trip has to do with, and what it does with them.
fn cluster_kinds(programs: impl Iterator<Item = Program>) -> BTreeMap<Kind, Does> {
    let mut kinds: BTreeMap<Kind, Does> = BTreeMap::new();
    for program in programs {
        for object in program.objects().iter().filter(|object| !object.kind.namespaced) {
            let created = program.creates(object.id);
            // A namespace that is given is left alone.
            if created || object.maker().is_some() {
                let acts = |act: Act| program.acts().iter().any(|(_, other)| *other == act);
                let does = kinds.entry(object.kind).or_default();
                does.create |= created;
                does.delete |= created || acts(Act::Remove(object.id)) || acts(Act::Delete(object.id));
                does.patch |= acts(Act::TakeOver(object.id));
            }
        }
    }
    kinds
}

/// The rights that a round trip takes on cluster-scoped resources: on what it creates, on what controllers make for it,
/// and on the classes.
#[must_use]
pub fn cluster_rules(modes: &[&'static Mode], own_namespace: bool) -> Vec<Rule> {
    of_cluster(cluster_kinds(programs(modes, own_namespace)))
}

fn of_cluster(kinds: BTreeMap<Kind, Does>) -> Vec<Rule> {
    let mut rules: Vec<Rule> = kinds
        .into_iter()
        .map(|(kind, Does { create, delete, patch })| {
            let all = [(create, "create"), (delete, "delete"), (true, "get"), (patch, "patch")];
            let verbs: Vec<&str> = all.into_iter().filter(|(does, _)| *does).map(|(_, verb)| verb).collect();
            Rule::new(kind.group, kind.plural, &verbs)
        })
        .collect();
    let takes_group = rules.iter().any(|rule| rule.group == GROUP_SNAPSHOT_GROUP);
    let classes = [Kind::VOLUME_SNAPSHOT_CLASS, Kind::STORAGE_CLASS].into_iter();
    let classes = classes.chain(takes_group.then_some(Kind::VOLUME_GROUP_SNAPSHOT_CLASS));
    rules.extend(classes.map(|kind| Rule::new(kind.group, kind.plural, &["list"])));
    rules
}

/// The rights that let a round trip see at once when a cluster-scoped object has changed or gone. Without them it looks
/// once a second instead, so nobody is asked whether they are granted.
#[must_use]
pub fn watch_rules(modes: &[&'static Mode], own_namespace: bool) -> Vec<Rule> {
    let kinds = cluster_kinds(programs(modes, own_namespace)).into_keys();
    // A group goes when its content has gone, so that is not waited for.
    let kinds = kinds.filter(|kind| *kind != Kind::VOLUME_GROUP_SNAPSHOT_CONTENT);
    kinds.map(|kind| Rule::new(kind.group, kind.plural, &["watch"])).collect()
}

/// The right that lets a round trip in a namespace that is given see what the quotas leave. Without it, it runs into them, so nobody
/// is asked whether it is granted.
#[must_use]
pub fn quota_rules() -> Vec<Rule> {
    vec![Rule::new(Kind::RESOURCE_QUOTA.group, Kind::RESOURCE_QUOTA.plural, &["list"])]
}

/// The rights that removing what a class with the policy `Retain` keeps takes, and finding it after a run that was interrupted. They let the caller change volumes and contents of
/// everybody, so they are granted only to whoever asks for them; without them what is retained is listed as left behind.
#[must_use]
pub fn retained_rules() -> Vec<Rule> {
    retained(programs(MODES, true))
}

fn retained(programs: impl Iterator<Item = Program>) -> Vec<Rule> {
    let rule = |object: &Object| match object.by {
        By::Controller { policy: Policy::Reclaim, .. } => Some((object.kind, &["patch"][..])),
        By::Controller { policy: Policy::Deletion, .. } => Some((object.kind, &["delete", "list", "patch"][..])),
        By::Run | By::Group { .. } => None,
    };
    let of_program = |program: Program| program.objects().iter().filter_map(rule).collect::<Vec<_>>();
    let kinds: BTreeMap<Kind, &[&str]> = programs.flat_map(of_program).collect();
    kinds.into_iter().map(|(kind, verbs)| Rule::new(kind.group, kind.plural, verbs)).collect()
}

/// The rights that finding cluster-scoped objects takes that an interrupted run has left behind; a round trip itself does
/// without.
#[must_use]
pub fn cleanup_rules(modes: &[&'static Mode], own_namespace: bool) -> Vec<Rule> {
    let created = cluster_kinds(programs(modes, own_namespace)).into_iter().filter(|(_, does)| does.create);
    created.map(|(kind, _)| Rule::new(kind.group, kind.plural, &["list"])).collect()
}

/// The rights that the caller is asked about: those without which a round trip in `namespace` cannot take place.
#[must_use]
pub fn reviewed(modes: &[&'static Mode], namespace: &str, own_namespace: bool) -> Vec<Right> {
    let cluster = cluster_rules(modes, own_namespace).into_iter().map(|rule| Right { rule, namespace: None });
    let within = namespace_rules(modes).into_iter().map(|rule| Right { rule, namespace: Some(namespace.to_owned()) });
    cluster.chain(within).collect()
}

/// The rights that a restore of what exists takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfExisting {
    /// In its namespace.
    pub within: Vec<Rule>,
    /// In the cluster.
    pub cluster: Vec<Rule>,
    /// See [`watch_rules`].
    pub watch: Vec<Rule>,
    /// See [`retained_rules`].
    pub retained: Vec<Rule>,
}

/// The rights that restoring what exists takes: on what the run creates, and to read what it restores from.
#[must_use]
pub fn of_existing(given: Given) -> OfExisting {
    let program = || std::iter::once((given.mode().program)(Shape { own_namespace: false, immediate: false }));
    let kinds = cluster_kinds(program());
    let get = |kind: Kind| Rule::new(kind.group, kind.plural, &["get"]);
    // A claim's volume is of a kind that the run's own claim has as well.
    let (near, far): (&[Kind], &[Kind]) = match given {
        Given::Claim => (&[Kind::PERSISTENT_VOLUME_CLAIM], &[Kind::PERSISTENT_VOLUME]),
        Given::Snapshot => (&[Kind::VOLUME_SNAPSHOT, Kind::PERSISTENT_VOLUME_CLAIM], &[Kind::VOLUME_SNAPSHOT_CONTENT]),
    };
    OfExisting {
        within: within(program()).into_iter().chain(near.iter().copied().map(get)).collect(),
        watch: kinds.keys().map(|kind| Rule::new(kind.group, kind.plural, &["watch"])).collect(),
        cluster: of_cluster(kinds).into_iter().chain(far.iter().copied().map(get)).collect(),
        retained: retained(program()),
    }
}

/// The rights that the caller is asked about before what exists is restored.
#[must_use]
pub fn reviewed_of_existing(reference: &Reference) -> Vec<Right> {
    let rights = of_existing(reference.given);
    let cluster = rights.cluster.into_iter().map(|rule| Right { rule, namespace: None });
    let namespace = || Some(reference.named.namespace.clone());
    cluster.chain(rights.within.into_iter().map(|rule| Right { rule, namespace: namespace() })).collect()
}
