//! Markdown for the summary page of a pipeline: the verdict first, then tables, then details of what is not right.

use crate::model::{CheckResult, Report, RoundTrip, StepId, Sweep};
use crate::report::matrix::{Matrix, took};
use crate::report::sanitize::{self, markdown};
use crate::report::words;

/// The report in Markdown.
pub(crate) fn render(report: &Report) -> String {
    let mut blocks = vec![heading(report)];
    let stands = |result: &&CheckResult| result.status.is_problem() && result.follows_from.is_none();
    let problems: Vec<_> = report.results.iter().filter(stands).collect();
    blocks.extend(Matrix::of(&report.round_trips, "→").map(|matrix| all_round_trips(&matrix)));
    blocks.extend(report.round_trips.iter().map(round_trip));
    blocks.extend(report.sweeps.iter().map(sweep));
    for problem in problems {
        let consequences: Vec<_> =
            report.results.iter().filter(|result| words::is_consequence(result, problem)).map(consequence).collect();
        let after = if consequences.is_empty() { String::new() } else { format!("\n\n{}", consequences.join("\n")) };
        blocks.push(details(problem, "###") + &after);
    }
    if !report.run.errors.is_empty() {
        let errors: Vec<_> = report.run.errors.iter().map(|error| format!("- {}", markdown(error))).collect();
        blocks.push(format!("### What kept the run from an answer\n\n{}", errors.join("\n")));
    }
    let left: Vec<String> = report.leftovers.iter().map(words::leftover).collect();
    let kept = report.kept.iter().map(words::object).collect();
    for (heading, objects) in [("Left behind", left), ("Kept, as --keep says", kept)] {
        if !objects.is_empty() {
            let objects: Vec<_> = objects.iter().map(|object| format!("- {}", markdown(object))).collect();
            blocks.push(format!("### {heading}\n\n{}", objects.join("\n")));
        }
    }
    if let Some(command) = report.cleanup_command.as_deref().and_then(sanitize::command) {
        blocks.push(format!("Remove with\n\n{}", code_block(&[command])));
    }
    if !report.results.is_empty() {
        blocks.push(results(&report.results));
    }
    blocks.join("\n\n") + "\n"
}

fn heading(report: &Report) -> String {
    let simulated = words::simulated(report.source.kind).map(|word| format!(" ({word})")).unwrap_or_default();
    let mut about = words::summary(&report.summary);
    about.extend(words::caveats(report).iter().map(|caveat| markdown(caveat)));
    about.push(words::duration(report.run.duration_ms));
    let mut source = vec![format!("{} {}", markdown(&report.tool.name), markdown(&report.tool.version))];
    source.extend(report.source.context.iter().map(|context| format!("context {}", markdown(context))));
    source.extend(report.source.files.iter().map(|file| format!("file {}", markdown(file))));
    source.extend(report.source.as_of.map(|time| format!("as of {time}")));
    source.extend(report.source.server_version.iter().map(|version| format!("server {}", markdown(version))));
    source.push(format!("run {}", markdown(&report.run.id)));
    let verdict = words::verdict(report.run.verdict);
    format!("## {verdict}{simulated}\n\n{}\n\n{}", about.join(" · "), source.join(" · "))
}

fn results(results: &[CheckResult]) -> String {
    let mut lines = vec!["### Checks".to_owned(), String::new(), "| Status | Check | What | Found |".to_owned()];
    lines.push("|---|---|---|---|".to_owned());
    for result in results {
        let target = result.target.as_ref().map(|target| format!("{}: ", markdown(target))).unwrap_or_default();
        lines.push(format!(
            "| {} | {} | {} | {target}{} |",
            result.status.word(),
            markdown(&result.id),
            markdown(&result.title),
            markdown(&result.message),
        ));
    }
    lines.join("\n")
}

fn round_trip(trip: &RoundTrip) -> String {
    let mut lines = vec![
        format!("### Round trip {}: {}", markdown(&words::round_trip(trip, "→")), trip.status.word()),
        String::new(),
        "| Status | Step | Time | |".to_owned(),
        "|---|---|---:|---|".to_owned(),
    ];
    for step in &trip.steps {
        let time = step.duration_ms.map(words::duration).unwrap_or_default();
        let message = markdown(&step.message);
        lines.push(format!("| {} | {} | {time} | {message} |", step.status.word(), step.id.title()));
    }
    if let Some(data) = trip.data.filter(|data| !data.is_good()) {
        lines.extend([String::new(), format!("Data {}", words::data(data))]);
    }
    if let Some(diagnosis) = &trip.diagnosis {
        lines.push(String::new());
        lines.push(match words::follows_from(diagnosis) {
            Some(from) => {
                format!("{} {}: {}", markdown(&diagnosis.id), markdown(&from), markdown(&diagnosis.message))
            }
            None => details(diagnosis, "####"),
        });
    }
    lines.join("\n")
}

