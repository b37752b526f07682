//! `explain`: a check's documentation, which is part of the program.

use std::fmt::Write as _;
use std::io::IsTerminal;

use clap::Args;
use owo_colors::{OwoColorize, Style};

use crate::cli::UsageError;
use crate::cli::output::{OutputArgs, print};
use crate::report::format::Format;
use crate::verdict::exit;

/// Which check.
#[derive(Debug, Args)]
pub(super) struct ExplainArgs {
    /// Id or name, e.g. SR301 or round-trip
    #[arg(value_name = "CHECK")]
    check: String,
}

/// Prints the documentation of a check.
pub(super) fn run(output: &OutputArgs, arguments: &ExplainArgs) -> Result<u8, UsageError> {
    let check = snapready_checks::find(&arguments.check).ok_or_else(|| {
        UsageError(format!("there is no check {:?}; `snapready list` names them all", arguments.check))
    })?;
    let text = match output.output.unwrap_or_default() {
        Format::Json => {
            let document = serde_json::json!({
                "id": check.id, "slug": check.slug, "title": check.title, "group": check.group,
                "severity": check.severity, "since": check.since, "needs": check.needs, "documentation": check.doc,
            });
            format!("{document:#}\n")
        }
        Format::Markdown => check.doc.to_owned(),
        Format::Human => for_people(check.doc, output.styles(std::io::stdout().is_terminal()).heading),
        other => return Err(UsageError(format!("explain has the formats human, json and markdown, not {other}"))),
    };
    print(&text);
    Ok(exit::READY)
}

/// Markdown as it reads in a terminal: headings without their signs, the rest as it is.
fn for_people(markdown: &str, heading: Style) -> String {
    let mut text = String::new();
    for line in markdown.lines() {
        let title = line.trim_start_matches('#');
        // Writing to a string cannot fail.
        let _ = if title.len() < line.len() {
            writeln!(text, "{}", title.trim_start().style(heading))
        } else {
            writeln!(text, "{line}")
        };
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_lose_their_signs() {
        assert_eq!(for_people("# SR301\n\ntext # here\n## Fix\n", Style::new()), "SR301\n\ntext # here\nFix\n");
    }
}
