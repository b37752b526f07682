//! What a run left, as a program: the objects that were found, and in which order they go. Objects of a mode that is known
//! have the order of that mode. Of others, those of a later version say, the kind tells enough.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::Value;
use snapready_checks::model::object::Kind;

use super::find::{self, Found};
use crate::api::Place;
use crate::model::StepId;
use crate::roundtrip::kinds::{COMPONENT_LABEL, GROUP_LABEL, TARGET_LABEL};
use crate::roundtrip::ledger::{Item, Uid};
use crate::roundtrip::machine::Machine;
use crate::roundtrip::modes::{Mode, Shape};
use crate::roundtrip::observe::{label, text};
use crate::roundtrip::program::{Act, By, Lies, Object, ObjectId, Policy, Program, Task};

/// What a run left.
pub(super) struct Remains {
    pub(super) run: String,
    pub(super) program: Program,
    pub(super) machine: Machine,
    pub(super) places: BTreeMap<Item, Place>,
    pub(super) objects: BTreeMap<Item, Value>,
    /// What is too much for one clean-up.
    pub(super) too_many: Vec<Place>,
}

/// So many objects a program can have; the rest is for controllers' objects.
const MOST: usize = u16::MAX as usize / 5;

impl Remains {
    pub(super) fn new(run: &str, mut found: Vec<Found>) -> Self {
        let too_many = found.split_off(found.len().min(MOST)).into_iter().map(|found| found.place).collect();
        // What a program creates first stands first.
        found.sort_by_key(|found| std::cmp::Reverse(rank(found)));
        let program = program(&found);
        let mut places = BTreeMap::new();
        let mut objects = BTreeMap::new();
        let mut uids = Vec::new();
        for (number, found) in found.into_iter().enumerate() {
            let item = program.item(0, id(number));
            uids.push((item, Uid::from(found.uid.as_str())));
            places.insert(item, found.place);
            objects.insert(item, found.object);
        }
        let machine = Machine::resume(vec![program.clone()], uids);
        Self { run: run.to_owned(), program, machine, places, objects, too_many }
    }
}

fn id(number: usize) -> ObjectId {
    ObjectId::new(u16::try_from(number).unwrap_or(u16::MAX))
}

/// The program: each found object at its place, then a namespace that stands for all that are not the run's own, then what
/// controllers made.
fn program(found: &[Found]) -> Program {
    let elsewhere = id(found.len());
    let mut objects: Vec<Object> = found
        .iter()
        .enumerate()
        .map(|(number, of)| {
            let space = |name: &str| {
                let own = |other: &Found| other.place.kind == Kind::NAMESPACE && other.place.name == name;
                found.iter().position(own).map_or(elsewhere, id)
            };
            Object {
                id: id(number),
                word: "found",
                kind: of.place.kind,
                lies: of.place.namespace.as_deref().map_or(Lies::Cluster, |name| Lies::In(space(name))),
                by: By::Run,
                task: Task::Exist,
                data: 0,
                needs: Cow::Owned(needs(found, of)),
                shared: of.place.kind == Kind::NAMESPACE,
            }
        })
        .collect();
    objects.push(Object::space(elsewhere, "elsewhere"));
    for (number, of) in found.iter().enumerate() {
        let next = id(objects.len());
        // One that was taken over was found by itself.
        let has_found = |content: &Found| text(&content.object, "/spec/volumeSnapshotRef/uid") == Some(&of.uid);
        let given = text(&of.object, "/spec/source/volumeSnapshotContentName").is_some() || found.iter().any(has_found);
        if of.place.kind == Kind::PERSISTENT_VOLUME_CLAIM {
            objects.push(Object::derived(next, "volume", Kind::PERSISTENT_VOLUME, id(number), Policy::Reclaim));
        } else if of.place.kind == Kind::VOLUME_SNAPSHOT && !given {
            let kind = Kind::VOLUME_SNAPSHOT_CONTENT;
            objects.push(Object::derived(next, "content", kind, id(number), Policy::Deletion));
        } else if of.place.kind == Kind::VOLUME_GROUP_SNAPSHOT {
            let kind = Kind::VOLUME_GROUP_SNAPSHOT_CONTENT;
            objects.push(Object::derived(next, "group-content", kind, id(number), Policy::Deletion));
            for claim in claims(found, of) {
                members(&mut objects, id(number), id(claim));
            }
        }
    }
    // What the run created is its own; a namespace that was given was not found.
    let acts = (0..found.len()).map(|number| (StepId::Cleanup, Act::Create(id(number)))).collect();
    Program::new(objects, acts)
}

/// The member of a group for a claim, and its content.
fn members(objects: &mut Vec<Object>, group: ObjectId, claim: ObjectId) {
    let Some(lies) = objects.get(group.place()).map(|group| group.lies) else { return };
    let member = id(objects.len());
    objects.push(Object::member(member, "member", lies, group, claim));
    let content = id(objects.len());
    objects.push(Object::derived(content, "content", Kind::VOLUME_SNAPSHOT_CONTENT, member, Policy::Deletion));
}

/// The found claims of a group.
fn claims<'a>(found: &'a [Found], group: &'a Found) -> impl Iterator<Item = usize> + 'a {
    let labels = group.object.pointer("/spec/source/selector/matchLabels");
    let wanted = labels.and_then(|labels| labels.get(GROUP_LABEL)?.as_str());
    let is_its = move |(_, other): &(usize, &Found)| {
        other.place.kind == Kind::PERSISTENT_VOLUME_CLAIM
            && other.place.namespace == group.place.namespace
            && wanted.is_some()
            && label(&other.object, GROUP_LABEL) == wanted
    };
    found.iter().enumerate().filter(is_its).map(|(number, _)| number)
}

/// What of the found an object needs.
fn needs(found: &[Found], of: &Found) -> Vec<ObjectId> {
    let trip = label(&of.object, TARGET_LABEL);
    let own = known(of);
    let needed = |other: &Found| match (&own, known(other)) {
        (Some((program, object)), Some((_, other_object)))
            if mode(of) == mode(other) && trip == label(&other.object, TARGET_LABEL) =>
        {
            program.object(*object).is_some_and(|object| object.needs.contains(&other_object))
        }
        (Some(_), Some(_)) => false,
        _ => rank(of) < rank(other),
    };
    let others = found.iter().enumerate().filter(|(_, other)| other.place.kind != Kind::NAMESPACE && needed(other));
    others.map(|(number, _)| id(number)).collect()
}

fn mode(of: &Found) -> Option<&'static Mode> {
    find::mode(&of.object)
}

/// The object of its mode that it is.
fn known(of: &Found) -> Option<(Program, ObjectId)> {
    let program = (mode(of)?.program)(Shape { own_namespace: true, immediate: false });
    let word = label(&of.object, COMPONENT_LABEL)?;
    let object = program.objects().iter().find(|object| object.word == word && object.kind == of.place.kind)?.id;
    Some((program, object))
}

/// When an object goes, as far as its kind tells: what has a higher rank goes later.
fn rank(of: &Found) -> u8 {
    let restored =
        text(&of.object, "/spec/dataSource/name").is_some() || text(&of.object, "/spec/dataSourceRef/name").is_some();
    match of.place.kind {
        Kind::POD => 0,
        Kind::PERSISTENT_VOLUME_CLAIM if restored => 1,
        Kind::VOLUME_SNAPSHOT | Kind::VOLUME_GROUP_SNAPSHOT => 2,
        Kind::PERSISTENT_VOLUME_CLAIM => 3,
        Kind::NAMESPACE => 5,
        _ => 4,
    }
}
