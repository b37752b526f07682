//! Snapshots two volumes at once and restores both: see `doc.md`. Its objects are those of the plain mode, as many again for the second
//! volume, and in the place of a snapshot the group's, with its members.

#[cfg(test)]
mod nature;

use snapready_checks::knowledge::drivers::capabilities::Ability;
use snapready_checks::model::facts::Facts;
use snapready_checks::moment::Explanation;
use snapready_checks::roundtrip::round_trip::no_group;

use crate::model::{Kind, StepId};
use crate::roundtrip::ledger::Progress;
use crate::roundtrip::modes::{Chain, Making, Mode, Seen, Shape};
use crate::roundtrip::objects::{self, Manifest};
use crate::roundtrip::observe::text;
use crate::roundtrip::plan::{Plan, Target};
use crate::roundtrip::program::{Act, Lies, Object, ObjectId, Policy, Program, Task};

/// The mode.
pub static MODE: Mode = Mode {
    name: "group",
    doc: include_str!("doc.md"),
    program,
    manifest,
    chain,
    passed,
    needs: &[Ability::Group],
    prevented,
    #[cfg(test)]
    nature: nature::NATURE,
};

/// The namespace.
const SPACE: ObjectId = ObjectId::new(0);
/// The objects of the first volume.
const FIRST: Side = Side {
    data: 0,
    claim: ObjectId::new(1),
    consumer: ObjectId::new(2),
    writer: ObjectId::new(3),
    restored: ObjectId::new(4),
    restored_consumer: ObjectId::new(5),
    reader: ObjectId::new(6),
    member: ObjectId::new(14),
    content: ObjectId::new(15),
    source_volume: ObjectId::new(16),
    restored_volume: ObjectId::new(17),
};
/// The objects of the second.
const SECOND: Side = Side {
    data: 1,
    claim: ObjectId::new(7),
    consumer: ObjectId::new(8),
    writer: ObjectId::new(9),
    restored: ObjectId::new(10),
    restored_consumer: ObjectId::new(11),
    reader: ObjectId::new(12),
    member: ObjectId::new(18),
    content: ObjectId::new(19),
    source_volume: ObjectId::new(20),
    restored_volume: ObjectId::new(21),
};
/// The `VolumeGroupSnapshot`.
const GROUP: ObjectId = ObjectId::new(13);
/// The `VolumeGroupSnapshotContent` that the snapshot controller makes for it.
const GROUP_CONTENT: ObjectId = ObjectId::new(22);

/// One of the two volumes, what is restored of it, and what is between.
struct Side {
    data: usize,
    claim: ObjectId,
    consumer: ObjectId,
    writer: ObjectId,
    restored: ObjectId,
    restored_consumer: ObjectId,
    reader: ObjectId,
    /// The `VolumeSnapshot` of the group for its claim.
    member: ObjectId,
    content: ObjectId,
    source_volume: ObjectId,
    restored_volume: ObjectId,
}

