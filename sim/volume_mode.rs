//! The two volume modes.

/// How a volume is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    Filesystem,
    Block,
}
