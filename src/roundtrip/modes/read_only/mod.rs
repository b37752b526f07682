//! Restores into a volume that many pods read and none writes: see `doc.md`. It differs from the plain mode in how some objects
//! are made.

use crate::model::StepId;
use crate::roundtrip::modes::plain::{self, READER, RESTORED_CLAIM, RESTORED_CONSUMER};
use crate::roundtrip::modes::{Making, Mode};
use crate::roundtrip::objects::{self, Manifest};

/// The mode.
pub static MODE: Mode = Mode {
    name: "read-only",
    doc: include_str!("doc.md"),
    program: plain::program,
    manifest,
    chain: plain::chain,
    passed,
    needs: &[],
    prevented: |_, _, _| None,
    #[cfg(test)]
    nature: plain::nature::NATURE,
};

fn manifest(making: &Making<'_>) -> Option<Manifest> {
    let manifest = plain::manifest(making)?;
    Some(match making.object.id {
        RESTORED_CLAIM => objects::read_by_many(manifest),
        RESTORED_CONSUMER | READER => objects::with_read_only_claim(manifest),
        _ => manifest,
    })
}

fn passed(step: StepId) -> Option<&'static str> {
    (step == StepId::Restore).then_some("restored volume bound as ReadOnlyMany, pod started")
}
