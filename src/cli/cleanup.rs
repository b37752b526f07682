//! `cleanup`: removes what interrupted runs left, and nothing that does not carry snapready's labels.

use std::fmt::Write as _;
use std::time::Duration;

use clap::Args;
use jiff::Timestamp;
use tokio::sync::mpsc;

use crate::cli::duration::Limit;
use crate::cli::output::{OutputArgs, print};
use crate::cluster::{ConnectError, ConnectionArgs, connect, server_version};
use crate::report::format::Format;
use crate::report::options::Verbosity;
use crate::report::{sanitize, words};
use crate::roundtrip::cleanup::{CleanupOutcome, Which, cleanup};
use crate::roundtrip::plan::RunId;
use crate::run::failure::Failure;
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
) -> Result<u8, Failure> {
    let format = output.human_or_json("cleanup", "")?;
    let outcome = clean(connection, arguments).await?;
    print(&if format == Format::Json { json(&outcome) } else { for_people(&outcome, output.verbosity()) });
    Ok(match (outcome.leftovers.is_empty(), outcome.unseen.is_empty()) {
        (false, _) => exit::LEFTOVERS,
        (true, false) => exit::INCONCLUSIVE,
        (true, true) => exit::READY,
    })
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
    if verbosity == Verbosity::Silent {
        return text;
    }
    let all = verbosity > Verbosity::Quiet;
    // Writing to a string cannot fail.
    for object in outcome.removed.iter().filter(|_| all) {
        let _ = writeln!(text, "removed        {}", sanitize::line(&words::object(object), 300));
    }
    for object in &outcome.leftovers {
        let _ = writeln!(text, "STILL THERE    {}", sanitize::line(&words::leftover(object), 300));
    }
    for place in &outcome.unseen {
        let _ = writeln!(text, "NOT LOOKED AT  {}", sanitize::line(place, 300));
    }
    if all {
        let removed = words::count(outcome.removed.len(), "object");
        let is_clean = outcome.leftovers.is_empty() && outcome.unseen.is_empty();
        let _ = match (outcome.removed.is_empty(), is_clean) {
            (true, true) => writeln!(text, "nothing was left behind"),
            (false, true) => writeln!(text, "{removed} removed, nothing left"),
            (_, false) => writeln!(text, "{removed} removed, but not everything"),
        };
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Leftover, ObjectName};

    fn pod(name: &str) -> ObjectName {
        ObjectName { kind: "Pod".to_owned(), namespace: Some("team".to_owned()), name: name.to_owned() }
    }

    #[test]
    fn a_quiet_call_prints_what_is_left_and_nothing_else() {
        let clean = CleanupOutcome { removed: vec![pod("writer")], ..CleanupOutcome::default() };
        let left = CleanupOutcome {
            leftovers: vec![Leftover { object: pod("reader"), storage_handle: Some("vol-1".to_owned()) }],
            unseen: vec!["namespace a: forbidden".to_owned()],
            ..clean.clone()
        };
        for (outcome, verbosity, wanted) in [
            (&clean, Verbosity::Normal, "removed        Pod team/writer\n1 object removed, nothing left\n"),
            (&clean, Verbosity::Quiet, ""),
            (
                &left,
                Verbosity::Quiet,
                "STILL THERE    Pod team/reader, in the storage vol-1\nNOT LOOKED AT  namespace a: forbidden\n",
            ),
            (&left, Verbosity::Silent, ""),
            (&CleanupOutcome::default(), Verbosity::Normal, "nothing was left behind\n"),
        ] {
            assert_eq!(for_people(outcome, verbosity), wanted, "{verbosity:?}");
        }
    }
}
