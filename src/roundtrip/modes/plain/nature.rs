//! How the objects of the plain round trip behave; read by the walk alone.

use super::{
    CONTENT, READER, RESTORED_CLAIM, RESTORED_CONSUMER, RESTORED_VOLUME, SNAPSHOT, SOURCE_CLAIM, SOURCE_CONSUMER,
    SOURCE_VOLUME, SPACE, WRITER,
};
use crate::roundtrip::ledger::Progress::{Done, Nothing, Started, Written};
use crate::roundtrip::machine::{Growth, Nature};

pub(crate) const NATURE: Nature = Nature {
    grows: &[
        Growth::new(SOURCE_CLAIM, Nothing, Done),
        Growth::new(WRITER, Nothing, Started),
        Growth::new(WRITER, Started, Written),
        Growth::on_deletion(WRITER, Written, Done),
        Growth::new(SNAPSHOT, Nothing, Done),
        Growth::new(RESTORED_CLAIM, Nothing, Done),
        Growth::new(READER, Nothing, Started),
        Growth::new(READER, Started, Done),
    ],
    fed_by: &[(WRITER, SOURCE_CLAIM), (SNAPSHOT, SOURCE_CLAIM), (READER, RESTORED_CLAIM)],
    bound_for: &[(SOURCE_CLAIM, &[SOURCE_CONSUMER]), (RESTORED_CLAIM, &[RESTORED_CONSUMER])],
    used_by: &[(SOURCE_CLAIM, &[WRITER, SOURCE_CONSUMER]), (RESTORED_CLAIM, &[READER, RESTORED_CONSUMER])],
    brings: &[(SOURCE_CLAIM, SOURCE_VOLUME), (RESTORED_CLAIM, RESTORED_VOLUME), (SNAPSHOT, CONTENT)],
    takes: &[],
    stored: None,
    proof: &[WRITER, READER],
    outlived_by: &[
        (RESTORED_CLAIM, &[READER, RESTORED_CONSUMER]),
        (SNAPSHOT, &[READER, RESTORED_CONSUMER, RESTORED_CLAIM]),
        (SOURCE_CLAIM, &[WRITER, SOURCE_CONSUMER, SNAPSHOT, RESTORED_CLAIM]),
    ],
    may_leave: &[],
    gone: &[],
    asked_to_go: &[],
    foreign: &[SPACE, SOURCE_CLAIM, WRITER, SNAPSHOT, READER],
    trouble: (1, 1),
};
