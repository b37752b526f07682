//! A round trip as a program: its objects, and what it does with them, step by step. Data that machine, driver, clean-up,
//! rights and reports read; what is special about a mode stands in the mode's folder.

mod act;
mod object;
#[cfg(test)]
mod tests;

use std::hash::{Hash, Hasher};
use std::sync::Arc;

pub use self::act::Act;
pub use self::object::{By, Lies, Object, ObjectId, Policy, Task};
use crate::model::{Kind, StepId};
use crate::roundtrip::ledger::Item;

/// The program of one round trip.
#[derive(Debug, Clone)]
pub struct Program(Arc<Data>);

#[derive(Debug, PartialEq, Eq)]
struct Data {
    objects: Vec<Object>,
    acts: Vec<(StepId, Act)>,
    created: Vec<ObjectId>,
    /// For each object: the wave in which it is deleted, if the run creates it.
    waves: Vec<Vec<ObjectId>>,
}

impl PartialEq for Program {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0 == other.0
    }
}

impl Eq for Program {}

/// A program does not change while it is carried out, so it tells no two states of a run apart.
impl Hash for Program {
    fn hash<H: Hasher>(&self, _: &mut H) {}
}

impl Program {
    /// A program of these objects, each at the place that its id says, and these acts.
    #[must_use]
    pub fn new(objects: Vec<Object>, acts: Vec<(StepId, Act)>) -> Self {
        let created = acts.iter().filter_map(|(_, act)| act.creates()).collect();
        let waves = waves(&objects);
        Self(Arc::new(Data { objects, acts, created, waves }))
    }

    /// Its objects.
    #[must_use]
    pub fn objects(&self) -> &[Object] {
        &self.0.objects
    }

    /// An object; `None` if it is another program's.
    #[must_use]
    pub fn object(&self, id: ObjectId) -> Option<&Object> {
        self.0.objects.get(id.place())
    }

    /// What it does, in order.
    #[must_use]
    pub fn acts(&self) -> &[(StepId, Act)] {
        &self.0.acts
    }

    /// Its steps, in the order of reports, the clean-up included.
    #[must_use]
    pub fn steps(&self) -> Vec<StepId> {
        let mut steps: Vec<StepId> = self.acts().iter().map(|(step, _)| *step).collect();
        steps.dedup();
        steps.push(StepId::Cleanup);
        steps
    }

    /// What it creates, in order.
    #[must_use]
    pub fn created(&self) -> &[ObjectId] {
        &self.0.created
    }

    /// Whether it creates this object.
    #[must_use]
    pub fn creates(&self, id: ObjectId) -> bool {
        self.0.created.contains(&id)
    }

    /// What all round trips of a run have in common, and the run creates.
    pub fn created_shared(&self) -> impl Iterator<Item = ObjectId> + '_ {
        self.created().iter().copied().filter(|id| self.is_shared(*id))
    }

    fn is_shared(&self, id: ObjectId) -> bool {
        self.object(id).is_some_and(|object| object.shared)
    }

    /// The object as one of a run.
    #[must_use]
    pub fn item(&self, trip: usize, id: ObjectId) -> Item {
        if self.is_shared(id) { Item::Shared(id) } else { Item::Of(trip, id) }
    }

    /// What controllers make for this object.
    pub fn derived(&self, id: ObjectId) -> impl Iterator<Item = ObjectId> + '_ {
        self.objects().iter().filter(move |object| object.maker() == Some(id)).map(|object| object.id)
    }

    /// The claim that is bound for the sake of this pod.
    #[must_use]
    pub fn consumes(&self, id: ObjectId) -> Option<ObjectId> {
        match self.object(id)?.task {
            Task::Consume(claim) => Some(claim),
            Task::Exist
            | Task::Write
            | Task::Record
            | Task::Fill
            | Task::Overwrite
            | Task::Read
            | Task::ReadSized
            | Task::ReadJournal
            | Task::Look => None,
        }
    }

    /// The claim that this pod works on.
    #[must_use]
    pub fn claim_of(&self, pod: ObjectId) -> Option<ObjectId> {
        let claim = |id: &&ObjectId| self.object(**id).is_some_and(|one| one.kind == Kind::PERSISTENT_VOLUME_CLAIM);
        self.object(pod)?.needs.iter().find(claim).copied()
    }

    /// The namespace that this object lies in, if the run creates that: the object is gone when its namespace is.
    #[must_use]
    pub fn own_space(&self, id: ObjectId) -> Option<ObjectId> {
        match self.object(id)?.lies {
            Lies::In(space) if self.creates(space) => Some(space),
            Lies::In(_) | Lies::Cluster => None,
        }
    }

    /// What is deleted together, what controllers made among it; each wave waits for the one before.
    #[must_use]
    pub fn waves(&self) -> &[Vec<ObjectId>] {
        &self.0.waves
    }
}

/// What is needed is deleted after what needs it; what was created last goes first.
fn waves(objects: &[Object]) -> Vec<Vec<ObjectId>> {
    let own: Vec<&Object> = objects.iter().filter(|object| object.by == By::Run && !object.shared).collect();
    let mut left = own;
    let mut waves = Vec::new();
    while !left.is_empty() {
        let needs =
            |other: &Object, object: &Object| other.needs.contains(&object.id) || other.lies == Lies::In(object.id);
        let needed = |object: &Object| left.iter().any(|other| other.id != object.id && needs(other, object));
        let mut wave: Vec<&Object> = left.iter().copied().filter(|object| !needed(object)).collect();
        // Objects that need each other go together; no mode has any.
        if wave.is_empty() {
            wave.clone_from(&left);
        }
        left.retain(|object| !wave.iter().any(|first| first.id == object.id));
        waves.push(wave.iter().rev().flat_map(|object| with_derived(objects, object.id)).collect());
    }
    waves
}

/// An object, and what controllers make for it, and for that.
fn with_derived(objects: &[Object], id: ObjectId) -> Vec<ObjectId> {
    let derived = objects.iter().filter(|other| other.maker() == Some(id)).map(|other| other.id);
    std::iter::once(id).chain(derived.flat_map(|derived| with_derived(objects, derived))).collect()
}
