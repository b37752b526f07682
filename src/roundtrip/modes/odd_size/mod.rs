//! A volume whose size is not a round number: see `doc.md`. It differs from the plain mode in how two objects are made.

use crate::roundtrip::modes::plain::{self, RESTORED_CLAIM, SNAPSHOT, SOURCE_CLAIM};
use crate::roundtrip::modes::{Making, Mode};
use crate::roundtrip::objects::{self, Manifest};

/// The mode.
pub static MODE: Mode = Mode {
    name: "odd-size",
    doc: include_str!("doc.md"),
    program: plain::program,
    manifest,
    chain: plain::chain,
    passed: |_| None,
    needs: &[],
    prevented: |_, _, _| None,
    #[cfg(test)]
    nature: plain::nature::NATURE,
};

/// What makes a size odd: no multiple of a kibibyte, and of nothing larger.
const MORE: u64 = 12_345_678;

fn manifest(making: &Making<'_>) -> Option<Manifest> {
    let size = making.target.size_bytes.saturating_add(MORE);
    match making.object.id {
        SOURCE_CLAIM => Some(objects::sized_claim(making, size)),
        RESTORED_CLAIM => {
            let size = objects::restored_bytes(making, SNAPSHOT, size);
            Some(objects::restored_claim(making, "snapshot", size))
        }
        _ => plain::manifest(making),
    }
}
