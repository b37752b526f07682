//! `JUnit` XML for pipelines. A case is a check for one target or a step of a round trip; its name is the same in every
//! run, because readers compare runs by it. Every text is sanitised before it reaches `junit-report`, which writes what
//! it is given; what that crate leaves out of the root and the suites is added afterwards.

use std::collections::BTreeSet;

use junit_report::{Duration, OffsetDateTime, ReportBuilder, TestCase, TestResult, TestSuite};
use snapready_checks::model::finding::Status;

use crate::model::{CheckResult, Report, RoundTrip, Step, StepId};
use crate::report::junit_completion::complete;
use crate::report::options::{RenderOptions, Verbosity};
use crate::report::{sanitize, words};

/// Ten years: sums of durations must not overflow, whatever a report says.
const LONGEST_MS: u64 = 315_360_000_000;

/// The report as `JUnit` XML.
pub(crate) fn render(report: &Report, options: &RenderOptions) -> String {
    let mut names = Names::default();
    let mut suites = vec![run_suite(report, &mut names)];
    if !report.results.is_empty() {
        let cases = report.results.iter().map(|result| check_case(result, options, &mut names)).collect();
        suites.push(suite(report, "static", cases));
    }
    let mut suite_names = BTreeSet::new();
    for trip in &report.round_trips {
        let name = format!("roundtrip {}", words::round_trip(trip, "→"));
        let name = unique(&sanitize::attribute(&name), |name| suite_names.insert(name.to_owned()));
        suites.push(suite(report, &name, round_trip_cases(trip, options, &mut names)));
    }
    let document = ReportBuilder::new().add_testsuites(suites).build();
    let mut xml = Vec::new();
    // Writing to memory fails only on what cannot be written at all; an incomplete file is worse than an empty one.
    if document.write_xml(&mut xml).is_err() {
        xml.clear();
    }
    complete(&String::from_utf8_lossy(&xml), report)
}

/// Names that were given to cases. GitLab keeps the first of two cases with one name and drops the other.
#[derive(Default)]
struct Names(BTreeSet<(String, String)>);

impl Names {
    /// Puts a case together. Text is sanitised here, and nowhere else.
    fn case(&mut self, class: &str, name: &str, duration_ms: Option<u64>, result: TestResult) -> TestCase {
        let class = sanitize::attribute(class);
        let name = unique(&sanitize::attribute(name), |name| self.0.insert((class.clone(), name.to_owned())));
        let milliseconds = duration_ms.unwrap_or_default().min(LONGEST_MS);
        let time = Duration::milliseconds(i64::try_from(milliseconds).unwrap_or_default());
        let mut case = TestCase::success(&name, time);
        case.result = sanitized(result);
        case.set_classname(&class);
        case
    }
}

/// The name, or the first of `name (2)`, `name (3)`, … that `take` takes.
fn unique(name: &str, mut take: impl FnMut(&str) -> bool) -> String {
    if take(name) {
        return name.to_owned();
    }
    let mut number = 2_usize;
    loop {
        let numbered = format!("{name} ({number})");
        if take(&numbered) {
            return numbered;
        }
        number += 1;
    }
}

fn sanitized(result: TestResult) -> TestResult {
    let clean = |type_: &str, message: &str, cause: Option<&str>| {
        (sanitize::attribute(type_), sanitize::attribute(message), cause.map(sanitize::cdata))
    };
    match result {
        TestResult::Success => TestResult::Success,
        TestResult::Skipped => TestResult::Skipped,
        TestResult::SkippedWithCause { type_, message, cause } => {
            let (type_, message, cause) = clean(&type_, &message, cause.as_deref());
            TestResult::SkippedWithCause { type_, message, cause }
        }
        TestResult::Error { type_, message, cause } => {
            let (type_, message, cause) = clean(&type_, &message, cause.as_deref());
            TestResult::Error { type_, message, cause }
        }
        TestResult::Failure { type_, message, cause } => {
            let (type_, message, cause) = clean(&type_, &message, cause.as_deref());
            TestResult::Failure { type_, message, cause }
        }
    }
}

