//! The rights that a round trip takes: derived from what it does, so that what is asked for, what is granted and what is used
//! are one list.

use std::collections::{BTreeMap, BTreeSet};

use snapready_checks::model::need::Rule;
use snapready_checks::model::object::Kind;

use crate::facts::Right;
use crate::roundtrip::modes::{MODES, Shape};
use crate::roundtrip::program::{By, Object, Policy, Program};

/// What round trips do whose rights are asked for: those of every mode.
fn programs(own_namespace: bool) -> impl Iterator<Item = Program> {
    MODES.iter().map(move |mode| (mode.program)(Shape { own_namespace, immediate: false }))
}

/// The rights that a round trip takes in its namespace: on what it creates there, and on events.
///
/// Pods are neither executed in nor read the logs of, so there is no subresource.
#[must_use]
pub fn namespace_rules() -> Vec<Rule> {
    let mut kinds: BTreeSet<Kind> = BTreeSet::new();
    for program in programs(true) {
        let created = program.created().iter().filter_map(|id| program.object(*id)).map(|object| object.kind);
        kinds.extend(created.filter(|kind| kind.namespaced));
    }
    let mut rules = vec![Rule::new("", "events", &["list", "watch"])];
    rules.extend(
        kinds.iter().map(|kind| Rule::new(kind.group, kind.plural, &["create", "delete", "get", "list", "watch"])),
    );
    rules
}

/// The cluster-scoped kinds that a round trip has to do with, and whether it creates them.
fn cluster_kinds(own_namespace: bool) -> BTreeMap<Kind, bool> {
    let mut kinds = BTreeMap::new();
    for program in programs(own_namespace) {
        for object in program.objects().iter().filter(|object| !object.kind.namespaced) {
            let created = program.creates(object.id);
            // A namespace that is given is left alone.
            if created || object.maker().is_some() {
                *kinds.entry(object.kind).or_default() |= created;
            }
        }
    }
    kinds
}

/// The rights that a round trip takes on cluster-scoped resources: on what it creates, on what controllers make for it,
/// and on the classes.
#[must_use]
pub fn cluster_rules(own_namespace: bool) -> Vec<Rule> {
    let mut rules: Vec<Rule> = cluster_kinds(own_namespace)
        .into_iter()
        .map(|(kind, created)| {
            let verbs: &[&str] = if created { &["create", "delete", "get"] } else { &["get"] };
            Rule::new(kind.group, kind.plural, verbs)
        })
        .collect();
    rules.extend(
        [Kind::VOLUME_SNAPSHOT_CLASS, Kind::STORAGE_CLASS].map(|kind| Rule::new(kind.group, kind.plural, &["list"])),
    );
    rules
}

/// The rights that let a round trip see at once when a cluster-scoped object has changed or gone. Without them it looks
/// once a second instead, so nobody is asked whether they are granted.
#[must_use]
pub fn watch_rules(own_namespace: bool) -> Vec<Rule> {
    cluster_kinds(own_namespace).into_keys().map(|kind| Rule::new(kind.group, kind.plural, &["watch"])).collect()
}

/// The right that lets a round trip in a namespace that is given see what the quotas leave. Without it, it runs into them, so nobody
/// is asked whether it is granted.
#[must_use]
pub fn quota_rules() -> Vec<Rule> {
    vec![Rule::new("", "resourcequotas", &["list"])]
}

/// The rights that removing what a class with the policy `Retain` keeps takes. They let the caller change volumes and contents of
/// everybody, so they are granted only to whoever asks for them; without them what is retained is listed as left behind.
#[must_use]
pub fn retained_rules() -> Vec<Rule> {
    let rule = |object: &Object| match object.by {
        By::Controller { policy: Policy::Reclaim, .. } => Some((object.kind, &["patch"][..])),
        By::Controller { policy: Policy::Deletion, .. } => Some((object.kind, &["delete", "patch"][..])),
        By::Run => None,
    };
    let of_program = |program: Program| program.objects().iter().filter_map(rule).collect::<Vec<_>>();
    let kinds: BTreeMap<Kind, &[&str]> = programs(true).flat_map(of_program).collect();
    kinds.into_iter().map(|(kind, verbs)| Rule::new(kind.group, kind.plural, verbs)).collect()
}

/// The rights that finding cluster-scoped objects takes that an interrupted run has left behind; a round trip itself does
/// without.
#[must_use]
pub fn cleanup_rules() -> Vec<Rule> {
    let created = cluster_kinds(true).into_iter().filter(|(_, created)| *created);
    created.map(|(kind, _)| Rule::new(kind.group, kind.plural, &["list"])).collect()
}

/// The rights that the caller is asked about: those without which a round trip in `namespace` cannot take place.
#[must_use]
pub fn reviewed(namespace: &str, own_namespace: bool) -> Vec<Right> {
    let cluster = cluster_rules(own_namespace).into_iter().map(|rule| Right { rule, namespace: None });
    let within = namespace_rules().into_iter().map(|rule| Right { rule, namespace: Some(namespace.to_owned()) });
    cluster.chain(within).collect()
}
