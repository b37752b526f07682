//! The modes of the round trip, one folder each: which objects there are, what is done with them, and how they are made.
//! Adding one takes its folder and its line here.

pub mod clone;
pub mod content_first;
pub mod existing_claim;
pub mod existing_snapshot;
pub mod group;
pub mod larger;
pub mod odd_size;
pub mod other_namespace;
pub mod other_node;
pub mod plain;
pub mod read_only;
pub mod snapshot_first;
pub mod source_gone;
#[cfg(test)]
mod tests;
pub mod twice;
pub mod unmounted;
pub mod writing;

use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value;
use snapready_checks::knowledge::drivers::capabilities::Ability;
use snapready_checks::model::facts::Facts;
use snapready_checks::model::need::Need;
use snapready_checks::model::round_trip::Origin;
use snapready_checks::moment::Explanation;

use crate::model::{PodUser, StepId};
use crate::roundtrip::ledger::Progress;
use crate::roundtrip::objects::Manifest;
use crate::roundtrip::payload::Payload;
use crate::roundtrip::plan::{Plan, Target};
use crate::roundtrip::program::{Act, Object, ObjectId, Program};

/// The modes that are chosen by their names, the one that stands for the others first.
pub static MODES: &[&Mode] = &[
    &plain::MODE,
    &larger::MODE,
    &odd_size::MODE,
    &unmounted::MODE,
    &writing::MODE,
    &source_gone::MODE,
    &snapshot_first::MODE,
    &content_first::MODE,
    &other_namespace::MODE,
    &other_node::MODE,
    &read_only::MODE,
    &clone::MODE,
    &twice::MODE,
    &group::MODE,
];

/// The modes that are chosen by what they restore from.
pub static OF_EXISTING: &[&Mode] = &[&existing_snapshot::MODE, &existing_claim::MODE];

/// All modes.
pub fn all() -> impl Iterator<Item = &'static Mode> + Clone {
    MODES.iter().chain(OF_EXISTING).copied()
}

/// A mode of the round trip.
pub struct Mode {
    /// Its word: the folder, and the label of what it creates.
    pub name: &'static str,
    /// What it does and what it shows, in Markdown.
    pub doc: &'static str,
    /// Its program.
    pub program: fn(Shape) -> Program,
    /// How its objects are made; `None` for what controllers make.
    pub manifest: fn(&Making<'_>) -> Option<Manifest>,
    /// The objects that the diagnosis of a step rests on, of those that were seen.
    pub chain: fn(StepId, &Seen<'_>) -> Chain,
    /// What a step has done when it has passed, where it is something else than in the plain mode.
    pub passed: fn(StepId) -> Option<&'static str>,
    /// What the driver has to be able to do, apart from taking snapshots; of one that is known not to, the round trip is skipped.
    pub needs: &'static [Ability],
    /// What in this cluster keeps it from being done, apart from that: the reason why it is skipped; `None` if nothing is known to.
    pub prevented: fn(&Plan, &Target, &Facts) -> Option<Explanation>,
    /// How its objects behave, for the walk. The machine does not know of it.
    #[cfg(test)]
    pub(crate) nature: crate::roundtrip::machine::Nature,
}

impl Mode {
    /// What it does, in a line: the first paragraph of its documentation.
    #[must_use]
    pub fn summary(&self) -> &'static str {
        self.doc.lines().skip(1).find(|line| !line.is_empty()).unwrap_or_default().trim_end_matches('.')
    }

    /// What the volume is made from whose data is read.
    #[must_use]
    pub fn origin(&self) -> Origin {
        if self.needs.contains(&Ability::Clone) { Origin::Volume } else { Origin::VolumeSnapshot }
    }

    /// Whether it snapshots several volumes at once, which takes a class of another kind.
    #[must_use]
    pub fn takes_group(&self) -> bool {
        self.needs.contains(&Ability::Group)
    }

    /// Whether it takes a `VolumeSnapshotClass`.
    #[must_use]
    pub fn takes_snapshot_class(&self) -> bool {
        self.origin() == Origin::VolumeSnapshot && !self.takes_group()
    }

    /// What is to be seen of the cluster for it alone.
    pub fn sees(&self) -> impl Iterator<Item = Need> + use<> {
        self.takes_group().then_some(Need::VolumeGroupSnapshotClasses).into_iter()
    }

    /// The mode with this name.
    #[must_use]
    pub fn find(name: &str) -> Option<&'static Self> {
        all().find(|mode| mode.name == name)
    }
}

impl fmt::Debug for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// There is one mode of each name.
impl PartialEq for Mode {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Mode {}

/// What a program depends on, apart from its mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// Whether the run creates its namespace.
    pub own_namespace: bool,
    /// Whether claims are bound without a consumer.
    pub immediate: bool,
}

impl Shape {
    /// What comes before everything else: the namespace, if the run creates it, and the dry run.
    fn admission(self, space: ObjectId) -> Vec<(StepId, Act)> {
        let mut acts = Vec::new();
        if self.own_namespace {
            acts.extend([(StepId::Admission, Act::AdmitShared), (StepId::Admission, Act::Create(space))]);
        }
        acts.push((StepId::Admission, Act::Admit));
        acts
    }

    /// From the restore of a claim until its data is read.
    fn restored(self, claim: ObjectId, consumer: ObjectId, reader: ObjectId) -> [(StepId, Act); 5] {
        [
            (StepId::Restore, Act::Create(claim)),
            (StepId::Restore, self.bind(claim, consumer)),
            (StepId::Restore, Act::Create(reader)),
            (StepId::Restore, Act::Await(reader, Progress::Started)),
            (StepId::Verify, Act::Await(reader, Progress::Done)),
        ]
    }

    /// A claim is bound; for the sake of this consumer, if it waits for one.
    const fn bind(self, claim: ObjectId, consumer: ObjectId) -> Act {
        if self.immediate { Act::Await(claim, Progress::Done) } else { Act::Bind(consumer) }
    }
}

/// All objects of a round trip as they were last seen.
#[derive(Debug, Clone, Default)]
pub struct Seen<'a>(BTreeMap<ObjectId, &'a Value>);

impl<'a> Seen<'a> {
    /// An object, if it was seen.
    #[must_use]
    pub fn get(&self, id: ObjectId) -> Option<&'a Value> {
        self.0.get(&id).copied()
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether nothing was seen.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<'a> FromIterator<(ObjectId, &'a Value)> for Seen<'a> {
    fn from_iter<I: IntoIterator<Item = (ObjectId, &'a Value)>>(objects: I) -> Self {
        Self(objects.into_iter().collect())
    }
}

/// What an object is made from.
#[derive(Debug, Clone, Copy)]
pub struct Making<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// The round trip.
    pub target: &'a Target,
    /// Its data.
    pub payload: &'a Payload,
    /// The program that the object is of.
    pub program: &'a Program,
    /// The object.
    pub object: &'a Object,
    /// What the pods run as; for a namespace, the pods for which it is made.
    pub user: PodUser,
    /// Everything that is known of the round trip's objects.
    pub seen: &'a Seen<'a>,
}

/// The objects that the diagnosis of a step rests on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chain {
    /// The claim that is to be bound.
    pub claim: ObjectId,
    /// Its pods; the first that exists counts.
    pub pods: Vec<ObjectId>,
    /// The snapshot and its content, if there is one.
    pub snapshot: Option<(ObjectId, ObjectId)>,
    /// The step whose rules tell why the wait is over, where it is another one's wait.
    pub waits_as: Option<StepId>,
}
