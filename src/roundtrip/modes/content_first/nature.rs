//! How its objects behave: as in the mode snapshot-first. The content is kept as long as its snapshot is there.
//! That mode's walk tries what goes wrong; here it would be nearly the same again.

use crate::roundtrip::machine::Nature;
use crate::roundtrip::modes::plain::nature::NATURE as PLAIN;
use crate::roundtrip::modes::plain::{
    CONTENT, READER, RESTORED_CLAIM, RESTORED_CONSUMER, SNAPSHOT, SOURCE_CLAIM, SOURCE_CONSUMER, WRITER,
};

pub(super) const NATURE: Nature = Nature {
    used_by: &[
        (SOURCE_CLAIM, &[WRITER, SOURCE_CONSUMER]),
        (RESTORED_CLAIM, &[READER, RESTORED_CONSUMER]),
        (CONTENT, &[SNAPSHOT]),
    ],
    may_leave: &[(SNAPSHOT, &[READER, RESTORED_CONSUMER, RESTORED_CLAIM])],
    asked_to_go: &[CONTENT, SNAPSHOT],
    trouble: (0, 0),
    ..PLAIN
};
