//! Restores after the source was deleted: see `doc.md`. Its objects are those of the plain mode.

#[cfg(test)]
mod nature;

use crate::model::StepId;
use crate::roundtrip::modes::plain::{self, SOURCE_CLAIM, SOURCE_VOLUME, SPACE, WRITER};
use crate::roundtrip::modes::{Mode, Shape};
use crate::roundtrip::program::{Act, Program};

/// The mode.
pub static MODE: Mode = Mode {
    name: "source-gone",
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

/// The claim goes when its pods have gone, as Kubernetes keeps it for them.
fn program(shape: Shape) -> Program {
    let mut acts = shape.admission(SPACE);
    acts.extend(plain::written(shape));
    acts.extend(plain::snapshotted());
    acts.extend([
        (StepId::Overwrite, Act::Remove(WRITER)),
        (StepId::Overwrite, Act::Remove(SOURCE_CLAIM)),
        (StepId::Overwrite, Act::AwaitGone(SOURCE_VOLUME)),
    ]);
    acts.extend(plain::restored(shape));
    Program::new(plain::objects(), acts)
}

fn passed(step: StepId) -> Option<&'static str> {
    (step == StepId::Overwrite).then_some("source overwritten after the snapshot, and deleted")
}