/// Targets in rows, modes in columns.
fn all_round_trips(matrix: &Matrix<'_>) -> String {
    let modes: Vec<String> = matrix.modes.iter().map(|mode| markdown(mode)).collect();
    let mut lines = vec![
        "### All round trips".to_owned(),
        String::new(),
        format!("| Target | {} |", modes.join(" | ")),
        format!("|---|{}", "---|".repeat(modes.len())),
    ];
    for (target, row) in &matrix.rows {
        let cell = |trip: Option<&RoundTrip>| {
            trip.map(|trip| format!("{} {}", trip.status.word(), took(trip)).trim_end().to_owned()).unwrap_or_default()
        };
        let cells: Vec<String> = row.iter().map(|trip| cell(*trip)).collect();
        lines.push(format!("| {} | {} |", markdown(target), cells.join(" | ")));
    }
    lines.join("\n")
}

/// The times of each size, and what they depend on.
fn sweep(sweep: &Sweep) -> String {
    let classes = words::classes(&sweep.storage_class, sweep.snapshot_class.as_deref(), "→");
    let title = format!("{classes} {:?}{}", sweep.volume_mode, words::mode(&sweep.mode));
    let mut lines = vec![
        format!("### Sizes {}", markdown(&title)),
        String::new(),
        format!("| Size | {} | {} |", StepId::Snapshot.title(), StepId::Restore.title()),
        "|---:|---:|---:|".to_owned(),
    ];
    for size in &sweep.sizes {
        let time = |took: Option<u64>| took.map(words::duration).unwrap_or_default();
        lines.push(format!("| {} | {} | {} |", words::swept_size(size), time(size.snapshot_ms), time(size.restore_ms)));
    }
    lines.push(String::new());
    for (step, growth) in [(StepId::Snapshot, &sweep.snapshot), (StepId::Restore, &sweep.restore)] {
        lines.push(format!("- {}: {}", step.title(), markdown(&words::growth(growth))));
    }
    lines.join("\n")
}

/// A result in the list below what it follows from.
fn consequence(result: &CheckResult) -> String {
    let target = result.target.as_ref().map(|target| format!("{}: ", markdown(target))).unwrap_or_default();
    format!("- so: {} {target}{}", markdown(&result.id), markdown(&result.message))
}

fn details(result: &CheckResult, level: &str) -> String {
    let mut lines = vec![
        format!("{level} {} {}: {}", markdown(&result.id), result.status.word(), markdown(&result.title)),
        String::new(),
        markdown(&result.message),
        String::new(),
    ];
    lines.extend(result.evidence.iter().map(|piece| format!("- seen: {}", markdown(&words::evidence(piece)))));
    lines.extend(result.cause.iter().map(|cause| format!("- cause: {}", markdown(cause))));
    if let Some(fix) = &result.fix {
        if !fix.text.trim().is_empty() {
            lines.push(format!("- fix: {}", markdown(&fix.text)));
        }
        let commands: Vec<_> = fix.commands.iter().map(ToString::to_string).collect();
        let commands: Vec<_> = commands.iter().filter_map(|command| sanitize::command(command)).collect();
        if !commands.is_empty() {
            lines.extend([String::new(), code_block(&commands)]);
        }
        if let Some(manifest) = fix.manifest.as_deref().and_then(sanitize::manifest) {
            lines.extend([String::new(), code_block(&manifest)]);
        }
    }
    lines.extend([
        String::new(),
        format!("More: `snapready explain {}`", sanitize::line(&result.id, 20).replace('`', "")),
    ]);
    lines.join("\n")
}

/// A fence that is longer than any run of backticks in the code.
fn code_block(lines: &[&str]) -> String {
    let longest = lines.iter().flat_map(|line| line.split(|c| c != '`')).map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    format!("{fence}\n{}\n{fence}", lines.join("\n"))
}