fn suite(report: &Report, name: &str, cases: Vec<TestCase>) -> TestSuite {
    let mut suite = TestSuite::new(name);
    // Jenkins shows `package.name`, and junit-report would write a package of its own.
    suite.package = String::new();
    suite.timestamp = timestamp(report);
    suite.hostname = sanitize::attribute(report.source.context.as_deref().unwrap_or("localhost"));
    suite.testcases = cases;
    suite
}

/// When the run began. junit-report cannot write years before 0, which no run has.
fn timestamp(report: &Report) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp_nanos(report.run.started_at.as_nanosecond())
        .ok()
        .filter(|time| time.year() >= 0)
        .unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

/// The run itself. There is always a case, also if the run ended before the first check: Jenkins drops empty suites.
fn run_suite(report: &Report, names: &mut Names) -> TestSuite {
    let mut problems = Vec::new();
    if let Some(signal) = &report.run.interrupted {
        problems.push(format!("interrupted by {signal}"));
    }
    problems.extend(report.run.errors.iter().cloned());
    let completed = match problems.first() {
        None => TestResult::Success,
        Some(first) => TestResult::Error {
            type_: if report.run.interrupted.is_some() { "interrupted" } else { "unknown:run" }.to_owned(),
            message: first.clone(),
            cause: Some(problems.join("\n")),
        },
    };
    let mut cases = vec![names.case("snapready.run", "run completed", Some(report.run.duration_ms), completed)];
    if !report.round_trips.is_empty() || !report.leftovers.is_empty() {
        let left = if report.leftovers.is_empty() {
            TestResult::Success
        } else {
            let number = words::count(report.leftovers.len(), "object");
            let message = words::left(report).unwrap_or_else(|| format!("{number} left behind"));
            let objects: Vec<_> = report.leftovers.iter().map(words::leftover).collect();
            TestResult::Failure {
                type_: "leftovers".to_owned(),
                cause: Some(format!("{message}\n{}", objects.join("\n"))),
                message,
            }
        };
        cases.push(names.case("snapready.run", "nothing left behind", None, left));
    }
    suite(report, "run", cases)
}

fn check_case(result: &CheckResult, options: &RenderOptions, names: &mut Names) -> TestCase {
    let class = format!("snapready.{}", result.group.word());
    let name = match &result.target {
        Some(target) => format!("{} {} [{target}]", result.id, result.slug),
        None => format!("{} {}", result.id, result.slug),
    };
    let text = || check_text(result);
    if let Some(from) = words::follows_from(result) {
        return names.case(&class, &name, None, consequence(&result.id, &from, text()));
    }
    let outcome = outcome(result.status, &result.id, &result.message, text, options);
    let mut case = names.case(&class, &name, None, outcome);
    note_warning(&mut case, result.status, text);
    if result.status == Status::Pass && options.verbosity == Verbosity::Verbose {
        case.set_system_out(&sanitize::cdata(&check_text(result)));
    }
    case
}

/// What follows from another case is no failure of its own: one fault is one failure. It is skipped, and says why.
fn consequence(id: &str, from: &str, text: String) -> TestResult {
    TestResult::SkippedWithCause { type_: format!("follows:{id}"), message: from.to_owned(), cause: Some(text) }
}

/// `JUnit` has no warning, and as a failure it would turn a whole pipeline red: it is a pass that says something.
fn note_warning(case: &mut TestCase, status: Status, text: impl Fn() -> String) {
    if status == Status::Warn && case.is_success() {
        case.set_system_out(&sanitize::cdata(&format!("WARNING {}", text())));
    }
}

