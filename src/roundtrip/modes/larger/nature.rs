//! How its objects behave: as those of the plain mode, of which there are as many.

use crate::roundtrip::machine::Nature;
use crate::roundtrip::modes::plain::nature::NATURE as PLAIN;

pub(super) const NATURE: Nature = PLAIN;