/// The words of its objects.
struct Words {
    created: [&'static str; 6],
    derived: [&'static str; 4],
}

const FIRST_WORDS: Words = Words {
    created: ["source", "source-consumer", "writer", "restored", "restored-consumer", "reader"],
    derived: ["member", "content", "source-volume", "restored-volume"],
};
const SECOND_WORDS: Words = Words {
    created: [
        "second-source",
        "second-source-consumer",
        "second-writer",
        "second-restored",
        "second-restored-consumer",
        "second-reader",
    ],
    derived: ["second-member", "second-content", "second-source-volume", "second-restored-volume"],
};

const HERE: Lies = Lies::In(SPACE);

impl Side {
    /// What the run creates. A pending restore blocks the group's deletion.
    fn created(&self, words: &Words) -> [Object; 6] {
        const CLAIM: Kind = Kind::PERSISTENT_VOLUME_CLAIM;
        let [source, consumer, writer, restored, restored_consumer, reader] = words.created;
        let needing = |id, word, kind, needed: ObjectId| {
            let mut object = Object::created(id, word, kind, HERE, &[]);
            object.needs = vec![needed].into();
            object
        };
        let pod = |id, word, claim| needing(id, word, Kind::POD, claim).with_data(self.data);
        [
            Object::created(self.claim, source, CLAIM, HERE, &[]),
            pod(self.consumer, consumer, self.claim).doing(Task::Consume(self.claim)),
            pod(self.writer, writer, self.claim).doing(Task::Write),
            needing(self.restored, restored, CLAIM, GROUP),
            pod(self.restored_consumer, restored_consumer, self.restored).doing(Task::Consume(self.restored)),
            pod(self.reader, reader, self.restored).doing(Task::Read),
        ]
    }

    /// What controllers make.
    fn derived(&self, words: &Words) -> [Object; 4] {
        let [member, content, source, restored] = words.derived;
        let volume = |id, word, claim| Object::derived(id, word, Kind::PERSISTENT_VOLUME, claim, Policy::Reclaim);
        [
            Object::member(self.member, member, HERE, GROUP, self.claim),
            Object::derived(self.content, content, Kind::VOLUME_SNAPSHOT_CONTENT, self.member, Policy::Deletion),
            volume(self.source_volume, source, self.claim),
            volume(self.restored_volume, restored, self.restored),
        ]
    }

    /// Until its data is written, and held.
    fn written(&self, shape: Shape) -> [(StepId, Act); 4] {
        [
            (StepId::Provision, Act::Create(self.claim)),
            (StepId::Provision, shape.bind(self.claim, self.consumer)),
            (StepId::Provision, Act::Create(self.writer)),
            (StepId::Provision, Act::Await(self.writer, Progress::Started)),
        ]
    }
}

fn objects() -> Vec<Object> {
    let mut objects = vec![Object::space(SPACE, "namespace")];
    objects.extend(FIRST.created(&FIRST_WORDS));
    objects.extend(SECOND.created(&SECOND_WORDS));
    objects.push(Object::created(
        GROUP,
        "group-snapshot",
        Kind::VOLUME_GROUP_SNAPSHOT,
        HERE,
        &[FIRST.claim, SECOND.claim],
    ));
    objects.extend(FIRST.derived(&FIRST_WORDS));
    objects.extend(SECOND.derived(&SECOND_WORDS));
    objects.push(Object::derived(
        GROUP_CONTENT,
        "group-content",
        Kind::VOLUME_GROUP_SNAPSHOT_CONTENT,
        GROUP,
        Policy::Deletion,
    ));
    objects
}

/// Both volumes are in use while they are snapshotted, and both are overwritten before the first is restored.
fn program(shape: Shape) -> Program {
    let mut acts = shape.admission(SPACE);
    acts.extend(FIRST.written(shape));
    acts.extend(SECOND.written(shape));
    acts.extend([FIRST, SECOND].map(|side| (StepId::Write, Act::Await(side.writer, Progress::Written))));
    let held = |holder| Act::AwaitHeld { object: GROUP, progress: Progress::Done, holder };
    acts.extend([
        (StepId::Snapshot, Act::Create(GROUP)),
        (StepId::Snapshot, held(FIRST.writer)),
        (StepId::Snapshot, held(SECOND.writer)),
        (StepId::Snapshot, Act::Await(FIRST.member, Progress::Done)),
        (StepId::Snapshot, Act::Await(SECOND.member, Progress::Done)),
        (StepId::Overwrite, Act::Release(FIRST.writer)),
        (StepId::Overwrite, Act::Release(SECOND.writer)),
    ]);
    for side in [FIRST, SECOND] {
        let restored = shape.restored(side.restored, side.restored_consumer, side.reader);
        acts.extend(restored.into_iter().filter(|(step, _)| *step == StepId::Restore));
    }
    acts.extend([FIRST, SECOND].map(|side| (StepId::Verify, Act::Await(side.reader, Progress::Done))));
    Program::new(objects(), acts)
}

fn manifest(making: &Making<'_>) -> Option<Manifest> {
    match making.object.id {
        SPACE => Some(objects::namespace(making)),
        GROUP => Some(objects::group_snapshot(making)),
        _ => FIRST.manifest(&FIRST_WORDS, making).or_else(|| SECOND.manifest(&SECOND_WORDS, making)),
    }
}

impl Side {
    fn manifest(&self, words: &Words, making: &Making<'_>) -> Option<Manifest> {
        let [source, _, _, restored, ..] = words.created;
        let id = making.object.id;
        if id == self.claim {
            Some(objects::in_group(making, objects::source_claim(making)))
        } else if id == self.consumer {
            Some(beside_the_first(making, objects::consumer(making, source)))
        } else if id == self.writer {
            Some(beside_the_first(making, objects::writer(making, source)))
        } else if id == self.restored {
            objects::restored_member(making, self.member)
        } else if id == self.restored_consumer {
            Some(objects::consumer(making, restored))
        } else if id == self.reader {
            Some(objects::reader(making, restored))
        } else {
            None
        }
    }
}

/// The volumes of one application are used on one node, and a volume that waits for its pod is made for that. One that does not may
/// lie elsewhere.
fn beside_the_first(making: &Making<'_>, pod: Manifest) -> Manifest {
    let first = making.seen.get(FIRST.writer).and_then(|writer| text(writer, "/spec/nodeName"));
    match first.filter(|_| making.object.data == SECOND.data && !making.target.binds_at_once()) {
        Some(node) => objects::on_node(pod, node),
        None => pod,
    }
}

/// Of the second volume, from its first object of the step on.
fn chain(step: StepId, seen: &Seen<'_>) -> Chain {
    let is_there = |id| seen.get(id).is_some();
    let restores = matches!(step, StepId::Restore | StepId::Verify);
    let is_second = is_there(if restores { SECOND.restored } else { SECOND.claim });
    let side = if is_second { SECOND } else { FIRST };
    let (claim, pods) = if restores {
        (side.restored, vec![side.reader, side.restored_consumer])
    } else {
        (side.claim, vec![side.writer, side.consumer])
    };
    // The members are awaited one after the other, when the group is ready.
    let members = [(SECOND.member, SECOND.content), (FIRST.member, FIRST.content), (GROUP, GROUP_CONTENT)];
    let snapshot = if restores {
        Some((side.member, side.content))
    } else {
        members.into_iter().find(|(snapshot, _)| is_there(*snapshot))
    };
    Chain { claim, pods, snapshot, waits_as: None }
}

fn passed(step: StepId) -> Option<&'static str> {
    match step {
        StepId::Provision => Some("both volumes bound, pods started"),
        StepId::Write => Some("data written to both volumes and synced"),
        StepId::Snapshot => Some("group snapshot and both of its members ready to use"),
        StepId::Overwrite => Some("both sources overwritten after the snapshot"),
        StepId::Restore => Some("both restored volumes bound, pods started"),
        StepId::Verify => Some("what both members gave back is what was written to their volumes before the snapshot"),
        StepId::Admission | StepId::Cleanup => None,
    }
}

fn prevented(_: &Plan, target: &Target, facts: &Facts) -> Option<Explanation> {
    no_group(facts, &target.subject(), MODE.name)
}
