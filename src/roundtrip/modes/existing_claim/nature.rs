//! How its objects behave: as those of a restore from an existing snapshot, with a snapshot that is the run's. Its claim is
//! somebody else's, and does not go away.

use super::{CONTENT, READER, RESTORED_CLAIM, RESTORED_CONSUMER, SNAPSHOT, SPACE};
use crate::roundtrip::ledger::Progress::{Done, Nothing, Started};
use crate::roundtrip::machine::{Growth, Nature};
use crate::roundtrip::modes::existing_snapshot::RESTORED_VOLUME;

pub(super) const NATURE: Nature = Nature {
    grows: &[
        Growth::new(SNAPSHOT, Nothing, Done),
        Growth::new(RESTORED_CLAIM, Nothing, Done),
        Growth::new(READER, Nothing, Started),
        Growth::new(READER, Started, Done),
    ],
    fed_by: &[(READER, RESTORED_CLAIM)],
    bound_for: &[(RESTORED_CLAIM, &[RESTORED_CONSUMER])],
    used_by: &[(RESTORED_CLAIM, &[READER, RESTORED_CONSUMER])],
    brings: &[(RESTORED_CLAIM, RESTORED_VOLUME), (SNAPSHOT, CONTENT)],
    takes: &[],
    stored: None,
    proof: &[SNAPSHOT, READER],
    outlived_by: &[
        (RESTORED_CLAIM, &[READER, RESTORED_CONSUMER]),
        (SNAPSHOT, &[READER, RESTORED_CONSUMER, RESTORED_CLAIM]),
    ],
    may_leave: &[],
    gone: &[],
    asked_to_go: &[],
    foreign: &[SPACE, SNAPSHOT, RESTORED_CLAIM, READER],
    trouble: (1, 1),
};
