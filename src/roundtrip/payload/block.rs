//! What is written to a raw device: stretches of 4 KiB blocks at its start, its end and between. Every line of a block
//! carries its offset.

use super::content::{Content, Phase, digest};

const BLOCK: u64 = 4096;
/// Single blocks at every sixteenth of the volume.
const PARTS: u64 = 16;
/// The longest stretch, in blocks, and where it begins.
const RUN: u64 = 256;
const RUN_START: u64 = 8;

/// A stretch of blocks, and what it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Extent {
    /// First block.
    pub(super) first: u64,
    /// Number of blocks.
    pub(super) count: u64,
    /// Digest before the snapshot.
    pub(super) before: String,
    /// Digest after the overwriting.
    pub(super) after: String,
    /// Digest of as many zeros.
    pub(super) zeros: String,
}

/// Everything that is written, with its digests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Layout {
    /// In the order of their offsets.
    pub(super) extents: Vec<Extent>,
    /// A sixteenth of the volume, in blocks.
    pub(super) part: u64,
}

impl Layout {
    /// `size_bytes` is the requested size. The device may be larger; what lies behind was never promised.
    pub(super) fn new(content: &Content, size_bytes: u64) -> Self {
        let blocks = (size_bytes / BLOCK).max(1);
        let part = blocks / PARTS;
        let mut places = vec![(0, 1)];
        let run = RUN.min(part.saturating_sub(RUN_START));
        if run > 0 {
            places.push((RUN_START, run));
        }
        places.extend((1..PARTS).map(|n| (part * n, 1)).filter(|(first, _)| *first >= RUN_START + run));
        places.push((blocks - 1, 1));
        places.dedup_by_key(|(first, _)| *first);
        let extent = |(first, count): (u64, u64)| Extent {
            first,
            count,
            before: content.digest(Phase::Before, "block---", count * BLOCK, first * 64),
            after: content.digest(Phase::After, "block---", count * BLOCK, first * 64),
            zeros: digest(&vec![0; usize::try_from(count * BLOCK).unwrap_or(0)]),
        };
        Self { extents: places.into_iter().map(extent).collect(), part }
    }

    /// The shell variables that the scripts need for it.
    pub(super) fn variables(&self) -> String {
        let lines: Vec<String> =
            self.extents.iter().map(|extent| format!("{} {}", extent.first, extent.count)).collect();
        format!("EXTENTS='{}'\n", lines.join("\n"))
    }

    /// The lines between the first and the last of a report about intact data.
    pub(super) fn expected(&self, content: &Content) -> Vec<String> {
        let begins = content.begins(Phase::Before);
        self.extents.iter().map(|extent| format!("b {} {} {begins}", extent.first, extent.before)).collect()
    }
}
