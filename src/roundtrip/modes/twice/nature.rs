//! How its objects behave; read by the walk alone.

use super::{SECOND_CLAIM, SECOND_CONSUMER, SECOND_CONTENT, SECOND_READER, SECOND_SNAPSHOT, SECOND_VOLUME};
use crate::roundtrip::ledger::Progress::{Done, Nothing, Started, Written};
use crate::roundtrip::machine::{Growth, Nature};
use crate::roundtrip::modes::plain::{
    CONTENT, READER, RESTORED_CLAIM, RESTORED_CONSUMER, RESTORED_VOLUME, SNAPSHOT, SOURCE_CLAIM, SOURCE_CONSUMER,
    SOURCE_VOLUME, SPACE, WRITER,
};

pub(super) const NATURE: Nature = Nature {
    grows: &[
        Growth::new(SOURCE_CLAIM, Nothing, Done),
        Growth::new(WRITER, Nothing, Started),
        Growth::new(WRITER, Started, Written),
        Growth::on_deletion(WRITER, Written, Done),
        Growth::new(SNAPSHOT, Nothing, Done),
        Growth::new(SECOND_SNAPSHOT, Nothing, Done),
        Growth::new(RESTORED_CLAIM, Nothing, Done),
        Growth::new(READER, Nothing, Started),
        Growth::new(READER, Started, Done),
        Growth::new(SECOND_CLAIM, Nothing, Done),
        Growth::new(SECOND_READER, Nothing, Started),
        Growth::new(SECOND_READER, Started, Done),
    ],
    fed_by: &[
        (WRITER, SOURCE_CLAIM),
        (SNAPSHOT, SOURCE_CLAIM),
        (SECOND_SNAPSHOT, SOURCE_CLAIM),
        (READER, RESTORED_CLAIM),
        (SECOND_READER, SECOND_CLAIM),
    ],
    bound_for: &[
        (SOURCE_CLAIM, &[SOURCE_CONSUMER]),
        (RESTORED_CLAIM, &[RESTORED_CONSUMER]),
        (SECOND_CLAIM, &[SECOND_CONSUMER]),
    ],
    used_by: &[
        (SOURCE_CLAIM, &[WRITER, SOURCE_CONSUMER]),
        (RESTORED_CLAIM, &[READER, RESTORED_CONSUMER]),
        (SECOND_CLAIM, &[SECOND_READER, SECOND_CONSUMER]),
    ],
    brings: &[
        (SOURCE_CLAIM, SOURCE_VOLUME),
        (RESTORED_CLAIM, RESTORED_VOLUME),
        (SNAPSHOT, CONTENT),
        (SECOND_CLAIM, SECOND_VOLUME),
        (SECOND_SNAPSHOT, SECOND_CONTENT),
    ],
    takes: &[],
    stored: None,
    proof: &[WRITER, READER, SECOND_READER],
    outlived_by: &[
        (RESTORED_CLAIM, &[READER, RESTORED_CONSUMER]),
        (SNAPSHOT, &[READER, RESTORED_CONSUMER, RESTORED_CLAIM]),
        (SECOND_CLAIM, &[SECOND_READER, SECOND_CONSUMER]),
        (SECOND_SNAPSHOT, &[SECOND_READER, SECOND_CONSUMER, SECOND_CLAIM]),
        (SOURCE_CLAIM, &[WRITER, SOURCE_CONSUMER, SNAPSHOT, RESTORED_CLAIM, SECOND_SNAPSHOT, SECOND_CLAIM]),
    ],
    may_leave: &[],
    gone: &[READER, RESTORED_CLAIM, SNAPSHOT],
    asked_to_go: &[],
    foreign: &[SPACE, SOURCE_CLAIM, WRITER, SNAPSHOT, SECOND_SNAPSHOT, SECOND_CLAIM, SECOND_READER],
    trouble: (0, 0),
};
