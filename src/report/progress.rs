//! What is shown while a run goes on, on stderr: a line that changes on a terminal, else one line per event that a log's
//! reader looks for and one every 30 s of waiting, so that no pipeline takes silence for a hang.

use std::collections::BTreeMap;
use std::io::Write;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use jiff::Timestamp;
use owo_colors::Style;
use snapready_checks::model::finding::Status;
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::model::{CheckResult, DataVerdict, Event, Happening, SourceKind, Step, StepId, Target, VolumeMode};
use crate::report::output::Reporter;
use crate::report::style::{Glyphs, Styles, paint};
use crate::report::{sanitize, words};

/// Silence is never longer than this while a step is under way.
pub const HEARTBEAT: Duration = Duration::from_secs(30);
/// How often the line on a terminal changes, at most.
const HERTZ: u8 = 10;
/// How many characters of a text are shown.
const LIMIT: usize = 200;

/// How progress is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProgressMode {
    /// Only what must be known: that the run stops.
    Off,
    /// One line per event, and a heartbeat.
    Lines,
    /// One line that changes. For terminals.
    Bar,
}

/// How progress looks.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct ProgressOptions {
    /// Styles for stderr.
    pub styles: Styles,
    /// Whether only ASCII is shown.
    pub ascii: bool,
    /// Whether checks that pass, beginnings of steps, every change of what is waited for and removed objects are shown too.
    pub verbose: bool,
}

/// Shows events as they come.
pub struct Progress {
    options: ProgressOptions,
    glyphs: Glyphs,
    surface: Surface,
    began: Option<Timestamp>,
    targets: Vec<Target>,
    /// What is under way, by round trip.
    waits: BTreeMap<usize, Wait>,
    last_line: Instant,
}

/// Where progress is shown.
enum Surface {
    Off(Box<dyn Write + Send>),
    Lines(Box<dyn Write + Send>),
    Bar(ProgressBar),
}

/// A step under way.
struct Wait {
    step: StepId,
    since: Instant,
    waiting_for: String,
    last_seen: String,
}

impl Progress {
    /// On a stream, usually stderr; `mode` must not be [`ProgressMode::Bar`] unless stderr is a terminal, and the bar
    /// goes there whatever `stream` is.
    #[must_use]
    pub fn new(mode: ProgressMode, options: ProgressOptions, stream: Box<dyn Write + Send>) -> Self {
        match mode {
            ProgressMode::Off => Self::on(Surface::Off(stream), options),
            ProgressMode::Lines => Self::on(Surface::Lines(stream), options),
            ProgressMode::Bar => Self::bar(options, ProgressDrawTarget::stderr_with_hz(HERTZ)),
        }
    }

    pub(crate) fn bar(options: ProgressOptions, target: ProgressDrawTarget) -> Self {
        let bar = ProgressBar::with_draw_target(None, target);
        let style = ProgressStyle::with_template("{spinner} {wide_msg} {elapsed}")
            .unwrap_or_else(|_| ProgressStyle::default_spinner());
        bar.set_style(style.tick_chars("|/-\\ "));
        bar.enable_steady_tick(Duration::from_millis(250));
        Self::on(Surface::Bar(bar), options)
    }

    fn on(surface: Surface, options: ProgressOptions) -> Self {
        Self {
            options,
            glyphs: Glyphs::new(options.ascii),
            surface,
            began: None,
            targets: Vec::new(),
            waits: BTreeMap::new(),
            last_line: Instant::now(),
        }
    }

    /// Shows an event.
    pub fn event(&mut self, event: &Event) {
        let began = *self.began.get_or_insert(event.time);
        let milliseconds = event.time.duration_since(began).as_millis();
        let at = words::duration(u64::try_from(milliseconds).unwrap_or_default());
        self.follow_steps(&event.event);
        match &event.event {
            Happening::Stopping { signal, objects } => {
                let objects = words::count(*objects, "object");
                let text = format!("{signal}: stopping; removing {objects} (Ctrl-C again to leave them)");
                self.say(Some(&at), &text, self.options.styles.warn, true);
            }
            Happening::RunFinished { .. } => {
                self.waits.clear();
                if let Surface::Bar(bar) = &self.surface {
                    bar.finish_and_clear();
                }
            }
            Happening::VerdictKnown { target, status, data, diagnosis } => {
                let text = self.verdict(*target, *status, *data, diagnosis.as_deref());
                self.say(Some(&at), &text, self.options.styles.status(*status), false);
            }
            other => {
                // What is going to be made is told on a terminal too, before it is.
                let stays = matches!(other, Happening::RoundTripsPlanned { .. });
                if let Some(text) = self.describe(other)
                    && (stays || matches!(self.surface, Surface::Lines(_)))
                {
                    self.say(Some(&at), &text, Style::new(), false);
                }
            }
        }
        self.refresh();
    }

