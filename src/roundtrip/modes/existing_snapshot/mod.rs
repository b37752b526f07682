//! Restores a snapshot that exists, and looks at what comes back: see `doc.md`. It is chosen by `--from-snapshot`.

#[cfg(test)]
pub(crate) mod nature;

use snapready_checks::knowledge::drivers::capabilities::Ability;

use crate::model::{Kind, StepId};
use crate::roundtrip::existing::Given;
use crate::roundtrip::modes::{Chain, Making, Mode, Seen, Shape};
use crate::roundtrip::objects::{self, Manifest};
use crate::roundtrip::program::{Act, Lies, Object, ObjectId, Policy, Program, Task};

/// The mode.
pub static MODE: Mode = Mode {
    name: "existing-snapshot",
    doc: include_str!("doc.md"),
    program,
    manifest,
    chain,
    passed: |_| None,
    needs: &[Ability::Restore],
    prevented: |_, _, _| None,
    #[cfg(test)]
    nature: nature::NATURE,
};

/// The namespace, which is that of the snapshot.
pub(crate) const SPACE: ObjectId = ObjectId::new(0);
/// The claim that is restored.
pub(crate) const RESTORED_CLAIM: ObjectId = ObjectId::new(1);
/// The pod for whose sake it is bound.
pub(crate) const RESTORED_CONSUMER: ObjectId = ObjectId::new(2);
/// The pod that looks at it.
pub(crate) const READER: ObjectId = ObjectId::new(3);
/// The `PersistentVolume` that is provisioned for it.
pub(crate) const RESTORED_VOLUME: ObjectId = ObjectId::new(4);

/// The objects. What is restored from is none of them: what is not in a program is neither made nor changed nor deleted.
pub(crate) fn objects() -> Vec<Object> {
    const HERE: Lies = Lies::In(SPACE);
    vec![
        Object::space(SPACE, "namespace"),
        Object::created(RESTORED_CLAIM, "restored", Kind::PERSISTENT_VOLUME_CLAIM, HERE, &[]),
        Object::created(RESTORED_CONSUMER, "restored-consumer", Kind::POD, HERE, &[RESTORED_CLAIM])
            .doing(Task::Consume(RESTORED_CLAIM)),
        Object::created(READER, "reader", Kind::POD, HERE, &[RESTORED_CLAIM]).doing(Task::Look),
        Object::derived(RESTORED_VOLUME, "restored-volume", Kind::PERSISTENT_VOLUME, RESTORED_CLAIM, Policy::Reclaim),
    ]
}

fn program(shape: Shape) -> Program {
    let mut acts = shape.admission(SPACE);
    acts.extend(restored(shape));
    Program::new(objects(), acts)
}

/// From the restore until the data was looked at.
pub(crate) fn restored(shape: Shape) -> [(StepId, Act); 5] {
    shape.restored(RESTORED_CLAIM, RESTORED_CONSUMER, READER)
}

/// The manifests.
pub(crate) fn manifest(making: &Making<'_>) -> Option<Manifest> {
    match making.object.id {
        SPACE => Some(objects::namespace(making)),
        RESTORED_CLAIM => {
            let snapshot = making.target.existing_of(Given::Snapshot)?;
            Some(objects::claim_from(making, snapshot, making.target.size_bytes))
        }
        RESTORED_CONSUMER => Some(objects::consumer(making, "restored")),
        READER => Some(objects::looker(making, "restored")),
        _ => None,
    }
}

fn chain(_: StepId, _: &Seen<'_>) -> Chain {
    Chain { claim: RESTORED_CLAIM, pods: vec![READER, RESTORED_CONSUMER], snapshot: None, waits_as: None }
}
