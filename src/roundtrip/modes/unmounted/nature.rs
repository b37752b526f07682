//! How its objects behave; read by the walk alone.

use super::OVERWRITER;
use crate::roundtrip::ledger::Progress::{Done, Nothing, Started};
use crate::roundtrip::machine::{Growth, Nature};
use crate::roundtrip::modes::plain::nature::NATURE as PLAIN;
use crate::roundtrip::modes::plain::{
    READER, RESTORED_CLAIM, RESTORED_CONSUMER, SNAPSHOT, SOURCE_CLAIM, SOURCE_CONSUMER, SPACE, WRITER,
};

pub(super) const NATURE: Nature = Nature {
    grows: &[
        Growth::new(SOURCE_CLAIM, Nothing, Done),
        Growth::new(WRITER, Nothing, Started),
        Growth::new(WRITER, Started, Done),
        Growth::new(SNAPSHOT, Nothing, Done),
        Growth::new(OVERWRITER, Nothing, Started),
        Growth::new(OVERWRITER, Started, Done),
        Growth::new(RESTORED_CLAIM, Nothing, Done),
        Growth::new(READER, Nothing, Started),
        Growth::new(READER, Started, Done),
    ],
    fed_by: &[(WRITER, SOURCE_CLAIM), (SNAPSHOT, SOURCE_CLAIM), (OVERWRITER, SOURCE_CLAIM), (READER, RESTORED_CLAIM)],
    used_by: &[(SOURCE_CLAIM, &[WRITER, SOURCE_CONSUMER, OVERWRITER]), (RESTORED_CLAIM, &[READER, RESTORED_CONSUMER])],
    proof: &[WRITER, OVERWRITER, READER],
    outlived_by: &[
        (RESTORED_CLAIM, &[READER, RESTORED_CONSUMER]),
        (SNAPSHOT, &[READER, RESTORED_CONSUMER, RESTORED_CLAIM]),
        (SOURCE_CLAIM, &[WRITER, SOURCE_CONSUMER, OVERWRITER, SNAPSHOT, RESTORED_CLAIM]),
    ],
    gone: &[WRITER],
    foreign: &[SPACE, SOURCE_CLAIM, WRITER, SNAPSHOT, OVERWRITER, READER],
    trouble: (0, 1),
    ..PLAIN
};
