//! Restores in another namespace, by the snapshot's handle: see `doc.md`. Its objects are those of the plain mode, and a second
//! snapshot with its content.

#[cfg(test)]
mod nature;

use crate::model::{Kind, StepId};
use crate::roundtrip::ledger::Progress;
use crate::roundtrip::modes::plain::{
    self, CONTENT, READER, RESTORED_CLAIM, RESTORED_CONSUMER, SNAPSHOT, SOURCE_CLAIM, SPACE,
};
use crate::roundtrip::modes::{Chain, Making, Mode, Seen, Shape};
use crate::roundtrip::objects::{self, Manifest};
use crate::roundtrip::program::{Act, Lies, Object, ObjectId, Program};

/// The mode.
pub static MODE: Mode = Mode {
    name: "other-namespace",
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

/// The content that is created for the handle of the first.
const IMPORTED_CONTENT: ObjectId = ObjectId::new(11);
/// The snapshot that names it.
const IMPORTED_SNAPSHOT: ObjectId = ObjectId::new(12);
/// The other namespace. In a namespace that was given everything stays there, and there is none.
const OTHER_SPACE: ObjectId = ObjectId::new(13);

/// A run that creates no namespace has one.
const fn there(shape: Shape) -> ObjectId {
    if shape.own_namespace { OTHER_SPACE } else { SPACE }
}

/// Once the second content answers for the snapshot in the storage, the first goes. Before that, the first takes it along,
/// so that is deleted last.
fn objects(shape: Shape) -> Vec<Object> {
    const CONTENTS: Kind = Kind::VOLUME_SNAPSHOT_CONTENT;
    let there = Lies::In(there(shape));
    let mut objects = plain::objects();
    for object in &mut objects {
        match object.id {
            RESTORED_CLAIM => {
                object.lies = there;
                object.needs = (&[IMPORTED_SNAPSHOT]).into();
            }
            RESTORED_CONSUMER | READER => object.lies = there,
            _ => {}
        }
    }
    objects.extend([
        Object::created(IMPORTED_CONTENT, "imported-content", CONTENTS, Lies::Cluster, &[SNAPSHOT]),
        Object::created(IMPORTED_SNAPSHOT, "imported-snapshot", Kind::VOLUME_SNAPSHOT, there, &[IMPORTED_CONTENT]),
    ]);
    if shape.own_namespace {
        objects.push(Object::own_space(OTHER_SPACE, "other"));
    }
    objects
}

fn program(shape: Shape) -> Program {
    let mut acts = shape.admission(SPACE);
    if shape.own_namespace {
        // The dry run of what lies in it takes the namespace.
        acts.insert(acts.len().saturating_sub(1), (StepId::Admission, Act::Create(OTHER_SPACE)));
    }
    acts.extend(plain::written(shape));
    acts.extend(plain::snapshotted());
    acts.extend([
        (StepId::Restore, Act::Await(CONTENT, Progress::Started)),
        (StepId::Restore, Act::Create(IMPORTED_CONTENT)),
        (StepId::Restore, Act::Create(IMPORTED_SNAPSHOT)),
        (StepId::Restore, Act::Await(IMPORTED_SNAPSHOT, Progress::Done)),
        (StepId::Restore, Act::TakeOver(CONTENT)),
        (StepId::Restore, Act::Remove(SNAPSHOT)),
        (StepId::Restore, Act::Remove(CONTENT)),
    ]);
    acts.extend(plain::restored(shape));
    Program::new(objects(shape), acts)
}

fn manifest(making: &Making<'_>) -> Option<Manifest> {
    match making.object.id {
        OTHER_SPACE => Some(objects::namespace(making)),
        CONTENT => Some(objects::taken_over(making)),
        IMPORTED_CONTENT => objects::content_of_handle(making, CONTENT, IMPORTED_SNAPSHOT),
        IMPORTED_SNAPSHOT => objects::snapshot_of_content(making, IMPORTED_CONTENT),
        RESTORED_CLAIM => {
            // The second has no size where the driver does not list its snapshots.
            let size = objects::restored_bytes(making, SNAPSHOT, making.target.size_bytes);
            let size = objects::restored_bytes(making, IMPORTED_SNAPSHOT, size);
            Some(objects::restored_claim(making, "imported-snapshot", size))
        }
        _ => plain::manifest(making),
    }
}

/// Until the claim is there, the step waits for the second snapshot.
fn chain(step: StepId, seen: &Seen<'_>) -> Chain {
    let chain = plain::chain(step, seen);
    match step {
        StepId::Restore if seen.get(RESTORED_CLAIM).is_none() => Chain {
            claim: SOURCE_CLAIM,
            pods: Vec::new(),
            snapshot: Some((IMPORTED_SNAPSHOT, IMPORTED_CONTENT)),
            waits_as: Some(StepId::Snapshot),
        },
        StepId::Restore | StepId::Verify => Chain { snapshot: Some((IMPORTED_SNAPSHOT, IMPORTED_CONTENT)), ..chain },
        _ => chain,
    }
}

fn passed(step: StepId) -> Option<&'static str> {
    (step == StepId::Restore).then_some(
        "snapshot imported by its handle, the first VolumeSnapshot and its content deleted; restored volume bound, pod started",
    )
}
