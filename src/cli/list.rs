//! `list`: the catalogue of checks.

use std::fmt::Write as _;
use std::io::IsTerminal;

use clap::Args;
use owo_colors::{OwoColorize, Style};
use snapready_checks::model::check::{Check, Group, How};
use snapready_checks::model::need::Need;

use crate::cli::output::{OutputArgs, print};
use crate::cli::select::SelectArgs;
use crate::report::format::Format;
use crate::roundtrip::rights;
use crate::run::failure::Failure;
use crate::verdict::exit;

/// Which checks.
#[derive(Debug, Args)]
pub(super) struct ListArgs {
    #[command(flatten)]
    select: SelectArgs,
    /// Show the rights that each check takes
    #[arg(long)]
    permissions: bool,
}

/// Prints the catalogue.
pub(super) fn run(output: &OutputArgs, arguments: &ListArgs) -> Result<u8, Failure> {
    let checks = arguments.select.checks()?;
    let text = match output.output.unwrap_or_default() {
        Format::Human => {
            let heading = output.styles(std::io::stdout().is_terminal()).heading;
            for_people(&checks, arguments.permissions, heading)
        }
        Format::Json => {
            let list: Vec<_> = checks
                .iter()
                .map(|check| {
                    serde_json::json!({
                        "id": check.id, "slug": check.slug, "title": check.title, "group": check.group,
                        "severity": check.severity, "since": check.since, "permissions": permissions(check),
                    })
                })
                .collect();
            format!("{:#}\n", serde_json::Value::Array(list))
        }
        other => return Err(Failure::wrong_call(format!("list has the formats human and json, not {other}"))),
    };
    print(&text);
    Ok(exit::READY)
}

fn for_people(checks: &[&Check], with_permissions: bool, heading: Style) -> String {
    let mut text = String::new();
    let width = checks.iter().map(|check| check.slug.len()).max().unwrap_or_default();
    for group in Group::ALL {
        let members: Vec<_> = checks.iter().filter(|check| check.group == group).collect();
        if members.is_empty() {
            continue;
        }
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{}", group.heading().style(heading));
        for check in members {
            let severity = check.severity.word();
            let _ = writeln!(text, "  {}  {:width$}  {severity:7}  {}", check.id, check.slug, check.title);
            if with_permissions {
                for permission in permissions(check) {
                    let _ = writeln!(text, "         {permission}");
                }
            }
        }
    }
    text
}

/// The rights that a check takes. Those of the round trip are its own, and the same for all of its ids.
pub(super) fn permissions(check: &Check) -> Vec<String> {
    let mut rules: Vec<_> = match check.how {
        How::Looking(_) => check.sees().flat_map(Need::rules).collect(),
        How::RoundTrip => rights::cluster_rules(&[], true).into_iter().chain(rights::namespace_rules(&[])).collect(),
    };
    rules.sort();
    rules.dedup();
    rules.iter().map(ToString::to_string).collect()
}
