//! The streams of a run, decided once: reports to stdout and files, everything else to stderr.

use std::io::Write;
use std::path::PathBuf;

use crate::facts::files::Skipped;
use crate::report::options::RenderOptions;
use crate::report::output::Outputs;
use crate::report::progress::{ProgressMode, ProgressOptions};
use crate::report::sanitize;

/// Everything that a run needs to show itself.
pub(crate) struct Screens {
    /// Where reports go.
    pub(crate) outputs: Outputs,
    /// How the human format looks.
    pub(crate) render: RenderOptions,
    /// Whether and how progress is shown.
    pub(crate) progress: (ProgressMode, ProgressOptions),
    /// The folder for the manifests of fixes.
    pub(crate) fix_manifests: Option<PathBuf>,
}

/// Writes an error to stderr.
pub(super) fn write_error(message: &str) {
    // Nobody is left to tell when stderr is closed.
    let _ = writeln!(std::io::stderr(), "error: {message}");
}

/// So many files that were not read are named.
const NAMED: usize = 10;

/// Says which files were not read.
pub(crate) fn not_read(skipped: &[Skipped]) {
    for Skipped { place, why } in skipped.iter().take(NAMED) {
        note(&sanitize::line(&format!("not read: {place}: {why}"), 300));
    }
    if let Some(more @ 1..) = skipped.len().checked_sub(NAMED) {
        note(&format!("not read: {more} more"));
    }
}

/// Writes to stderr what must be known and is no error.
pub(crate) fn note(message: &str) {
    let _ = writeln!(std::io::stderr(), "{message}");
}
