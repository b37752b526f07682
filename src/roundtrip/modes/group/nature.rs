//! How its objects behave; read by the walk alone. The snapshot-controller makes the members when the group is ready, and their contents
//! with them.

use super::{FIRST, GROUP, GROUP_CONTENT, SECOND, SPACE};
use crate::roundtrip::ledger::Progress::{Done, Nothing, Started, Written};
use crate::roundtrip::machine::{Growth, Nature};

pub(super) const NATURE: Nature = Nature {
    grows: &[
        Growth::new(FIRST.claim, Nothing, Done),
        Growth::new(FIRST.writer, Nothing, Started),
        Growth::new(FIRST.writer, Started, Written),
        Growth::on_deletion(FIRST.writer, Written, Done),
        Growth::new(SECOND.claim, Nothing, Done),
        Growth::new(SECOND.writer, Nothing, Started),
        Growth::new(SECOND.writer, Started, Written),
        Growth::on_deletion(SECOND.writer, Written, Done),
        Growth::new(GROUP, Nothing, Done),
        Growth::new(FIRST.member, Started, Done),
        Growth::new(SECOND.member, Started, Done),
        Growth::new(FIRST.restored, Nothing, Done),
        Growth::new(FIRST.reader, Nothing, Started),
        Growth::new(FIRST.reader, Started, Done),
        Growth::new(SECOND.restored, Nothing, Done),
        Growth::new(SECOND.reader, Nothing, Started),
        Growth::new(SECOND.reader, Started, Done),
    ],
    fed_by: &[
        (FIRST.writer, FIRST.claim),
        (SECOND.writer, SECOND.claim),
        (GROUP, FIRST.claim),
        (GROUP, SECOND.claim),
        (FIRST.reader, FIRST.restored),
        (SECOND.reader, SECOND.restored),
    ],
    bound_for: &[
        (FIRST.claim, &[FIRST.consumer]),
        (SECOND.claim, &[SECOND.consumer]),
        (FIRST.restored, &[FIRST.restored_consumer]),
        (SECOND.restored, &[SECOND.restored_consumer]),
    ],
    used_by: &[
        (FIRST.claim, &[FIRST.writer, FIRST.consumer]),
        (SECOND.claim, &[SECOND.writer, SECOND.consumer]),
        (FIRST.restored, &[FIRST.reader, FIRST.restored_consumer]),
        (SECOND.restored, &[SECOND.reader, SECOND.restored_consumer]),
    ],
    brings: &[
        (FIRST.claim, FIRST.source_volume),
        (SECOND.claim, SECOND.source_volume),
        (GROUP, GROUP_CONTENT),
        (GROUP, FIRST.member),
        (GROUP, SECOND.member),
        (FIRST.member, FIRST.content),
        (SECOND.member, SECOND.content),
        (FIRST.restored, FIRST.restored_volume),
        (SECOND.restored, SECOND.restored_volume),
    ],
    asked_to_go: &[],
    takes: &[],
    stored: None,
    proof: &[FIRST.writer, SECOND.writer, FIRST.reader, SECOND.reader],
    outlived_by: &[
        (FIRST.restored, &[FIRST.reader, FIRST.restored_consumer]),
        (SECOND.restored, &[SECOND.reader, SECOND.restored_consumer]),
        (GROUP, &[FIRST.restored, SECOND.restored]),
        (FIRST.claim, &[FIRST.writer, FIRST.consumer, GROUP]),
        (SECOND.claim, &[SECOND.writer, SECOND.consumer, GROUP]),
    ],
    may_leave: &[],
    gone: &[],
    foreign: &[SPACE, FIRST.claim, SECOND.writer, GROUP, SECOND.reader],
    trouble: (0, 0),
};
