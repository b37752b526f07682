//! The words that everything in this crate shares: what a run reports, what happens while it goes on, and what
//! `snapready_checks::model` says of objects, results and round trips. Nothing here depends on how it is shown.

mod event;
mod report;
mod sweep;

pub use event::{Event, Happening, Target};
pub use report::{
    Leftover, ObjectRecord, PLAIN_MODE, Report, RoundTrip, Run, SCHEMA_VERSION, Source, SourceKind, Step, Summary,
    Tool, Verdict,
};
pub use snapready_checks::knowledge::growth::Growth;
pub use snapready_checks::model::object::{Kind, ObjectName};
pub use snapready_checks::model::result::CheckResult;
pub use snapready_checks::model::round_trip::{Contents, DataVerdict, PodUser, StepId, VolumeMode};
pub use sweep::{Sweep, SweptSize, sweeps};
