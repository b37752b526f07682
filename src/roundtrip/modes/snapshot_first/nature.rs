//! How its objects behave: as those of the plain mode, but the snapshot goes while the restored claim is there.

use crate::roundtrip::machine::Nature;
use crate::roundtrip::modes::plain::nature::NATURE as PLAIN;
use crate::roundtrip::modes::plain::{READER, RESTORED_CLAIM, RESTORED_CONSUMER, SNAPSHOT};

pub(super) const NATURE: Nature = Nature {
    may_leave: &[(SNAPSHOT, &[READER, RESTORED_CONSUMER, RESTORED_CLAIM])],
    asked_to_go: &[SNAPSHOT],
    trouble: (0, 1),
    ..PLAIN
};
