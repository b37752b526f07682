//! How the objects of a restore behave whose snapshot is nobody's of the run; read by the walk alone.

use super::{READER, RESTORED_CLAIM, RESTORED_CONSUMER, RESTORED_VOLUME, SPACE};
use crate::roundtrip::ledger::Progress::{Done, Nothing, Started};
use crate::roundtrip::machine::{Growth, Nature};

pub(super) const NATURE: Nature = Nature {
    grows: &[
        Growth::new(RESTORED_CLAIM, Nothing, Done),
        Growth::new(READER, Nothing, Started),
        Growth::new(READER, Started, Done),
    ],
    fed_by: &[(READER, RESTORED_CLAIM)],
    bound_for: &[(RESTORED_CLAIM, &[RESTORED_CONSUMER])],
    used_by: &[(RESTORED_CLAIM, &[READER, RESTORED_CONSUMER])],
    brings: &[(RESTORED_CLAIM, RESTORED_VOLUME)],
    takes: &[],
    stored: None,
    proof: &[READER],
    outlived_by: &[(RESTORED_CLAIM, &[READER, RESTORED_CONSUMER])],
    may_leave: &[],
    gone: &[],
    asked_to_go: &[],
    foreign: &[SPACE, RESTORED_CLAIM, READER],
    trouble: (1, 1),
};
