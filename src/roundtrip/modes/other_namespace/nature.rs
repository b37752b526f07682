//! How its objects behave; read by the walk alone. A content that a run creates for a handle takes the snapshot in the storage with
//! it once it is bound to its snapshot, and goes with that.

use super::{IMPORTED_CONTENT, IMPORTED_SNAPSHOT, OTHER_SPACE};
use crate::roundtrip::ledger::Progress::{Done, Nothing, Started, Written};
use crate::roundtrip::machine::{Growth, Nature, Stored};
use crate::roundtrip::modes::plain::nature::NATURE as PLAIN;
use crate::roundtrip::modes::plain::{
    CONTENT, READER, RESTORED_CLAIM, RESTORED_CONSUMER, SNAPSHOT, SOURCE_CLAIM, SOURCE_CONSUMER, SPACE, WRITER,
};

pub(super) const NATURE: Nature = Nature {
    grows: &[
        Growth::new(SOURCE_CLAIM, Nothing, Done),
        Growth::new(WRITER, Nothing, Started),
        Growth::new(WRITER, Started, Written),
        Growth::on_deletion(WRITER, Written, Done),
        Growth::new(SNAPSHOT, Nothing, Done),
        Growth::new(IMPORTED_SNAPSHOT, Nothing, Done),
        Growth::new(RESTORED_CLAIM, Nothing, Done),
        Growth::new(READER, Nothing, Started),
        Growth::new(READER, Started, Done),
    ],
    fed_by: &[
        (WRITER, SOURCE_CLAIM),
        (SNAPSHOT, SOURCE_CLAIM),
        (IMPORTED_SNAPSHOT, IMPORTED_CONTENT),
        (READER, RESTORED_CLAIM),
    ],
    takes: &[(IMPORTED_SNAPSHOT, IMPORTED_CONTENT)],
    stored: Some(Stored { by: (SNAPSHOT, CONTENT), then: (IMPORTED_SNAPSHOT, IMPORTED_CONTENT) }),
    outlived_by: &[
        (RESTORED_CLAIM, &[READER, RESTORED_CONSUMER]),
        (IMPORTED_SNAPSHOT, &[RESTORED_CLAIM]),
        (IMPORTED_CONTENT, &[IMPORTED_SNAPSHOT]),
        (OTHER_SPACE, &[READER, RESTORED_CONSUMER, RESTORED_CLAIM, IMPORTED_SNAPSHOT]),
        (SNAPSHOT, &[IMPORTED_SNAPSHOT, IMPORTED_CONTENT]),
        (SOURCE_CLAIM, &[WRITER, SOURCE_CONSUMER, SNAPSHOT, IMPORTED_CONTENT, RESTORED_CLAIM]),
    ],
    may_leave: &[(SNAPSHOT, &[IMPORTED_SNAPSHOT, IMPORTED_CONTENT])],
    gone: &[SNAPSHOT, CONTENT],
    foreign: &[SPACE, OTHER_SPACE, SNAPSHOT, IMPORTED_CONTENT, IMPORTED_SNAPSHOT, RESTORED_CLAIM],
    trouble: (0, 1),
    ..PLAIN
};
