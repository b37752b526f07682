//! Clones a volume that is in use: see `doc.md`. There is no snapshot.

#[cfg(test)]
mod nature;

use snapready_checks::knowledge::drivers::capabilities::Ability;

use crate::model::{Kind, StepId};
use crate::roundtrip::ledger::Progress;
use crate::roundtrip::modes::plain::{self, SOURCE_CLAIM, SOURCE_CONSUMER, SPACE, WRITER};
use crate::roundtrip::modes::{Chain, Making, Mode, Seen, Shape};
use crate::roundtrip::objects::{self, Manifest};
use crate::roundtrip::program::{Act, Lies, Object, ObjectId, Policy, Program, Task};

/// The mode.
pub static MODE: Mode = Mode {
    name: "clone",
    doc: include_str!("doc.md"),
    program,
    manifest,
    chain,
    passed,
    needs: &[Ability::Clone],
    prevented: |_, _, _| None,
    #[cfg(test)]
    nature: nature::NATURE,
};

/// The claim that is a clone of the source claim.
const CLONE: ObjectId = ObjectId::new(4);
/// The pod for whose sake the clone is bound.
const CLONE_CONSUMER: ObjectId = ObjectId::new(5);
/// The pod that reads the clone.
const READER: ObjectId = ObjectId::new(6);
const SOURCE_VOLUME: ObjectId = ObjectId::new(7);
const CLONED_VOLUME: ObjectId = ObjectId::new(8);

fn objects() -> Vec<Object> {
    const HERE: Lies = Lies::In(SPACE);
    const VOLUME: Kind = Kind::PERSISTENT_VOLUME;
    let of_plain = plain::objects();
    let source =
        of_plain.into_iter().filter(|object| [SPACE, SOURCE_CLAIM, SOURCE_CONSUMER, WRITER].contains(&object.id));
    source
        .chain([
            Object::created(CLONE, "clone", Kind::PERSISTENT_VOLUME_CLAIM, HERE, &[SOURCE_CLAIM]),
            Object::created(CLONE_CONSUMER, "clone-consumer", Kind::POD, HERE, &[CLONE]).doing(Task::Consume(CLONE)),
            Object::created(READER, "reader", Kind::POD, HERE, &[CLONE]).doing(Task::Read),
            Object::derived(SOURCE_VOLUME, "source-volume", VOLUME, SOURCE_CLAIM, Policy::Reclaim),
            Object::derived(CLONED_VOLUME, "cloned-volume", VOLUME, CLONE, Policy::Reclaim),
        ])
        .collect()
}

/// The source is overwritten between the making of the clone and its reading, so that one that shares its data shows.
fn program(shape: Shape) -> Program {
    let mut acts = shape.admission(SPACE);
    acts.extend(plain::written(shape));
    acts.extend([
        (StepId::Restore, Act::Create(CLONE)),
        (StepId::Restore, shape.bind(CLONE, CLONE_CONSUMER)),
        (StepId::Restore, Act::AwaitHeld { object: CLONE, progress: Progress::Done, holder: WRITER }),
        (StepId::Overwrite, Act::Release(WRITER)),
        (StepId::Verify, Act::Create(READER)),
        (StepId::Verify, Act::Await(READER, Progress::Done)),
    ]);
    Program::new(objects(), acts)
}

fn manifest(making: &Making<'_>) -> Option<Manifest> {
    match making.object.id {
        CLONE => {
            let size = objects::as_large_as(making, SOURCE_CLAIM, making.target.size_bytes);
            Some(objects::clone(making, "source", size))
        }
        CLONE_CONSUMER => Some(objects::consumer(making, "clone")),
        READER => Some(objects::reader(making, "clone")),
        _ => plain::manifest(making),
    }
}

fn chain(step: StepId, _: &Seen<'_>) -> Chain {
    let (claim, pods) = match step {
        StepId::Restore => (CLONE, vec![CLONE_CONSUMER]),
        StepId::Verify => (CLONE, vec![READER]),
        _ => (SOURCE_CLAIM, vec![WRITER, SOURCE_CONSUMER]),
    };
    Chain { claim, pods, snapshot: None, waits_as: None }
}

fn passed(step: StepId) -> Option<&'static str> {
    match step {
        StepId::Restore => Some("clone bound while its source was in use"),
        StepId::Overwrite => Some("source overwritten after it was cloned"),
        StepId::Verify => Some("the clone holds what was written before it was made"),
        _ => None,
    }
}
