//! `cleanup`: removes what interrupted runs left, and nothing that does not carry snapready's labels.

use std::fmt::Write as _;
use std::time::Duration;

use clap::Args;
use jiff::Timestamp;
use tokio::sync::mpsc;

use crate::cli::UsageError;
use crate::cli::duration::Limit;
use crate::cli::output::{OutputArgs, print};
use crate::cluster::{ConnectError, ConnectionArgs, connect, server_version};
use crate::report::format::Format;
use crate::report::options::Verbosity;
use crate::report::{sanitize, words};
use crate::roundtrip::cleanup::{CleanupOutcome, Which, cleanup};
use crate::roundtrip::plan::RunId;
use crate::run::screens::complain;
use crate::verdict::exit;

/// Which runs.
#[derive(Debug, Args)]
pub(super) struct CleanupArgs {
    #[command(flatten)]
    which: WhichArgs,
    /// Limit for the clean-up
    #[arg(long, value_name = "DURATION", default_value = "60s")]
    cleanup_timeout: Limit,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct WhichArgs {
    /// The run with this id
    #[arg(long, value_name = "ID")]
    run: Option<RunId>,
    /// All runs, also those that still go on
    #[arg(long)]
    all: bool,
    /// Runs whose objects have expired
    #[arg(long)]
    expired: bool,
}

/// How long a clean-up without a limit may take: longer than anybody waits.
const NO_LIMIT: Duration = Duration::from_secs(24 * 60 * 60);
/// How long a request may take where `--request-timeout` sets no limit.
const REQUEST_LIMIT: Duration = Duration::from_secs(60);

/// Removes what runs left.
pub(super) async fn run(
    connection: &ConnectionArgs,
    output: &OutputArgs,
    arguments: &CleanupArgs,
) -> Result<u8, UsageError> {
    let format = output.output.unwrap_or_default();
    if !matches!(format, Format::Human | Format::Json) {
        return Err(UsageError(format!("cleanup has the formats human and json, not {format}")));
    }
    match clean(connection, arguments).await {
        Ok(outcome) => {
            print(&if format == Format::Json { json(&outcome) } else { for_people(&outcome, output.verbosity()) });
            Ok(match (outcome.leftovers.is_empty(), outcome.unseen.is_empty()) {
                (false, _) => exit::LEFTOVERS,
                (true, false) => exit::INCONCLUSIVE,
                (true, true) => exit::READY,
            })
        }
        Err(error) => {
            complain(&format!("{error}\n{}", error.next_step()));
            Ok(if error.is_usage() { exit::USAGE } else { exit::INCONCLUSIVE })
        }
    }
}

async fn clean(arguments: &ConnectionArgs, cleanup_arguments: &CleanupArgs) -> Result<CleanupOutcome, ConnectError> {
    let connection = connect(arguments).await?;
    server_version(&connection).await?;
    let which = match &cleanup_arguments.which.run {
        Some(run) => Which::Run(run.to_string()),
        None if cleanup_arguments.which.expired => Which::Expired { now: Timestamp::now() },
        None => Which::All,
    };
    // What happens on the way is not shown: the outcome names every object.
    let (events, _) = mpsc::unbounded_channel();
    let budget = cleanup_arguments.cleanup_timeout.0.unwrap_or(NO_LIMIT);
    let request_timeout = connection.request_timeout.unwrap_or(REQUEST_LIMIT);
    Ok(cleanup(&connection.client, &which, arguments.namespace.as_deref(), budget, request_timeout, events).await)
}

/// What was removed, and what was not; the latter alone if the caller wants to read less.
fn for_people(outcome: &CleanupOutcome, verbosity: Verbosity) -> String {
    let mut text = String::new();
    let is_clean = outcome.leftovers.is_empty() && outcome.unseen.is_empty();
    if verbosity == Verbosity::Silent || (verbosity == Verbosity::Quiet && is_clean) {
        return text;
    }
    // Writing to a string cannot fail.
    for object in outcome.removed.iter().filter(|_| verbosity >= Verbosity::Normal) {
        let _ = writeln!(text, "removed        {}", sanitize::line(&words::object(object), 300));
    }
    for object in &outcome.leftovers {
        let _ = writeln!(text, "STILL THERE    {}", sanitize::line(&words::object(object), 300));
    }
    for place in &outcome.unseen {
        let _ = writeln!(text, "NOT LOOKED AT  {}", sanitize::line(place, 300));
    }
    let _ = match (outcome.removed.is_empty(), outcome.leftovers.is_empty(), outcome.unseen.is_empty()) {
        (true, true, true) => writeln!(text, "nothing was left behind"),
        (_, true, true) => writeln!(text, "{} removed, nothing left", words::count(outcome.removed.len(), "object")),
        _ => writeln!(text, "{} removed, but not everything", words::count(outcome.removed.len(), "object")),
    };
    text
}

fn json(outcome: &CleanupOutcome) -> String {
    let document = serde_json::json!({
        "schemaVersion": "snapready.dev/cleanup/v1",
        "removed": outcome.removed, "leftovers": outcome.leftovers,
        "runs": outcome.found_runs, "notLookedAt": outcome.unseen,
    });
    format!("{document:#}\n")
}