/// A status in terms of `JUnit`. `text` begins with the message: three readers show the text alone.
fn outcome(
    status: Status,
    kind: &str,
    message: &str,
    text: impl Fn() -> String,
    options: &RenderOptions,
) -> TestResult {
    match status {
        Status::Pass => TestResult::Success,
        Status::Warn if !options.warnings_fail => TestResult::Success,
        Status::Warn => {
            TestResult::Failure { type_: format!("warn:{kind}"), message: message.to_owned(), cause: Some(text()) }
        }
        Status::Fail => {
            TestResult::Failure { type_: kind.to_owned(), message: message.to_owned(), cause: Some(text()) }
        }
        Status::Skip => TestResult::SkippedWithCause {
            type_: kind.to_owned(),
            message: message.to_owned(),
            cause: Some(message.to_owned()),
        },
        Status::Unknown => {
            TestResult::Error { type_: format!("unknown:{kind}"), message: message.to_owned(), cause: Some(text()) }
        }
    }
}

/// All that is known, message first.
fn check_text(result: &CheckResult) -> String {
    let mut lines = vec![result.message.clone(), format!("expected: {}", result.title)];
    lines.extend(result.evidence.iter().map(|piece| format!("seen: {}", words::evidence(piece))));
    lines.extend(result.cause.iter().map(|cause| format!("cause: {cause}")));
    if let Some(fix) = &result.fix {
        lines.push(format!("fix: {}", fix.text));
        lines.extend(
            fix.commands.iter().filter_map(|command| Some(format!("  {}", sanitize::command(&command.to_string())?))),
        );
        lines.extend(
            fix.manifest.iter().filter_map(|manifest| sanitize::manifest(manifest)).flatten().map(str::to_owned),
        );
    }
    lines.push(format!("more: snapready explain {}", result.id));
    lines.join("\n")
}

fn round_trip_cases(trip: &RoundTrip, options: &RenderOptions, names: &mut Names) -> Vec<TestCase> {
    // A dot would begin a package of its own in Jenkins; a StorageClass name may have dots, but no underscores.
    let class = format!("snapready.roundtrip.{}", trip.storage_class.replace('.', "_"));
    let snapshot_class = trip.snapshot_class.as_deref().unwrap_or("no class");
    let (mode, size) = (words::mode(&trip.mode), words::size(trip.size_bytes));
    let place = format!("[{snapshot_class} {:?}{mode}{size}]", trip.volume_mode);
    let kind = trip.diagnosis.as_ref().map_or("roundtrip", |diagnosis| diagnosis.id.as_str());
    let about = |said: &str| {
        let mut lines = vec![said.to_owned()];
        lines.extend(trip.data.filter(|data| !data.is_good()).map(|data| format!("data: {}", words::data(data))));
        if let Some(diagnosis) = &trip.diagnosis {
            let known = check_text(diagnosis);
            // It begins with the diagnosis' own message, which may be what was said.
            lines.push(known.strip_prefix(&format!("{said}\n")).unwrap_or(&known).to_owned());
        }
        lines.join("\n")
    };
    let from = trip.diagnosis.as_ref().and_then(words::follows_from);
    let wrong = |step: &&Step| matches!(step.status, Status::Fail | Status::Unknown) && step.id != StepId::Cleanup;
    let blamed = trip.steps.iter().find(wrong).map(|step| step.id);
    let mut cases = Vec::new();
    for step in &trip.steps {
        let name = format!("{} {place}", step.id.word());
        let kind = if step.status == Status::Skip { step.id.word() } else { kind };
        let result = match &from {
            // The clean-up is a matter of its own.
            Some(from) if blamed == Some(step.id) => consequence(kind, from, about(&step.message)),
            _ => outcome(step.status, kind, &step.message, || about(&step.message), options),
        };
        let mut case = names.case(&class, &name, step.duration_ms, result);
        note_warning(&mut case, step.status, || about(&step.message));
        cases.push(case);
    }
    let message =
        trip.diagnosis.as_ref().map_or_else(|| format!("round trip: {}", trip.status.word()), |d| d.message.clone());
    let result = match &from {
        Some(from) => consequence(kind, from, about(&message)),
        None => outcome(trip.status, kind, &message, || about(&message), options),
    };
    let mut case = names.case(&class, &format!("verdict {place}"), None, result);
    note_warning(&mut case, trip.status, || about(&message));
    cases.push(case);
    cases
}
