//! `why`: what keeps an object that is stuck, live or in files.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use snapready_checks::model::check::Check;
use snapready_checks::model::facts::{Facts, SnapshotApis};
use snapready_checks::model::need::Need;
use snapready_checks::model::object::SNAPSHOT_GROUP;
use tokio::sync::mpsc;

use crate::api::{Objects, Place};
use crate::cli::from::FromArgs;
use crate::cli::output::{OutputArgs, print};
use crate::cluster::{ConnectionArgs, connect, server_version};
use crate::facts::{Collection, Source, files};
use crate::report::format::Format;
use crate::run::failure::Failure;
use crate::run::screens::not_read;
use crate::verdict::exit;
use crate::why::{self, Document, Named, State, table};

/// What is asked about.
#[derive(Debug, Args)]
pub(super) struct WhyArgs {
    /// The object, by kubectl's names: vs/NAME (a snapshot), vsc/NAME (its content), vgs/NAME (a group), pvc/NAME (a claim) or pod/NAME. Without it:
    /// everything that is stuck in the namespace
    #[arg(value_name = "KIND/NAME")]
    object: Option<Named>,
    /// Everything that is stuck in all namespaces
    #[arg(short = 'A', long, conflicts_with_all = ["object", "namespace"])]
    all_namespaces: bool,
    #[command(flatten)]
    from: FromArgs,
}

/// How long a request may take.
const REQUEST_LIMIT: Duration = Duration::from_secs(30);

/// Prints why.
pub(super) async fn run(connection: &ConnectionArgs, output: &OutputArgs, arguments: &WhyArgs) -> Result<u8, Failure> {
    let format = output.human_or_json("why", "")?;
    let paths = arguments.from.paths(connection)?;
    let document =
        if paths.is_empty() { live(connection, arguments).await? } else { offline(connection, arguments, paths)? };
    print(&match format {
        Format::Json => serde_json::to_string_pretty(&document).unwrap_or_default() + "\n",
        _ => table(&document, output.verbosity()),
    });
    let any = |state| document.objects.iter().any(|one| one.state == state);
    Ok(match () {
        () if any(State::Stuck) => exit::NOT_READY,
        () if any(State::Unknown) => exit::INCONCLUSIVE,
        () if arguments.object.is_none() && !document.not_read.is_empty() => exit::INCONCLUSIVE,
        () => exit::READY,
    })
}

async fn live(arguments: &ConnectionArgs, asked: &WhyArgs) -> Result<Document, Failure> {
    let connection = connect(arguments).await?;
    let version = server_version(&connection).await?;
    // What is tried again is no news where one answer is printed.
    let (events, _nobody) = mpsc::unbounded_channel();
    let patience = connection.request_timeout.unwrap_or(REQUEST_LIMIT);
    let server = Objects::new(&connection.client, patience, events);
    let namespace = connection.namespace.clone();
    let start = asked.object.as_ref().map(|named| named.at(&namespace));
    let within = (!asked.all_namespaces).then_some(namespace.as_str());
    let looked = async {
        match &start {
            Some(start) => why::in_cluster(&server, start, patience).await,
            None => why::listed_in_cluster(&server, within).await,
        }
    };
    let source = Source::Cluster(Box::new(connection.clone()));
    let needs: BTreeSet<Need> = why::checks().into_iter().flat_map(Check::sees).collect();
    let collection = Collection { needs: &needs, round_trip: &[], products: &[], server_version: Some(version) };
    let (known, facts) = tokio::join!(looked, source.read(&collection, &|_| {}));
    answer(start.as_ref(), within, &known, &facts)
}

fn offline(arguments: &ConnectionArgs, asked: &WhyArgs, paths: &[PathBuf]) -> Result<Document, Failure> {
    let read = files::read(paths, &[]).map_err(Failure::wrong_call)?;
    not_read(&read.skipped);
    let known = why::in_files(&read);
    // Files have no current namespace: what is asked for without one is looked for in all.
    let within = arguments.namespace.as_deref();
    let start = match &asked.object {
        None => None,
        Some(named) => Some(match within {
            Some(namespace) => named.at(namespace),
            None => known.only(named).map_err(Failure::wrong_call)?,
        }),
    };
    answer(start.as_ref(), within, &known, &read.facts)
}

fn answer(start: Option<&Place>, within: Option<&str>, known: &why::Known, facts: &Facts) -> Result<Document, Failure> {
    let Some(start) = start else { return Ok(why::of_all(within, known, facts)) };
    if known.is_absent(start) {
        let serves = |apis: &SnapshotApis| start.kind.group != SNAPSHOT_GROUP || apis.serves(SNAPSHOT_GROUP, "v1");
        if facts.snapshot_apis.seen().is_some_and(|apis| !serves(apis)) {
            let what = "the API server does not serve snapshot.storage.k8s.io/v1, so there are no snapshots: the CRDs are not installed";
            return Err(Failure::wrong_call(format!("{what}; see snapready check")));
        }
        let hint = if start.kind.namespaced { "; -n chooses the namespace" } else { "" };
        return Err(Failure::wrong_call(format!("there is no {}{hint}", start.object())));
    }
    Ok(why::of_one(start, known, facts))
}
