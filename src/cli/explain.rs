//! `explain`: the documentation of a check or of a mode of the round trip, which is part of the program.

use std::fmt::Write as _;
use std::io::IsTerminal;

use clap::Args;
use owo_colors::{OwoColorize, Style};
use snapready_checks::model::check::Check;
use snapready_checks::text::nearest::nearest;

use crate::cli::list::permissions;
use crate::cli::output::{OutputArgs, print, width};
use crate::report::format::Format;
use crate::roundtrip::modes::{self, Mode};
use crate::run::failure::Failure;
use crate::verdict::exit;

/// Wider lines are hard to read.
const WIDEST: usize = 100;

/// Which check.
#[derive(Debug, Args)]
pub(super) struct ExplainArgs {
    /// Id or name of a check, e.g. SR301 or round-trip; or a mode of the round trip, e.g. mode:plain
    #[arg(value_name = "CHECK")]
    check: String,
}

/// How a mode of the round trip is told from a check.
const MODE: &str = "mode:";

/// Prints the documentation of a check, or of a mode of the round trip.
pub(super) fn run(output: &OutputArgs, arguments: &ExplainArgs) -> Result<u8, Failure> {
    if let Some(name) = arguments.check.strip_prefix(MODE) {
        return explain_mode(output, find_mode(name)?);
    }
    let check = find(&arguments.check)?;
    let text = match output.output.unwrap_or_default() {
        Format::Json => {
            let document = serde_json::json!({
                "id": check.id, "slug": check.slug, "title": check.title, "group": check.group,
                "severity": check.severity, "since": check.since, "needs": check.needs,
                "permissions": permissions(check), "documentation": check.doc,
            });
            format!("{document:#}\n")
        }
        Format::Markdown => format!("# {} {}: {}\n\n{}", check.id, check.slug, check.title, check.doc),
        Format::Human => {
            let heading = output.styles(std::io::stdout().is_terminal()).heading;
            for_people(check, heading, width().map(|width| width.clamp(40, WIDEST)))
        }
        other => return Err(no_format(other)),
    };
    print(&text);
    Ok(exit::READY)
}

fn no_format(format: Format) -> Failure {
    Failure::wrong_call(format!("explain has the formats human, json and markdown, not {format}"))
}

fn explain_mode(output: &OutputArgs, mode: &Mode) -> Result<u8, Failure> {
    let text = match output.output.unwrap_or_default() {
        Format::Json => {
            let document = serde_json::json!({ "mode": mode.name, "documentation": mode.doc });
            format!("{document:#}\n")
        }
        Format::Markdown => mode.doc.to_owned(),
        Format::Human => {
            let mut text = String::new();
            let heading = output.styles(std::io::stdout().is_terminal()).heading;
            documentation(&mut text, mode.doc, heading, width().map(|width| width.clamp(40, WIDEST)));
            text
        }
        other => return Err(no_format(other)),
    };
    print(&text);
    Ok(exit::READY)
}

fn find_mode(name: &str) -> Result<&'static Mode, Failure> {
    Mode::find(name).ok_or_else(|| {
        let names: Vec<&str> = modes::all().map(|mode| mode.name).collect();
        let near = nearest(name, names.iter().copied());
        let shown = if near.is_empty() { names } else { near };
        Failure::wrong_call(format!("there is no mode {name:?}; there are: {}", shown.join(", ")))
    })
}

fn find(name: &str) -> Result<&'static Check, Failure> {
    if let Some(check) = snapready_checks::find(name) {
        return Ok(check);
    }
    let catalogue = snapready_checks::catalogue();
    let near = nearest(name, catalogue.iter().flat_map(|check| [check.id, check.slug]));
    let several: Vec<_> = catalogue.iter().filter(|check| check.group.word() == name).map(|check| check.id).collect();
    Err(Failure::wrong_call(match (several.is_empty(), near.is_empty()) {
        (false, _) => format!("explain takes one check; {name} stands for {}", several.join(", ")),
        (true, false) => {
            format!("there is no check {name:?}; near it: {}; `snapready list` names them all", near.join(", "))
        }
        (true, true) => format!("there is no check {name:?}; `snapready list` names them all"),
    }))
}

/// What a check is, and its documentation as it reads in a terminal: headings without their signs, lines wrapped.
fn for_people(check: &Check, heading: Style, width: Option<usize>) -> String {
    let mut text = String::new();
    let name = format!("{}  {}", check.id, check.slug);
    // Writing to a string cannot fail.
    let _ = writeln!(text, "{}\n", name.style(heading));
    wrapped(&mut text, check.title, width);
    let group = check.group.heading();
    let _ = writeln!(text, "{group} · at worst a {} · since {}\n", check.severity.word(), check.since);
    documentation(&mut text, check.doc, heading, width);
    let permissions = permissions(check);
    if !permissions.is_empty() {
        let _ = writeln!(text, "\n{}\n", "Rights".style(heading));
        for permission in permissions {
            wrapped(&mut text, &format!("- {permission}"), width);
        }
    }
    text
}

/// Markdown as it reads in a terminal.
fn documentation(text: &mut String, doc: &str, heading: Style, width: Option<usize>) {
    for line in doc.lines() {
        let title = line.trim_start_matches('#');
        if title.len() < line.len() {
            let _ = writeln!(text, "{}", title.trim_start().style(heading));
        } else {
            wrapped(text, line, width);
        }
    }
}

fn wrapped(text: &mut String, line: &str, width: Option<usize>) {
    let list = line.len() - line.trim_start_matches(['-', ' ']).len();
    let indent = " ".repeat(list);
    let lines = match width {
        // An address in two lines cannot be followed.
        Some(width) if !line.contains("<http") => {
            textwrap::wrap(line, textwrap::Options::new(width).subsequent_indent(&indent).break_words(false))
        }
        _ => vec![line.into()],
    };
    for line in lines {
        let _ = writeln!(text, "{line}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::roundtrip::rights;

    #[test]
    fn headings_lose_their_signs_and_lines_are_wrapped() {
        let check = find("sr301").unwrap();
        let text = for_people(check, Style::new(), Some(60));
        assert!(text.starts_with("SR301  round-trip\n\nData comes back from a snapshot\n"), "{text}");
        assert!(!text.contains('#'), "{text}");
        assert!(text.lines().all(|line| line.chars().count() <= 60 || line.contains("http")), "{text}");
    }

    #[test]
    fn every_check_is_explained() {
        for known in snapready_checks::catalogue() {
            let check = find(known.id).unwrap();
            let text = for_people(check, Style::new(), None);
            let begins = format!("{}  {}\n\n{}\n", known.id, known.slug, known.title);
            assert!(text.starts_with(&begins), "{text}");
            for heading in ["What it checks", "Why it matters", "How to see it yourself", "Fix", "References"] {
                assert!(text.lines().any(|line| line == heading), "{}: {heading}", known.id);
            }
        }
    }

    #[test]
    fn what_is_no_check_is_told_what_is_near() {
        for (name, wanted) in [("SR3O1", "SR301"), ("round-tripp", "round-trip"), ("classes", "SR211")] {
            let error = find(name).unwrap_err().to_string();
            assert!(error.contains(wanted), "{error}");
        }
    }

    #[test]
    fn the_round_trip_takes_what_its_rights_are_reviewed_for() {
        let told = permissions(find("SR301").unwrap());
        let rules = rights::cluster_rules(&[], true).into_iter().chain(rights::namespace_rules(&[]));
        for rule in rules {
            assert!(told.contains(&rule.to_string()), "{rule}: {told:?}");
        }
    }
}
