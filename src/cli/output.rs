//! Flags about output, and the streams that follow from them: reports to stdout and files, everything else to stderr.

use std::io::{IsTerminal, Write};
use std::path::PathBuf;

use clap::{ArgAction, Args};

use crate::report::format::Format;
use crate::report::options::{RenderOptions, Verbosity};
use crate::report::output::{Outputs, ReportArgument};
use crate::report::progress::{ProgressMode, ProgressOptions};
use crate::report::style::{ColorChoice, Environment, Styles};
use crate::run::failure::Failure;
use crate::run::screens::Screens;
use crate::verdict::FailOn;

/// The heading of these flags in the help, by which they are known.
pub(super) const HEADING: &str = "Output";

/// How results are shown. All flags may stand before or after the subcommand.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct OutputArgs {
    /// Format on stdout: human, json, ndjson, junit, markdown or prometheus
    #[arg(short, long, global = true, value_name = "FORMAT", help_heading = HEADING)]
    pub(super) output: Option<Format>,
    /// One more report of the same run, e.g. junit=report.xml (repeat; - is stdout)
    #[arg(long, global = true, value_name = "FORMAT=PATH", help_heading = HEADING)]
    report: Vec<ReportArgument>,
    /// Folder for the manifests of fixes, a file each, to review and apply; nothing is applied or overwritten
    #[arg(long, global = true, value_name = "DIR", help_heading = HEADING)]
    fix_manifests: Option<PathBuf>,
    /// Colours
    #[arg(long, global = true, value_enum, default_value_t, value_name = "WHEN", help_heading = HEADING)]
    color: ColorChoice,
    /// Only ASCII characters
    #[arg(long, global = true, help_heading = HEADING)]
    ascii: bool,
    /// Show only what is not right, and the verdict; -qq: nothing, the exit code says it
    #[arg(short, long, global = true, action = ArgAction::Count, conflicts_with = "verbose", help_heading = HEADING)]
    quiet: u8,
    /// Show evidence for what is right, too; -vv and -vvv: log requests on stderr
    #[arg(short, long, global = true, action = ArgAction::Count, help_heading = HEADING)]
    verbose: u8,
    /// Show no progress on stderr
    #[arg(long, global = true, help_heading = HEADING)]
    no_progress: bool,
}

impl OutputArgs {
    /// The format of a command that prints one document; `more` names what else it offers.
    pub(super) fn human_or_json(&self, command: &str, more: &str) -> Result<Format, Failure> {
        match self.output.unwrap_or_default() {
            format @ (Format::Human | Format::Json) => Ok(format),
            other => Err(Failure::wrong_call(format!("{command} has the formats human and json{more}, not {other}"))),
        }
    }

    /// Decides everything about the streams, once.
    pub(super) fn screens(&self, fail_on: FailOn) -> Result<Screens, Failure> {
        let outputs = Outputs::new(self.output, &self.report).map_err(Failure::wrong_call)?;
        let environment = environment();
        let (stdout, stderr) = (std::io::stdout().is_terminal(), std::io::stderr().is_terminal());
        let ascii = self.ascii || environment.needs_ascii();
        let render = RenderOptions {
            styles: self.styles(stdout),
            ascii,
            width: width(),
            verbosity: self.verbosity(),
            warnings_fail: fail_on == FailOn::Warn,
        };
        let mode = match () {
            () if self.no_progress || self.quiet > 0 => ProgressMode::Off,
            // Log lines and a line that changes would overwrite each other.
            () if stderr && self.verbose < 2 => ProgressMode::Bar,
            () => ProgressMode::Lines,
        };
        let progress = ProgressOptions { styles: self.styles(stderr), ascii, verbose: self.verbose > 0 };
        Ok(Screens { outputs, render, progress: (mode, progress), fix_manifests: self.fix_manifests.clone() })
    }

    /// The styles for a stream.
    pub(super) fn styles(&self, is_terminal: bool) -> Styles {
        Styles::new(environment().uses_color(self.color, is_terminal))
    }

    /// How much is shown.
    pub(super) fn verbosity(&self) -> Verbosity {
        match (self.quiet, self.verbose) {
            (0, 0) => Verbosity::Normal,
            (0, _) => Verbosity::Verbose,
            (1, _) => Verbosity::Quiet,
            _ => Verbosity::Silent,
        }
    }
}

/// Columns of the terminal that stdout is; `None` if it is none.
pub(super) fn width() -> Option<usize> {
    terminal_size::terminal_size_of(std::io::stdout()).map(|(width, _)| usize::from(width.0))
}

fn environment() -> Environment {
    Environment::read(|name| std::env::var_os(name))
}

/// Starts the log, which is for finding mistakes and off unless asked for by `-vv` or `SNAPREADY_LOG`.
pub(super) fn start_log(arguments: &OutputArgs) {
    let default = match arguments.verbose {
        0 | 1 => "off",
        2 => "snapready=debug",
        _ => "snapready=trace,kube=debug",
    };
    let filter = std::env::var("SNAPREADY_LOG").unwrap_or_else(|_| default.to_owned());
    if filter == "off" {
        return;
    }
    tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::new(filter))
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .init();
}

/// Writes a document to stdout. A reader that has seen enough and closed it is no error.
pub(super) fn print(text: &str) {
    let _ = std::io::stdout().write_all(text.as_bytes());
}