    /// Waits until a sign of life is due, and gives it. Never comes back if none will be: no step is under way, or the
    /// surface moves by itself. May be dropped at any time.
    pub async fn heartbeat(&mut self) {
        if self.waits.is_empty() || !matches!(self.surface, Surface::Lines(_)) {
            return std::future::pending().await;
        }
        // A step that begins after a long silence is not yet waited for.
        let began = self.waits.values().map(|wait| wait.since).min();
        tokio::time::sleep_until(began.map_or(self.last_line, |began| began.max(self.last_line)) + HEARTBEAT).await;
        let texts: Vec<_> = self.waits.iter().map(|(target, wait)| self.still(*target, wait)).collect();
        for text in texts {
            self.say(None, &text, Style::new(), false);
        }
    }

    /// Keeps account of what is under way.
    fn follow_steps(&mut self, event: &Happening) {
        match event {
            Happening::RoundTripsPlanned { targets, .. } => self.targets.clone_from(targets),
            Happening::StepStarted { target, step } => {
                let wait =
                    Wait { step: *step, since: Instant::now(), waiting_for: String::new(), last_seen: String::new() };
                self.waits.insert(*target, wait);
                if let Surface::Bar(bar) = &self.surface {
                    bar.reset_elapsed();
                }
            }
            Happening::StepWaiting { target, step, waiting_for, last_seen } => {
                let wait = self.waits.entry(*target).or_insert_with(|| Wait {
                    step: *step,
                    since: Instant::now(),
                    waiting_for: String::new(),
                    last_seen: String::new(),
                });
                wait.step = *step;
                wait.waiting_for.clone_from(waiting_for);
                wait.last_seen.clone_from(last_seen);
            }
            Happening::StepFinished { target, .. } => {
                self.waits.remove(target);
            }
            Happening::RunStarted { .. }
            | Happening::CheckFinished { .. }
            | Happening::VerdictKnown { .. }
            | Happening::Stopping { .. }
            | Happening::ObjectRemoved { .. }
            | Happening::Retrying { .. }
            | Happening::RunFinished { .. } => {}
        }
    }

    /// One line about an event; `None` if it is not worth one.
    fn describe(&self, event: &Happening) -> Option<String> {
        match event {
            Happening::RunStarted { run, command, source } => {
                let from = match source.kind {
                    SourceKind::Live => source.context.as_deref().map(|context| format!(" on context {context}")),
                    SourceKind::Simulated => Some(" on a simulated cluster".to_owned()),
                    SourceKind::Files => Some(format!(" on {}", source.files.join(" "))),
                };
                Some(format!("{command} run {run}{}", from.unwrap_or_default()))
            }
            Happening::CheckFinished { result } => self.check(result),
            Happening::RoundTripsPlanned { namespace, own_namespace, targets, limited } => {
                let created = if *own_namespace { ", which will be created and removed" } else { "" };
                let limited = limited.as_ref().map(|why| format!("; {why}")).unwrap_or_default();
                Some(format!(
                    "{} in namespace {namespace}{created}{limited}",
                    words::count(targets.len(), "round trip")
                ))
            }
            // Many, and soon out of date: what lasts, the heartbeat tells.
            Happening::StepStarted { .. } | Happening::StepWaiting { .. } | Happening::ObjectRemoved { .. }
                if !self.options.verbose =>
            {
                None
            }
            Happening::StepStarted { target, step } => Some(format!("{}: {} ...", self.name(*target), step.title())),
            Happening::StepWaiting { target, step, waiting_for, last_seen } => {
                Some(format!("{}: {}: {}", self.name(*target), step.title(), waiting(waiting_for, last_seen)))
            }
            Happening::StepFinished { target, step } => Some(self.step(*target, step)),
            Happening::ObjectRemoved { object } => Some(format!("removed {}", words::object(object))),
            Happening::Retrying { request, reason } => Some(format!("retrying {request} ({reason})")),
            Happening::VerdictKnown { .. } | Happening::Stopping { .. } | Happening::RunFinished { .. } => None,
        }
    }

    /// Checks come all at once and stand in the report; here only those that are not right.
    fn check(&self, result: &CheckResult) -> Option<String> {
        let quiet = matches!(result.status, Status::Pass | Status::Skip);
        let text =
            format!("{} {} {}: {}", self.glyphs.status(result.status), result.id, result.status.word(), result.message);
        (!quiet || self.options.verbose).then_some(text)
    }

    fn step(&self, target: usize, step: &Step) -> String {
        let time = step.duration_ms.map(|time| format!(" {}", words::duration(time))).unwrap_or_default();
        let sign = self.glyphs.status(step.status);
        format!("{sign} {}: {}{time} {}", self.name(target), step.id.title(), step.message)
    }

