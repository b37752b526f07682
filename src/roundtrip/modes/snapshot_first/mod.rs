//! Deletes the snapshot before the restored data is read: see `doc.md`. Its objects are those of the plain mode.

#[cfg(test)]
mod nature;

use crate::model::StepId;
use crate::roundtrip::ledger::Progress;
use crate::roundtrip::modes::plain::{self, CONTENT, READER, RESTORED_CLAIM, RESTORED_CONSUMER, SNAPSHOT, SPACE};
use crate::roundtrip::modes::{Mode, Shape};
use crate::roundtrip::program::{Act, Program};

/// The mode.
pub static MODE: Mode = Mode {
    name: "snapshot-first",
    doc: include_str!("doc.md"),
    program,
    manifest: plain::manifest,
    chain: plain::chain,
    passed,
    needs: &[],
    prevented: |_, _, _| None,
    #[cfg(test)]
    nature: nature::NATURE,
};

fn program(shape: Shape) -> Program {
    after(shape, &[])
}

/// The snapshot goes, after something else was done to it, before what was restored from it is read. The snapshot-controller keeps a
/// snapshot from which a claim is being restored, and one whose content is still there.
pub(super) fn after(shape: Shape, first: &[(StepId, Act)]) -> Program {
    let mut acts = shape.admission(SPACE);
    acts.extend(plain::written(shape));
    acts.extend(plain::snapshotted());
    acts.extend([
        (StepId::Restore, Act::Create(RESTORED_CLAIM)),
        (StepId::Restore, shape.bind(RESTORED_CLAIM, RESTORED_CONSUMER)),
    ]);
    acts.extend_from_slice(first);
    acts.extend([
        (StepId::Restore, Act::Delete(SNAPSHOT)),
        (StepId::Restore, Act::AwaitGone(SNAPSHOT)),
        (StepId::Restore, Act::AwaitGone(CONTENT)),
        (StepId::Verify, Act::Create(READER)),
        (StepId::Verify, Act::Await(READER, Progress::Done)),
    ]);
    Program::new(plain::objects(), acts)
}

fn passed(step: StepId) -> Option<&'static str> {
    (step == StepId::Restore).then_some("restored volume bound, then the snapshot deleted")
}
