//! Newline-delimited JSON: the events of a run as they come; the last one holds the report.

use crate::model::{Event, Happening, Report};
use crate::report::json;

/// An event as a line.
pub(crate) fn line(event: &Event) -> String {
    json::one_line(event)
}

/// The line that ends the stream.
pub(crate) fn last_line(report: &Report) -> String {
    let event =
        Event { time: report.run.finished_at, event: Happening::RunFinished { report: Box::new(report.clone()) } };
    line(&event)
}
