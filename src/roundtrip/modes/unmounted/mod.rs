//! Snapshots a volume that no pod holds: see `doc.md`. Its objects are those of the plain mode, and a pod more.

#[cfg(test)]
mod nature;

use crate::model::{Kind, StepId};
use crate::roundtrip::ledger::Progress;
use crate::roundtrip::modes::plain::{self, SNAPSHOT, SOURCE_CLAIM, SOURCE_CONSUMER, SPACE, WRITER};
use crate::roundtrip::modes::{Chain, Making, Mode, Seen, Shape};
use crate::roundtrip::objects::{self, Manifest};
use crate::roundtrip::program::{Act, Lies, Object, ObjectId, Program, Task};

/// The mode.
pub static MODE: Mode = Mode {
    name: "unmounted",
    doc: include_str!("doc.md"),
    program,
    manifest,
    chain,
    passed: |_| None,
    needs: &[],
    prevented: |_, _, _| None,
    #[cfg(test)]
    nature: nature::NATURE,
};

/// The pod that overwrites the source after the snapshot.
const OVERWRITER: ObjectId = ObjectId::new(11);

fn objects() -> Vec<Object> {
    let mut objects = plain::objects();
    for object in objects.iter_mut().filter(|object| object.id == WRITER) {
        object.task = Task::Fill;
    }
    objects.push(
        Object::created(OVERWRITER, "overwriter", Kind::POD, Lies::In(SPACE), &[SOURCE_CLAIM]).doing(Task::Overwrite),
    );
    objects
}

fn program(shape: Shape) -> Program {
    let mut acts = shape.admission(SPACE);
    acts.extend([
        (StepId::Provision, Act::Create(SOURCE_CLAIM)),
        (StepId::Provision, shape.bind(SOURCE_CLAIM, SOURCE_CONSUMER)),
        (StepId::Provision, Act::Create(WRITER)),
        (StepId::Provision, Act::Await(WRITER, Progress::Started)),
        (StepId::Write, Act::Await(WRITER, Progress::Done)),
        (StepId::Write, Act::Remove(WRITER)),
        (StepId::Snapshot, Act::Create(SNAPSHOT)),
        (StepId::Snapshot, Act::Await(SNAPSHOT, Progress::Done)),
        (StepId::Overwrite, Act::Create(OVERWRITER)),
        (StepId::Overwrite, Act::Await(OVERWRITER, Progress::Done)),
    ]);
    acts.extend(plain::restored(shape));
    Program::new(objects(), acts)
}

fn manifest(making: &Making<'_>) -> Option<Manifest> {
    match making.object.id {
        WRITER => Some(objects::filler(making, "source")),
        OVERWRITER => Some(objects::overwriter(making, "source")),
        _ => plain::manifest(making),
    }
}

/// The pods that write are there for one step each, and no pod is while the snapshot is taken.
fn chain(step: StepId, seen: &Seen<'_>) -> Chain {
    let chain = plain::chain(step, seen);
    match step {
        StepId::Snapshot => Chain { pods: Vec::new(), ..chain },
        StepId::Overwrite => Chain { pods: vec![OVERWRITER], ..chain },
        _ => chain,
    }
}
