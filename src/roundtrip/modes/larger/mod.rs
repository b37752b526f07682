//! Restores into a larger volume: see `doc.md`. It differs from the plain mode in how two objects are made.

use snapready_checks::knowledge::drivers::capabilities::Ability;

use crate::model::StepId;
use crate::roundtrip::modes::plain::{self, READER, RESTORED_CLAIM, SNAPSHOT, SOURCE_CLAIM};
use crate::roundtrip::modes::{Making, Mode, Shape};
use crate::roundtrip::objects::{self, Manifest};
use crate::roundtrip::program::{Object, Program, Task};

/// The mode.
pub static MODE: Mode = Mode {
    name: "larger",
    doc: include_str!("doc.md"),
    program,
    manifest,
    chain: plain::chain,
    passed,
    needs: &[Ability::Expand],
    prevented: |_, _, _| None,
    #[cfg(test)]
    nature: plain::nature::NATURE,
};

fn program(shape: Shape) -> Program {
    let plain = plain::program(shape);
    let sized = |object: &Object| match object.id {
        READER => object.clone().doing(Task::ReadSized),
        _ => object.clone(),
    };
    Program::new(plain.objects().iter().map(sized).collect(), plain.acts().to_vec())
}

fn manifest(making: &Making<'_>) -> Option<Manifest> {
    match making.object.id {
        RESTORED_CLAIM => Some(objects::restored_claim(making, "snapshot", size(making))),
        READER => Some(objects::sized_reader(making, "restored", size(making))),
        _ => plain::manifest(making),
    }
}

/// Twice what the source has, as far as that is known.
fn size(making: &Making<'_>) -> u64 {
    // Once it was asked for, that is what counts.
    if let Some(asked) = making.seen.get(RESTORED_CLAIM).and_then(objects::requested) {
        return asked;
    }
    let snapshot = objects::restored_bytes(making, SNAPSHOT, making.target.size_bytes);
    objects::as_large_as(making, SOURCE_CLAIM, snapshot).saturating_mul(2)
}

fn passed(step: StepId) -> Option<&'static str> {
    match step {
        StepId::Restore => Some("restored volume of twice the size bound, pod started"),
        StepId::Verify => Some(
            "the restored data is what was written before the snapshot, and the volume is as large as was asked for",
        ),
        _ => None,
    }
}
