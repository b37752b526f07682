//! Takes two snapshots and restores both: see `doc.md`. Its objects are those of the plain mode, and as many again for the second
//! snapshot.

#[cfg(test)]
mod nature;

use crate::model::{Kind, StepId};
use crate::roundtrip::ledger::Progress;
use crate::roundtrip::modes::plain::{
    self, CONTENT, READER, RESTORED_CLAIM, RESTORED_CONSUMER, SNAPSHOT, SOURCE_CLAIM, SPACE, WRITER,
};
use crate::roundtrip::modes::{Chain, Making, Mode, Seen, Shape};
use crate::roundtrip::objects::{self, Manifest};
use crate::roundtrip::program::{Act, Lies, Object, ObjectId, Policy, Program, Task};

/// The mode.
pub static MODE: Mode = Mode {
    name: "twice",
    doc: include_str!("doc.md"),
    program,
    manifest,
    chain,
    passed,
    needs: &[],
    prevented: |_, _, _| None,
    #[cfg(test)]
    nature: nature::NATURE,
};

/// The `VolumeSnapshot` that is taken right after the first.
const SECOND_SNAPSHOT: ObjectId = ObjectId::new(11);
/// The claim that is restored from it.
const SECOND_CLAIM: ObjectId = ObjectId::new(12);
/// The pod for whose sake that claim is bound.
const SECOND_CONSUMER: ObjectId = ObjectId::new(13);
/// The pod that reads what the second snapshot has given back.
const SECOND_READER: ObjectId = ObjectId::new(14);
const SECOND_CONTENT: ObjectId = ObjectId::new(15);
const SECOND_VOLUME: ObjectId = ObjectId::new(16);

fn objects() -> Vec<Object> {
    const CLAIM: Kind = Kind::PERSISTENT_VOLUME_CLAIM;
    const HERE: Lies = Lies::In(SPACE);
    let mut objects = plain::objects();
    objects.extend([
        Object::created(SECOND_SNAPSHOT, "second-snapshot", Kind::VOLUME_SNAPSHOT, HERE, &[SOURCE_CLAIM]),
        Object::created(SECOND_CLAIM, "second-restored", CLAIM, HERE, &[SECOND_SNAPSHOT]),
        Object::created(SECOND_CONSUMER, "second-consumer", Kind::POD, HERE, &[SECOND_CLAIM])
            .doing(Task::Consume(SECOND_CLAIM)),
        Object::created(SECOND_READER, "second-reader", Kind::POD, HERE, &[SECOND_CLAIM]).doing(Task::Read),
        Object::derived(
            SECOND_CONTENT,
            "second-content",
            Kind::VOLUME_SNAPSHOT_CONTENT,
            SECOND_SNAPSHOT,
            Policy::Deletion,
        ),
        Object::derived(SECOND_VOLUME, "second-volume", Kind::PERSISTENT_VOLUME, SECOND_CLAIM, Policy::Reclaim),
    ]);
    objects
}

/// The first snapshot and everything that was restored from it go before the second is restored.
fn program(shape: Shape) -> Program {
    let mut acts = shape.admission(SPACE);
    acts.extend(plain::written(shape));
    acts.extend([
        (StepId::Snapshot, Act::Create(SNAPSHOT)),
        (StepId::Snapshot, Act::Await(SNAPSHOT, Progress::Done)),
        (StepId::Snapshot, Act::Create(SECOND_SNAPSHOT)),
        (StepId::Snapshot, Act::AwaitHeld { object: SECOND_SNAPSHOT, progress: Progress::Done, holder: WRITER }),
        (StepId::Overwrite, Act::Release(WRITER)),
        (StepId::Restore, Act::Create(RESTORED_CLAIM)),
        (StepId::Restore, shape.bind(RESTORED_CLAIM, RESTORED_CONSUMER)),
        (StepId::Restore, Act::Create(READER)),
        (StepId::Restore, Act::Await(READER, Progress::Done)),
        (StepId::Restore, Act::Remove(READER)),
        (StepId::Restore, Act::Remove(RESTORED_CLAIM)),
        (StepId::Restore, Act::Remove(SNAPSHOT)),
        (StepId::Restore, Act::AwaitGone(CONTENT)),
    ]);
    acts.extend(shape.restored(SECOND_CLAIM, SECOND_CONSUMER, SECOND_READER));
    Program::new(objects(), acts)
}

fn manifest(making: &Making<'_>) -> Option<Manifest> {
    match making.object.id {
        SECOND_SNAPSHOT => Some(objects::snapshot(making, "source")),
        SECOND_CLAIM => {
            let size = objects::restored_bytes(making, SECOND_SNAPSHOT, making.target.size_bytes);
            Some(objects::restored_claim(making, "second-snapshot", size))
        }
        SECOND_CONSUMER => Some(objects::consumer(making, "second-restored")),
        SECOND_READER => Some(objects::reader(making, "second-restored")),
        _ => plain::manifest(making),
    }
}

/// Of the second round, from its first object on.
fn chain(step: StepId, seen: &Seen<'_>) -> Chain {
    let chain = plain::chain(step, seen);
    let second = Some((SECOND_SNAPSHOT, SECOND_CONTENT));
    match step {
        StepId::Snapshot if seen.get(SECOND_SNAPSHOT).is_some() => Chain { snapshot: second, ..chain },
        StepId::Restore | StepId::Verify if seen.get(SECOND_CLAIM).is_some() => {
            Chain { claim: SECOND_CLAIM, pods: vec![SECOND_READER, SECOND_CONSUMER], snapshot: second, ..chain }
        }
        _ => chain,
    }
}

fn passed(step: StepId) -> Option<&'static str> {
    match step {
        StepId::Snapshot => Some("both ready to use, the second taken right after the first"),
        StepId::Overwrite => Some("source overwritten after both snapshots"),
        StepId::Restore => Some("first snapshot restored, its data intact; deleted; second one restored, pod started"),
        StepId::Verify => Some("what both snapshots gave back is what was written before them"),
        _ => None,
    }
}
