//! The screen: what was looked at, every result with its sign, details where something is not right, and the verdict
//! as the last line. What it shows depends on the report and the options alone.

use unicode_width::UnicodeWidthStr;

use crate::model::{CheckResult, Report, RoundTrip, Source, Step, StepId, Tool};
use crate::report::matrix::Matrix;
use crate::report::options::{RenderOptions, Verbosity};
use crate::report::page::{Lead, Page};
use crate::report::style::paint;
use crate::report::{matrix, sanitize, sizes, words};
use owo_colors::Style;
use snapready_checks::find;
use snapready_checks::model::check::{Group, How};
use snapready_checks::model::finding::{Evidence, Fix, Status};

/// Column at which details start: below the title of a check.
const DETAILS: usize = 11;
/// Titles are padded to the longest of their group, and to no more than this; on a narrow terminal to less, so that there
/// is room beside them.
const WIDEST_TITLE: usize = 64;
const WIDEST_TITLE_NARROW: usize = 46;
const NARROW: usize = 110;
/// Pieces of evidence that are shown unless more is asked for.
const SHOWN_EVIDENCE: usize = 5;
/// If more lines than this follow the first failure, failures are named once more before the verdict: they might have
/// left a small terminal.
const LINES_IN_SIGHT: usize = 18;
/// Failures that are named once more.
const NAMED_FAILURES: usize = 8;

/// The report as a screen.
pub(crate) fn render(report: &Report, options: &RenderOptions) -> String {
    if options.verbosity == Verbosity::Silent {
        return String::new();
    }
    let mut screen = Screen { page: Page::new(options), first_failure: None };
    screen.beginning(&report.tool, &report.run.id, &report.source, &report.results);
    for trip in &report.round_trips {
        screen.round_trip(trip);
    }
    let matrix = Matrix::of(&report.round_trips, screen.page.glyphs.arrow);
    if let Some(matrix) = matrix.filter(|_| screen.page.options.verbosity > Verbosity::Quiet) {
        matrix::show(&mut screen.page, &matrix);
    }
    for sweep in &report.sweeps {
        if screen.page.options.verbosity > Verbosity::Quiet {
            sizes::show(&mut screen.page, sweep);
        }
    }
    screen.group("What backup products make of it", &report.results, |result| is_late(result));
    if report.results.is_empty() && report.round_trips.is_empty() {
        screen.page.gap();
        screen.page.raw("Nothing was looked at.");
    }
    screen.errors(&report.run.errors);
    screen.left(report);
    screen.failures_again(report);
    screen.verdict(report);
    screen.page.finish()
}

/// The beginning of the screen, which is known before the round trips are: what was read, and the checks. What [`render`]
/// gives for the whole report begins with it.
pub(crate) fn beginning(
    tool: &Tool,
    run: &str,
    source: &Source,
    results: &[CheckResult],
    options: &RenderOptions,
) -> String {
    if options.verbosity == Verbosity::Silent {
        return String::new();
    }
    let mut screen = Screen { page: Page::new(options), first_failure: None };
    screen.beginning(tool, run, source, results);
    screen.page.finish()
}

/// The screen in the making, and the line of the first failure on it.
struct Screen<'a> {
    page: Page<'a>,
    first_failure: Option<usize>,
}

