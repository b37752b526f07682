//! `coverage`: which claims can be snapshotted, and how the others are backed up.

use std::collections::BTreeSet;

use clap::Args;
use snapready_checks::find;
use snapready_checks::model::check::Check;
use snapready_checks::model::facts::Facts;
use snapready_checks::model::need::Need;
use snapready_checks::model::probe::Missing;

use crate::cli::facts;
use crate::cli::from::FromArgs;
use crate::cli::output::{OutputArgs, print};
use crate::cluster::ConnectionArgs;
use crate::coverage::{Document, csv, table};
use crate::report::format::Format;
use crate::run::failure::Failure;
use crate::verdict::exit;

/// The form.
#[derive(Debug, Args)]
pub(super) struct CoverageArgs {
    #[command(flatten)]
    from: FromArgs,
    /// A line for each claim, for spreadsheets
    #[arg(long, conflicts_with = "output")]
    csv: bool,
}

/// The check that says the same of all claims together: what it looks at is what this looks at.
const CHECK: &str = "SR501";

/// Prints which claims can be snapshotted.
pub(super) async fn run(
    connection: &ConnectionArgs,
    output: &OutputArgs,
    arguments: &CoverageArgs,
) -> Result<u8, Failure> {
    let format = output.human_or_json("coverage", ", and --csv")?;
    let needs: BTreeSet<Need> = find(CHECK).into_iter().flat_map(Check::sees).chain([Need::MountedClaims]).collect();
    let (facts, _) = facts::read(connection, &arguments.from, &needs).await?;
    let Some(document) = Document::of(&facts, connection.namespace.as_deref()) else {
        return Err(Failure::no_answer(unseen(&facts)));
    };
    let text = match format {
        _ if arguments.csv => csv(&document),
        Format::Json => serde_json::to_string_pretty(&document).unwrap_or_default() + "\n",
        _ => table(&document, output.verbosity()),
    };
    print(&text);
    let total = document.total;
    Ok(match () {
        () if total.otherwise.claims + total.none.claims > 0 => exit::NOT_READY,
        () if total.unknown.claims > 0 => exit::INCONCLUSIVE,
        () => exit::READY,
    })
}

/// Why there is nothing to print.
fn unseen(facts: &Facts) -> String {
    let needs = [Need::PersistentVolumeClaims, Need::PersistentVolumes];
    let told = needs.into_iter().filter_map(|need| {
        let noun = need.row().noun;
        Some(match facts.missing(need)? {
            Missing::Forbidden { rule } => {
                format!("{noun} cannot be read: the account lacks the right to {rule}; `snapready rbac --select {CHECK}` prints it")
            }
            Missing::Failed { reason } => format!("{noun} could not be read: {reason}"),
            Missing::NotServed => format!("{noun} could not be read"),
            Missing::NotCollected => format!("{noun} are not in the files"),
        })
    });
    told.collect::<Vec<_>>().join("; ")
}
