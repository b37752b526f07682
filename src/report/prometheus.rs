//! Gauges for the textfile collector of the node exporter.

use std::fmt::Write as _;

use snapready_checks::model::finding::Status;

use crate::model::{Report, Verdict};
use crate::report::{sanitize, words};

/// The report as gauges.
pub(crate) fn render(report: &Report) -> String {
    let mut text = String::new();
    let source = words::source(report.source.kind);
    let mut ready = Family::new(&mut text, "snapready_ready", "Whether the last run's verdict was READY.");
    ready.sample(&[("source", source)], if report.run.verdict == Verdict::Ready { "1" } else { "0" });
    let mut last = Family::new(&mut text, "snapready_last_run_timestamp_seconds", "When the last run ended.");
    last.sample(&[], &report.run.finished_at.as_second().to_string());
    let mut left = Family::new(&mut text, "snapready_leftover_objects", "Objects that the last run could not remove.");
    left.sample(&[], &report.leftovers.len().to_string());

    let mut checks =
        Family::new(&mut text, "snapready_check_status", "1 for the status that a check has, 0 for the others.");
    for result in &report.results {
        for status in Status::ALL {
            let labels = [
                ("id", result.id.as_str()),
                ("target", result.target.as_deref().unwrap_or_default()),
                ("status", status.word()),
            ];
            checks.sample(&labels, if status == result.status { "1" } else { "0" });
        }
    }
    let mut trips = Family::new(
        &mut text,
        "snapready_roundtrip_status",
        "1 for the status that a round trip has, 0 for the others.",
    );
    for trip in &report.round_trips {
        let volume_mode = format!("{:?}", trip.volume_mode);
        let (mode, size) = (words::mode(&trip.mode), words::size(trip.size_bytes));
        for status in Status::ALL {
            let labels = [
                ("storage_class", trip.storage_class.as_str()),
                ("snapshot_class", trip.snapshot_class.as_deref().unwrap_or_default()),
                ("volume_mode", &volume_mode),
                ("mode", mode.trim_start()),
                ("size", size.trim_start()),
                ("status", status.word()),
            ];
            trips.sample(&labels, if status == trip.status { "1" } else { "0" });
        }
    }
    let mut steps = Family::new(&mut text, "snapready_roundtrip_step_seconds", "How long a step of a round trip took.");
    for trip in &report.round_trips {
        let volume_mode = format!("{:?}", trip.volume_mode);
        let (mode, size) = (words::mode(&trip.mode), words::size(trip.size_bytes));
        for step in &trip.steps {
            let Some(milliseconds) = step.duration_ms else {
                continue;
            };
            let labels = [
                ("storage_class", trip.storage_class.as_str()),
                ("snapshot_class", trip.snapshot_class.as_deref().unwrap_or_default()),
                ("volume_mode", &volume_mode),
                ("mode", mode.trim_start()),
                ("size", size.trim_start()),
                ("step", step.id.word()),
            ];
            steps.sample(&labels, &format!("{}.{:03}", milliseconds / 1_000, milliseconds % 1_000));
        }
    }
    text
}

/// Samples of one name. A sample whose labels are there already is left out: the collector refuses a file with two.
struct Family<'a> {
    text: &'a mut String,
    name: &'static str,
    seen: std::collections::BTreeSet<String>,
}

impl<'a> Family<'a> {
    fn new(text: &'a mut String, name: &'static str, help: &str) -> Self {
        // Writing to a String cannot fail.
        let _ = write!(text, "# HELP {name} {help}\n# TYPE {name} gauge\n");
        Self { text, name, seen: std::collections::BTreeSet::new() }
    }

    fn sample(&mut self, labels: &[(&str, &str)], value: &str) {
        // The mode is named only where it is another than the plain one, the size where there are several; an empty label is none.
        let labels = labels.iter().filter(|(name, value)| !(matches!(*name, "mode" | "size") && value.is_empty()));
        let labels: Vec<_> = labels.map(|(name, value)| format!("{name}=\"{}\"", label_value(value))).collect();
        let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
        if self.seen.insert(labels.clone()) {
            let _ = writeln!(self.text, "{}{labels} {value}", self.name);
        }
    }
}

fn label_value(text: &str) -> String {
    sanitize::line(text, 200).replace('\\', "\\\\").replace('"', "\\\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn label_values_are_escaped() {
        assert_eq!(label_value("a\"b\\c\nd\u{1b}[1m"), "a\\\"b\\\\c d");
    }

    #[test]
    fn a_sample_appears_once() {
        let mut text = String::new();
        let mut family = Family::new(&mut text, "name", "help");
        family.sample(&[("a", "b")], "1");
        family.sample(&[("a", "b")], "0");
        assert_eq!(text, "# HELP name help\n# TYPE name gauge\nname{a=\"b\"} 1\n");
    }
}
