//! The plain round trip: see `doc.md`.

#[cfg(test)]
pub(crate) mod nature;

use crate::model::{Kind, StepId};
use crate::roundtrip::ledger::Progress;
use crate::roundtrip::modes::{Chain, Making, Mode, Seen, Shape};
use crate::roundtrip::objects::{self, Manifest};
use crate::roundtrip::program::{Act, Lies, Object, ObjectId, Policy, Program, Task};

/// The mode.
pub static MODE: Mode = Mode {
    name: "plain",
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

/// The namespace.
pub const SPACE: ObjectId = ObjectId::new(0);
/// The claim of the source volume.
pub const SOURCE_CLAIM: ObjectId = ObjectId::new(1);
/// The pod for whose sake the source claim is bound.
pub const SOURCE_CONSUMER: ObjectId = ObjectId::new(2);
/// The pod that writes the data, holds the volume and overwrites it when it is deleted.
pub const WRITER: ObjectId = ObjectId::new(3);
/// The `VolumeSnapshot`.
pub const SNAPSHOT: ObjectId = ObjectId::new(4);
/// The claim that is restored from the snapshot.
pub const RESTORED_CLAIM: ObjectId = ObjectId::new(5);
/// The pod for whose sake the restored claim is bound.
pub const RESTORED_CONSUMER: ObjectId = ObjectId::new(6);
/// The pod that reads the restored data.
pub const READER: ObjectId = ObjectId::new(7);
/// The `VolumeSnapshotContent` that the snapshot controller makes.
pub const CONTENT: ObjectId = ObjectId::new(8);
/// The `PersistentVolume` that is provisioned for the source claim.
pub const SOURCE_VOLUME: ObjectId = ObjectId::new(9);
/// The `PersistentVolume` that is provisioned for the restored claim.
pub const RESTORED_VOLUME: ObjectId = ObjectId::new(10);

/// The objects. A pending restore blocks the snapshot's deletion, and not every driver deletes a volume that has snapshots.
pub(crate) fn objects() -> Vec<Object> {
    const CLAIM: Kind = Kind::PERSISTENT_VOLUME_CLAIM;
    const HERE: Lies = Lies::In(SPACE);
    vec![
        Object::space(SPACE, "namespace"),
        Object::created(SOURCE_CLAIM, "source", CLAIM, HERE, &[]),
        Object::created(SOURCE_CONSUMER, "source-consumer", Kind::POD, HERE, &[SOURCE_CLAIM])
            .doing(Task::Consume(SOURCE_CLAIM)),
        Object::created(WRITER, "writer", Kind::POD, HERE, &[SOURCE_CLAIM]).doing(Task::Write),
        Object::created(SNAPSHOT, "snapshot", Kind::VOLUME_SNAPSHOT, HERE, &[SOURCE_CLAIM]),
        Object::created(RESTORED_CLAIM, "restored", CLAIM, HERE, &[SNAPSHOT]),
        Object::created(RESTORED_CONSUMER, "restored-consumer", Kind::POD, HERE, &[RESTORED_CLAIM])
            .doing(Task::Consume(RESTORED_CLAIM)),
        Object::created(READER, "reader", Kind::POD, HERE, &[RESTORED_CLAIM]).doing(Task::Read),
        Object::derived(CONTENT, "content", Kind::VOLUME_SNAPSHOT_CONTENT, SNAPSHOT, Policy::Deletion),
        Object::derived(SOURCE_VOLUME, "source-volume", Kind::PERSISTENT_VOLUME, SOURCE_CLAIM, Policy::Reclaim),
        Object::derived(RESTORED_VOLUME, "restored-volume", Kind::PERSISTENT_VOLUME, RESTORED_CLAIM, Policy::Reclaim),
    ]
}

/// The source is in use while it is snapshotted. The writer overwrites it on its way out: no exec is needed, and no
/// second start of a pod.
pub(crate) fn program(shape: Shape) -> Program {
    let mut acts = shape.admission(SPACE);
    acts.extend(written(shape));
    acts.extend(snapshotted());
    acts.extend(restored(shape));
    Program::new(objects(), acts)
}

/// Until the data is written, and held.
pub(crate) fn written(shape: Shape) -> [(StepId, Act); 5] {
    [
        (StepId::Provision, Act::Create(SOURCE_CLAIM)),
        (StepId::Provision, shape.bind(SOURCE_CLAIM, SOURCE_CONSUMER)),
        (StepId::Provision, Act::Create(WRITER)),
        (StepId::Provision, Act::Await(WRITER, Progress::Started)),
        (StepId::Write, Act::Await(WRITER, Progress::Written)),
    ]
}

/// The snapshot, and then the overwriting of what was written.
pub(crate) const fn snapshotted() -> [(StepId, Act); 3] {
    [
        (StepId::Snapshot, Act::Create(SNAPSHOT)),
        (StepId::Snapshot, Act::AwaitHeld { object: SNAPSHOT, progress: Progress::Done, holder: WRITER }),
        (StepId::Overwrite, Act::Release(WRITER)),
    ]
}

/// From the restore until the data is read.
pub(crate) fn restored(shape: Shape) -> [(StepId, Act); 5] {
    shape.restored(RESTORED_CLAIM, RESTORED_CONSUMER, READER)
}

/// The manifests.
pub(crate) fn manifest(making: &Making<'_>) -> Option<Manifest> {
    match making.object.id {
        SPACE => Some(objects::namespace(making)),
        SOURCE_CLAIM => Some(objects::source_claim(making)),
        SOURCE_CONSUMER => Some(objects::consumer(making, "source")),
        RESTORED_CONSUMER => Some(objects::consumer(making, "restored")),
        WRITER => Some(objects::writer(making, "source")),
        SNAPSHOT => Some(objects::snapshot(making, "source")),
        RESTORED_CLAIM => {
            let size = objects::restored_bytes(making, SNAPSHOT, making.target.size_bytes);
            Some(objects::restored_claim(making, "snapshot", size))
        }
        READER => Some(objects::reader(making, "restored")),
        _ => None,
    }
}

/// The source's objects, and from the restore on those of the restore.
pub(crate) fn chain(step: StepId, _: &Seen<'_>) -> Chain {
    let restored = matches!(step, StepId::Restore | StepId::Verify);
    let (claim, pods) = if restored {
        (RESTORED_CLAIM, [READER, RESTORED_CONSUMER])
    } else {
        (SOURCE_CLAIM, [WRITER, SOURCE_CONSUMER])
    };
    Chain { claim, pods: pods.to_vec(), snapshot: Some((SNAPSHOT, CONTENT)), waits_as: None }
}