    fn verdict(
        &self,
        target: usize,
        status: Status,
        data: Option<DataVerdict>,
        diagnosis: Option<&CheckResult>,
    ) -> String {
        let mut text = format!("{} {}: round trip: {}", self.glyphs.status(status), self.name(target), status.word());
        if let Some(data) = data {
            text = format!("{text}; data {}", words::data(data));
        }
        if let Some(diagnosis) = diagnosis {
            text = format!("{text}; {} {}", diagnosis.id, diagnosis.message);
        }
        text
    }

    fn still(&self, target: usize, wait: &Wait) -> String {
        let milliseconds = u64::try_from(wait.since.elapsed().as_millis()).unwrap_or(u64::MAX);
        let what = match wait.waiting_for.as_str() {
            "" => String::new(),
            waiting_for => format!(" for {waiting_for}"),
        };
        let seen = match wait.last_seen.as_str() {
            "" => String::new(),
            last_seen => format!("; last seen: {last_seen}"),
        };
        let time = words::duration(milliseconds);
        format!("{}: {}: still waiting after {time}{what}{seen}", self.name(target), wait.step.title())
    }

    fn name(&self, target: usize) -> String {
        let Some(planned) = self.targets.iter().find(|planned| planned.index == target) else {
            return format!("round trip {}", target.saturating_add(1));
        };
        let classes = words::classes(&planned.storage_class, planned.snapshot_class.as_deref(), self.glyphs.arrow);
        let volume_mode = match planned.volume_mode {
            VolumeMode::Filesystem => "",
            VolumeMode::Block => " Block",
        };
        format!("{classes}{volume_mode}{}{}", words::mode(&planned.mode), words::size(planned.size_bytes))
    }

    fn safe(&self, text: &str) -> String {
        let line = sanitize::line(text, LIMIT * 3);
        if self.options.ascii { sanitize::ascii(&line) } else { line }
    }

    /// Does something that may write to the same terminal.
    fn aside(&self, write: impl FnOnce()) {
        match &self.surface {
            Surface::Bar(bar) => bar.suspend(write),
            Surface::Off(_) | Surface::Lines(_) => write(),
        }
    }

    /// Says something that stays on the screen. A stream that is closed is nobody's loss.
    fn say(&mut self, at: Option<&str>, text: &str, style: Style, always: bool) {
        let text = paint(&self.safe(text), style);
        self.last_line = Instant::now();
        match &mut self.surface {
            Surface::Off(_) if !always => {}
            Surface::Bar(bar) => bar.println(text),
            Surface::Off(stream) | Surface::Lines(stream) => {
                let at = at.unwrap_or_default();
                let _ = writeln!(stream, "{at:>8}  {text}").and_then(|()| stream.flush());
            }
        }
    }

    /// Brings the line on a terminal up to date.
    fn refresh(&self) {
        let Surface::Bar(bar) = &self.surface else {
            return;
        };
        let mut waits = self.waits.iter();
        let Some((target, wait)) = waits.next() else {
            return;
        };
        // The line is short: what is waited for comes before what is known.
        let mut text = wait.step.title().to_owned();
        let others = waits.count();
        if others > 0 {
            text = format!("{text} (and {others} more)");
        }
        let what = waiting(&wait.waiting_for, &wait.last_seen);
        if !what.is_empty() {
            text = format!("{text}: {what}");
        }
        let classes = |target: &Target| (target.storage_class.clone(), target.snapshot_class.clone());
        if self.targets.iter().any(|other| self.targets.first().map(classes) != Some(classes(other))) {
            text = format!("{}: {text}", self.name(*target));
        }
        bar.set_message(self.safe(&text));
    }
}

impl Drop for Progress {
    /// A run that ends without its last event must not leave half a line on the terminal.
    fn drop(&mut self) {
        if let Surface::Bar(bar) = &self.surface {
            bar.finish_and_clear();
        }
    }
}

/// What is waited for, and what was last seen.
fn waiting(waiting_for: &str, last_seen: &str) -> String {
    match (waiting_for, last_seen) {
        ("", "") => String::new(),
        ("", last_seen) => format!("last seen: {last_seen}"),
        (waiting_for, "") => format!("waiting for {waiting_for}"),
        (waiting_for, last_seen) => format!("waiting for {waiting_for}; last seen: {last_seen}"),
    }
}

/// Shows events and passes them on to the reports, until nobody can send any more.
pub async fn follow(mut events: mpsc::UnboundedReceiver<Event>, progress: &mut Progress, reporter: &mut Reporter) {
    loop {
        tokio::select! {
            biased;
            event = events.recv() => match event {
                Some(event) => {
                    progress.aside(|| reporter.event(&event));
                    progress.event(&event);
                }
                None => return,
            },
            () = progress.heartbeat() => {}
        }
    }
}