impl Screen<'_> {
    fn beginning(&mut self, tool: &Tool, run: &str, source: &Source, results: &[CheckResult]) {
        if self.page.options.verbosity > Verbosity::Quiet {
            self.header(tool, run, source);
        }
        for group in Group::ALL {
            let of_group = |result: &&CheckResult| result.group == group && !is_late(result);
            self.group(group.heading(), results, of_group);
        }
    }

    fn header(&mut self, tool: &Tool, run: &str, source: &Source) {
        let styles = self.page.options.styles;
        let dot = format!(" {} ", self.page.glyphs.dot);
        let mut parts = Vec::new();
        if words::simulated(source.kind).is_some() {
            parts.push("simulated cluster, nothing here is real".to_owned());
        }
        if let Some(context) = &source.context {
            parts.push(format!("context {}", self.page.safe(context)));
        }
        if !source.files.is_empty() {
            parts.push(format!("files {}", self.page.safe(&source.files.join(" "))));
        }
        parts.extend(source.as_of.map(|time| format!("as of {time}")));
        if let Some(version) = &source.server_version {
            parts.push(format!("server {}", self.page.safe(version)));
        }
        parts.push(format!("run {}", self.page.safe(run)));
        let name = format!("{} {}", self.page.safe(&tool.name), self.page.safe(&tool.version));
        let lead = Lead { detail_column: name.width() + 3, parts: vec![(name, styles.heading)], indent: 2 };
        self.page.row(&lead, &parts.join(&dot), Style::new());
    }

    /// Whether a result is shown at this verbosity.
    fn shows(&self, status: Status) -> bool {
        status.is_problem() || self.page.options.verbosity > Verbosity::Quiet
    }

    fn heading(&mut self, heading: &str, beside: &str) {
        let styles = self.page.options.styles;
        self.page.gap();
        let lead = Lead { detail_column: 0, parts: vec![(heading.to_owned(), styles.heading)], indent: 2 };
        self.page.row(&lead, beside, styles.faint);
    }

    fn note_failure(&mut self, status: Status) {
        if matches!(status, Status::Fail | Status::Unknown) {
            self.first_failure.get_or_insert(self.page.height());
        }
    }

    fn group(&mut self, heading: &str, results: &[CheckResult], belongs: impl Fn(&&CheckResult) -> bool) {
        // Consequences hang below what they follow from; what follows from a round trip has its own place.
        let stands = |result: &&CheckResult| {
            belongs(result) && self.shows(result.status) && (result.follows_from.is_none() || is_late(result))
        };
        let shown: Vec<_> = results.iter().filter(stands).collect();
        if shown.is_empty() {
            return;
        }
        self.heading(heading, "");
        let titles = shown.iter().filter(|result| result.status == Status::Pass);
        let narrow = self.page.options.width.is_some_and(|width| width < NARROW);
        let limit = if narrow { WIDEST_TITLE_NARROW } else { WIDEST_TITLE };
        let widest = titles.map(|result| self.page.safe(&result.title).width()).max().unwrap_or(0).min(limit);
        for result in shown {
            self.result(result, DETAILS + widest + 3);
            for consequence in results.iter().filter(|other| words::is_consequence(other, result)) {
                self.consequence(consequence);
            }
        }
    }

    /// A result that follows from the one above it: its cause and its fix are told there.
    fn consequence(&mut self, result: &CheckResult) {
        let text = format!("{}  {}", self.page.safe(&result.id), self.with_target(result));
        self.page.labelled(DETAILS, "so", &text, Style::new());
        if self.page.options.verbosity == Verbosity::Verbose {
            self.evidence(&result.evidence);
        }
    }

    fn result(&mut self, result: &CheckResult, detail_column: usize) {
        let styles = self.page.options.styles;
        let style = styles.status(result.status);
        self.note_failure(result.status);
        let mut parts = vec![
            (format!("  {} ", self.page.glyphs.status(result.status)), style),
            (format!("{:<5}  ", self.page.safe(&result.id)), Style::new()),
        ];
        let word = words::status(result.status);
        if !word.is_empty() {
            parts.push((format!("{word}  "), style));
        }
        parts.push((self.page.safe(&result.title), Style::new()));
        let quiet = matches!(result.status, Status::Pass | Status::Skip);
        let detail = self.with_target(result);
        let lead = Lead { parts, detail_column, indent: DETAILS };
        self.page.row(&lead, &detail, if quiet { styles.faint } else { Style::new() });
        if let (false, Some(from)) = (quiet, words::follows_from(result)) {
            self.explained_above(&from);
        } else if !quiet {
            self.details(result);
        } else if self.page.options.verbosity == Verbosity::Verbose {
            self.evidence(&result.evidence);
        }
    }

    /// The message, with what it is about before it if it does not say so itself.
    fn with_target(&self, result: &CheckResult) -> String {
        let message = self.page.safe(&result.message);
        match &result.target {
            Some(target) if !result.message.contains(target.as_str()) => {
                format!("{}: {message}", self.page.safe(target))
            }
            _ => message,
        }
    }

    fn explained_above(&mut self, from: &str) {
        let from = self.page.safe(&format!("{from}, see above"));
        self.page.labelled(DETAILS, "cause", &from, Style::new());
    }

    fn details(&mut self, result: &CheckResult) {
        self.evidence(&result.evidence);
        if let Some(cause) = &result.cause {
            let cause = self.page.safe(cause);
            self.page.labelled(DETAILS, "cause", &cause, Style::new());
        }
        if let Some(fix) = &result.fix {
            self.fix(fix);
        }
        let more = format!("snapready explain {}", self.page.safe(&result.id));
        self.page.labelled(DETAILS, "more", &more, self.page.options.styles.faint);
    }

    fn evidence(&mut self, evidence: &[Evidence]) {
        let all = self.page.options.verbosity == Verbosity::Verbose;
        let shown = if all { evidence.len() } else { SHOWN_EVIDENCE };
        for (place, piece) in evidence.iter().take(shown).enumerate() {
            let text = self.page.safe(&words::evidence(piece));
            self.page.labelled(DETAILS, if place == 0 { "seen" } else { "" }, &text, Style::new());
        }
        if evidence.len() > shown {
            let rest = format!("and {} more (-v shows them)", evidence.len() - shown);
            self.page.labelled(DETAILS, "", &rest, self.page.options.styles.faint);
        }
    }

    fn fix(&mut self, fix: &Fix) {
        let text = self.page.safe(&fix.text);
        if !text.is_empty() {
            self.page.labelled(DETAILS, "fix", &text, Style::new());
        }
        let mut label = if text.is_empty() { "fix" } else { "" };
        for command in &fix.commands {
            self.command(label, &command.to_string());
            label = "";
        }
        if let Some(manifest) = &fix.manifest {
            self.manifest(label, manifest);
        }
    }

    /// A command is never wrapped: it is there to be copied.
    fn command(&mut self, label: &str, command: &str) {
        let styles = self.page.options.styles;
        match self.shown_command(command) {
            Some(command) => {
                let lead = paint(&format!("{label:<6}"), styles.faint);
                self.page.raw(format!("{}{lead}{}", " ".repeat(DETAILS), paint(&command, styles.command)));
            }
            None => {
                self.page.labelled(DETAILS, label, "(a command that cannot be shown safely is left out)", styles.faint);
            }
        }
    }

    /// A command as it can be shown and copied.
    fn shown_command(&self, command: &str) -> Option<String> {
        let command = sanitize::command(command).filter(|command| !self.page.options.ascii || command.is_ascii())?;
        Some(command.trim_end().to_owned())
    }

    fn manifest(&mut self, label: &str, manifest: &str) {
        let styles = self.page.options.styles;
        match sanitize::manifest(manifest).filter(|_| !self.page.options.ascii || manifest.is_ascii()) {
            Some(lines) => {
                self.page.labelled(DETAILS, label, "apply this with kubectl apply -f -", Style::new());
                for line in lines {
                    self.page.raw(format!("{}{}", " ".repeat(DETAILS + 6), paint(line.trim_end(), styles.command)));
                }
            }
            None => {
                self.page.labelled(
                    DETAILS,
                    label,
                    "(a manifest that cannot be shown safely is left out)",
                    styles.faint,
                );
            }
        }
    }

    fn round_trip(&mut self, trip: &RoundTrip) {
        // What the clean-up did not remove is no fault of a round trip that passed, and is shown with it.
        if !self.shows(trip.status) && !trip.steps.iter().any(|step| step.status.is_problem()) {
            return;
        }
        let glyphs = self.page.glyphs;
        let classes = words::classes(&trip.storage_class, trip.snapshot_class.as_deref(), glyphs.arrow);
        let mode = match words::mode(&trip.mode) {
            mode if mode.is_empty() => mode,
            mode => format!(" {} mode {}", glyphs.dot, self.page.safe(&mode)),
        };
        let size = match words::size(trip.size_bytes) {
            size if size.is_empty() => size,
            size => format!(" {}{size}", glyphs.dot),
        };
        let namespace = self.page.safe(&trip.namespace);
        let mut beside = format!("{:?}{mode}{size} {} namespace {namespace}", trip.volume_mode, glyphs.dot);
        if let Some(driver) = &trip.driver {
            beside = format!("{beside} {} driver {}", glyphs.dot, self.page.safe(driver));
        }
        self.heading(&format!("Round trip  {}", self.page.safe(&classes)), &beside);
        let blamed = blamed_step(trip);
        for (place, step) in trip.steps.iter().enumerate() {
            if self.shows(step.status) && !is_not_reached(step) {
                self.step(step);
            }
            if blamed == Some(place) {
                self.diagnosis(trip, &step.message);
            }
        }
        self.not_reached(&trip.steps);
        if blamed.is_none() && trip.status != Status::Pass {
            let styles = self.page.options.styles;
            self.note_failure(trip.status);
            let lead = Lead {
                parts: vec![
                    (format!("  {} ", glyphs.status(trip.status)), styles.status(trip.status)),
                    (words::status(trip.status).to_owned(), styles.status(trip.status)),
                ],
                detail_column: 0,
                indent: DETAILS,
            };
            let message = trip.diagnosis.as_ref().map_or(String::new(), |diagnosis| self.page.safe(&diagnosis.message));
            self.page.row(&lead, &message, Style::new());
            let said = trip.diagnosis.as_ref().map(|diagnosis| diagnosis.message.clone()).unwrap_or_default();
            self.diagnosis(trip, &said);
        }
    }

    /// The steps that were not reached, in one line.
    fn not_reached(&mut self, steps: &[Step]) {
        let titles: Vec<_> = steps.iter().filter(|step| is_not_reached(step)).map(|step| step.id.title()).collect();
        if titles.is_empty() || !self.shows(Status::Skip) {
            return;
        }
        let styles = self.page.options.styles;
        let sign = (format!("  {} ", self.page.glyphs.skip), styles.skip);
        let lead =
            Lead { parts: vec![sign, ("not reached".to_owned(), Style::new())], detail_column: 31, indent: DETAILS };
        self.page.row(&lead, &titles.join(", "), styles.faint);
    }

    fn step(&mut self, step: &Step) {
        let styles = self.page.options.styles;
        self.note_failure(step.status);
        let style = styles.status(step.status);
        let time = step.duration_ms.map(words::duration).unwrap_or_default();
        let mut parts = vec![
            (format!("  {} ", self.page.glyphs.status(step.status)), style),
            (format!("{:<17}", step.id.title()), Style::new()),
            (format!("{time:>7}   "), styles.faint),
        ];
        let word = words::status(step.status);
        if !matches!(step.status, Status::Pass | Status::Skip) {
            parts.push((word.to_owned(), style));
        }
        let quiet = matches!(step.status, Status::Pass | Status::Skip);
        let column: usize = parts.iter().map(|(text, _)| text.width()).sum();
        let lead = Lead { parts, detail_column: if quiet { 0 } else { column + 2 }, indent: DETAILS };
        let message = self.page.safe(&step.message);
        self.page.row(&lead, &message, if quiet { styles.faint } else { Style::new() });
    }

    /// What is known about a round trip that is not right. `said` stands on the screen already.
    fn diagnosis(&mut self, trip: &RoundTrip, said: &str) {
        if let Some(data) = trip.data.filter(|data| !data.is_good()) {
            self.page.labelled(DETAILS, "data", words::data(data), Style::new());
        }
        if let Some(diagnosis) = &trip.diagnosis {
            if diagnosis.message != said {
                let message = self.page.safe(&diagnosis.message);
                self.page.labelled(DETAILS, "what", &message, Style::new());
            }
            match words::follows_from(diagnosis) {
                Some(from) if self.page.options.verbosity < Verbosity::Verbose => self.explained_above(&from),
                _ => self.details(diagnosis),
            }
        }
    }

    fn errors(&mut self, errors: &[String]) {
        if errors.is_empty() {
            return;
        }
        self.heading("What kept the run from an answer", "");
        let styles = self.page.options.styles;
        for error in errors {
            self.note_failure(Status::Unknown);
            let sign = format!("  {} ", self.page.glyphs.unknown);
            let lead = Lead { parts: vec![(sign, styles.unknown)], detail_column: 4, indent: 4 };
            let error = self.page.safe(error);
            self.page.row(&lead, &error, Style::new());
        }
    }

    /// Everything that is in the cluster and was not before, and how it is removed.
    fn left(&mut self, report: &Report) {
        let styles = self.page.options.styles;
        let (warn, pass) = (self.page.glyphs.warn, self.page.glyphs.dot);
        let left: Vec<String> = report.leftovers.iter().map(words::leftover).collect();
        let kept: Vec<String> = report.kept.iter().map(words::object).collect();
        self.objects("Left behind", &left, (warn, styles.warn));
        self.objects("Kept, as --keep says", &kept, (pass, styles.faint));
        if let Some(command) = &report.cleanup_command {
            match self.shown_command(command) {
                Some(command) => {
                    let label = paint("remove with", styles.faint);
                    self.page.raw(format!("    {label} {}", paint(&command, styles.command)));
                }
                None => self.page.raw("    remove with snapready cleanup"),
            }
        }
    }

    fn objects(&mut self, heading: &str, objects: &[String], (sign, style): (&str, Style)) {
        if objects.is_empty() {
            return;
        }
        self.heading(heading, "");
        for object in objects {
            let lead = Lead { parts: vec![(format!("  {sign} "), style)], detail_column: 4, indent: 4 };
            let name = self.page.safe(object);
            self.page.row(&lead, &name, Style::new());
        }
    }

    fn failures_again(&mut self, report: &Report) {
        let far = self.first_failure.is_some_and(|line| self.page.height() - line > LINES_IN_SIGHT);
        if !far {
            return;
        }
        let mut failures: Vec<(Status, &str, String)> = Vec::new();
        for result in report.results.iter().filter(|result| result.follows_from.is_none()) {
            failures.push((result.status, &result.id, self.with_target(result)));
        }
        let own = |trip: &&RoundTrip| trip.diagnosis.as_ref().is_none_or(|found| found.follows_from.is_none());
        for trip in report.round_trips.iter().filter(own) {
            let id = trip.diagnosis.as_ref().map_or("", |diagnosis| diagnosis.id.as_str());
            let what = trip.diagnosis.as_ref().map_or("round trip", |diagnosis| diagnosis.message.as_str());
            let trip_name = words::round_trip(trip, self.page.glyphs.arrow);
            failures.push((trip.status, id, self.page.safe(&format!("{trip_name}: {what}"))));
        }
        failures.retain(|(status, ..)| matches!(status, Status::Fail | Status::Unknown));
        // Stable: what failed before what is unknown, each in the order of the screen.
        failures.sort_by_key(|(status, ..)| std::cmp::Reverse(*status));
        if failures.is_empty() {
            return;
        }
        self.heading("In short", "");
        let styles = self.page.options.styles;
        for (status, id, message) in failures.iter().take(NAMED_FAILURES) {
            let sign = paint(self.page.glyphs.status(*status), styles.status(*status));
            let text = format!("{:<5}  {message}", self.page.safe(id));
            self.page.raw(format!("  {sign} {}", self.page.cut(&text, 4)));
        }
        if failures.len() > NAMED_FAILURES {
            self.page.raw(format!("    and {} more", failures.len() - NAMED_FAILURES));
        }
    }

    /// Never wrapped: it is the last line whatever the width.
    fn verdict(&mut self, report: &Report) {
        let styles = self.page.options.styles;
        let mut verdict = words::verdict(report.run.verdict).to_owned();
        if let Some(simulated) = words::simulated(report.source.kind) {
            verdict = format!("{verdict} ({simulated})");
        }
        let dot = format!(" {} ", self.page.glyphs.dot);
        let mut parts = words::summary(&report.summary);
        parts.extend(words::caveats(report).iter().map(|caveat| self.page.safe(caveat)));
        let style = styles.status(words::verdict_status(report.run.verdict));
        let time = words::duration(report.run.duration_ms);
        self.page.gap();
        self.page.raw(format!("{}   {}     {time}", paint(&verdict, style), parts.join(&dot)));
    }
}

/// Whether a result is known only after the round trips, and shown after them.
fn is_late(result: &CheckResult) -> bool {
    find(&result.id).is_some_and(|check| matches!(check.how, How::RoundTrip))
}

fn is_not_reached(step: &Step) -> bool {
    step.status == Status::Skip && step.started_at.is_none() && step.message == "not reached"
}

/// The step that a round trip's outcome is to be read with: the first that failed or is unknown, before the clean-up if
/// one did there, else the first with a warning.
fn blamed_step(trip: &RoundTrip) -> Option<usize> {
    let first = |wanted: &dyn Fn(&Step) -> bool| trip.steps.iter().position(wanted);
    let wrong = |step: &Step| matches!(step.status, Status::Fail | Status::Unknown);
    first(&|step| wrong(step) && step.id != StepId::Cleanup)
        .or_else(|| first(&wrong))
        .or_else(|| first(&|step| step.status == Status::Warn))
}
