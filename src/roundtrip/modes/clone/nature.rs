//! How its objects behave; read by the walk alone.

use super::{CLONE, CLONE_CONSUMER, CLONED_VOLUME, READER, SOURCE_VOLUME};
use crate::roundtrip::ledger::Progress::{Done, Nothing, Started, Written};
use crate::roundtrip::machine::{Growth, Nature};
use crate::roundtrip::modes::plain::{SOURCE_CLAIM, SOURCE_CONSUMER, SPACE, WRITER};

pub(super) const NATURE: Nature = Nature {
    grows: &[
        Growth::new(SOURCE_CLAIM, Nothing, Done),
        Growth::new(WRITER, Nothing, Started),
        Growth::new(WRITER, Started, Written),
        Growth::on_deletion(WRITER, Written, Done),
        Growth::new(CLONE, Nothing, Done),
        Growth::new(READER, Nothing, Started),
        Growth::new(READER, Started, Done),
    ],
    fed_by: &[(WRITER, SOURCE_CLAIM), (CLONE, SOURCE_CLAIM), (READER, CLONE)],
    bound_for: &[(SOURCE_CLAIM, &[SOURCE_CONSUMER]), (CLONE, &[CLONE_CONSUMER])],
    used_by: &[(SOURCE_CLAIM, &[WRITER, SOURCE_CONSUMER]), (CLONE, &[READER, CLONE_CONSUMER])],
    brings: &[(SOURCE_CLAIM, SOURCE_VOLUME), (CLONE, CLONED_VOLUME)],
    takes: &[],
    stored: None,
    proof: &[WRITER, READER],
    outlived_by: &[(CLONE, &[READER, CLONE_CONSUMER]), (SOURCE_CLAIM, &[WRITER, SOURCE_CONSUMER, CLONE])],
    may_leave: &[],
    gone: &[],
    asked_to_go: &[],
    foreign: &[SPACE, SOURCE_CLAIM, WRITER, CLONE, READER],
    trouble: (0, 1),
};
