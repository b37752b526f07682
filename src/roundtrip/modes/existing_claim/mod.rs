//! Takes a snapshot of a claim that exists, restores it, and looks at what comes back: see `doc.md`. It is chosen by `--source-pvc`. Its
//! objects are those of a restore from an existing snapshot, and the snapshot.

#[cfg(test)]
mod nature;

use crate::model::{Kind, StepId};
use crate::roundtrip::existing::Given;
use crate::roundtrip::ledger::Progress;
use crate::roundtrip::modes::existing_snapshot::{self, READER, RESTORED_CLAIM, RESTORED_CONSUMER, SPACE};
use crate::roundtrip::modes::{Chain, Making, Mode, Seen, Shape};
use crate::roundtrip::objects::{self, Manifest};
use crate::roundtrip::program::{Act, Lies, Object, ObjectId, Policy, Program};

/// The mode.
pub static MODE: Mode = Mode {
    name: "existing-claim",
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

/// The `VolumeSnapshot` of the claim.
const SNAPSHOT: ObjectId = ObjectId::new(5);
/// The `VolumeSnapshotContent` that the snapshot controller makes for it.
const CONTENT: ObjectId = ObjectId::new(6);

/// A pending restore blocks the snapshot's deletion.
fn objects() -> Vec<Object> {
    let mut objects = existing_snapshot::objects();
    for object in objects.iter_mut().filter(|object| object.id == RESTORED_CLAIM) {
        object.needs = std::borrow::Cow::Borrowed(&[SNAPSHOT]);
    }
    objects.extend([
        Object::created(SNAPSHOT, "snapshot", Kind::VOLUME_SNAPSHOT, Lies::In(SPACE), &[]),
        Object::derived(CONTENT, "content", Kind::VOLUME_SNAPSHOT_CONTENT, SNAPSHOT, Policy::Deletion),
    ]);
    objects
}

fn program(shape: Shape) -> Program {
    let mut acts = shape.admission(SPACE);
    acts.extend([(StepId::Snapshot, Act::Create(SNAPSHOT)), (StepId::Snapshot, Act::Await(SNAPSHOT, Progress::Done))]);
    acts.extend(existing_snapshot::restored(shape));
    Program::new(objects(), acts)
}

fn manifest(making: &Making<'_>) -> Option<Manifest> {
    match making.object.id {
        SNAPSHOT => Some(objects::snapshot_of(making, making.target.existing_of(Given::Claim)?)),
        RESTORED_CLAIM => {
            let size = objects::restored_bytes(making, SNAPSHOT, making.target.size_bytes);
            Some(objects::restored_claim(making, "snapshot", size))
        }
        _ => existing_snapshot::manifest(making),
    }
}

fn chain(_: StepId, _: &Seen<'_>) -> Chain {
    Chain {
        claim: RESTORED_CLAIM,
        pods: vec![READER, RESTORED_CONSUMER],
        snapshot: Some((SNAPSHOT, CONTENT)),
        waits_as: None,
    }
}
