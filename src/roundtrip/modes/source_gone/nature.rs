//! How its objects behave: as those of the plain mode, but the source goes while the snapshot is there.

use crate::roundtrip::machine::Nature;
use crate::roundtrip::modes::plain::nature::NATURE as PLAIN;
use crate::roundtrip::modes::plain::{SNAPSHOT, SOURCE_CLAIM, WRITER};

pub(super) const NATURE: Nature =
    Nature { may_leave: &[(SOURCE_CLAIM, &[SNAPSHOT])], gone: &[WRITER, SOURCE_CLAIM], trouble: (0, 1), ..PLAIN };
