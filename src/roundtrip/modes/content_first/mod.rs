//! Deletes the content of the snapshot, then the snapshot: see `doc.md`. Its objects are those of the plain mode.

#[cfg(test)]
mod nature;

use snapready_checks::model::facts::Facts;
use snapready_checks::moment::Explanation;
use snapready_checks::roundtrip::round_trip::keeps_snapshots;

use crate::model::StepId;
use crate::roundtrip::ledger::Progress;
use crate::roundtrip::modes::plain::{self, CONTENT};
use crate::roundtrip::modes::{Mode, Shape, snapshot_first};
use crate::roundtrip::plan::{Plan, Target};
use crate::roundtrip::program::{Act, Program};

/// The mode.
pub static MODE: Mode = Mode {
    name: "content-first",
    doc: include_str!("doc.md"),
    program,
    manifest: plain::manifest,
    chain: plain::chain,
    passed,
    needs: &[],
    prevented,
    #[cfg(test)]
    nature: nature::NATURE,
};

/// The content waits for its snapshot, and that for it: each goes when both were asked to.
fn program(shape: Shape) -> Program {
    let first = [
        // By what name it lies there, a look tells.
        (StepId::Restore, Act::Await(CONTENT, Progress::Started)),
        (StepId::Restore, Act::Delete(CONTENT)),
    ];
    snapshot_first::after(shape, &first)
}

fn passed(step: StepId) -> Option<&'static str> {
    (step == StepId::Restore).then_some("restored volume bound, then the content and after it the snapshot deleted")
}

fn prevented(_: &Plan, target: &Target, _: &Facts) -> Option<Explanation> {
    (target.deletion_policy.as_deref() == Some("Retain")).then(|| keeps_snapshots(&target.subject(), MODE.name))
}
