//! How a report is shown.

use crate::report::style::{Glyphs, Styles};

/// How much the human format shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Verbosity {
    /// Nothing; the exit code says it. Other formats do not change.
    Silent,
    /// What is not right, and the verdict.
    Quiet,
    /// Everything, with details where something is not right.
    #[default]
    Normal,
    /// Evidence for what passed too.
    Verbose,
}

/// How a report is shown. The default is what a file gets: plain, not wrapped.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct RenderOptions {
    /// Styles of the human format.
    pub styles: Styles,
    /// Whether the human format uses ASCII only.
    pub ascii: bool,
    /// Columns of the terminal; `None` if it is none, and then nothing is wrapped. Clamped to 60..=120.
    pub width: Option<usize>,
    /// How much is shown.
    pub verbosity: Verbosity,
    /// Whether warnings make the verdict `NOT READY` (`--fail-on warn`): `JUnit` then shows them as failures.
    pub warnings_fail: bool,
}

impl RenderOptions {
    /// The same for a file: no styles, no width.
    #[must_use]
    pub fn for_file(self) -> Self {
        Self { styles: Styles::plain(), width: None, ..self }
    }

    /// The signs that fit.
    #[must_use]
    pub fn glyphs(&self) -> Glyphs {
        Glyphs::new(self.ascii)
    }
}
