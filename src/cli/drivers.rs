//! `drivers`: what each CSI driver can do, and what shows it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use clap::Args;
use snapready_checks::model::need::Need;

use crate::cli::facts;
use crate::cli::from::FromArgs;
use crate::cli::output::{OutputArgs, print};
use crate::cluster::ConnectionArgs;
use crate::drivers::{Document, table};
use crate::model::Report;
use crate::report::format::Format;
use crate::run::failure::Failure;
use crate::verdict::exit;

/// What it shows apart from the cluster.
#[derive(Debug, Args)]
pub(super) struct DriversArgs {
    #[command(flatten)]
    from: FromArgs,
    /// Take in what round trips of this cluster have shown: the report of a run in JSON
    #[arg(long, value_name = "FILE")]
    round_trips: Vec<PathBuf>,
}

/// What an answer may rest on. What cannot be seen makes it unknown, and is named.
const NEEDS: [Need; 11] = [
    Need::StorageClasses,
    Need::VolumeSnapshotClasses,
    Need::VolumeSnapshotContents,
    Need::PersistentVolumes,
    Need::PersistentVolumeClaims,
    Need::CsiDrivers,
    Need::CsiNodes,
    Need::Pods,
    Need::Workloads,
    Need::Leases,
    Need::ServerVersion,
];
/// Prints the drivers.
pub(super) async fn run(connection: &ConnectionArgs, output: &OutputArgs, args: &DriversArgs) -> Result<u8, Failure> {
    let format = output.human_or_json("drivers", "")?;
    let reports: Vec<(&Path, Report)> =
        args.round_trips.iter().map(|file| Ok((file.as_path(), report(file)?))).collect::<Result<_, Failure>>()?;
    let (facts, server) = facts::read(connection, &args.from, &BTreeSet::from(NEEDS)).await?;
    let mut document = Document::of(&facts, &NEEDS);
    for (file, report) in &reports {
        let Some(server) = &server else {
            return Err(Failure::wrong_call("--round-trips shows what a cluster can do, and files are none"));
        };
        let proven = document.prove(report, server);
        proven.map_err(|why| Failure::wrong_call(format!("{} shows nothing here: {why}", file.display())))?;
    }
    print(&match format {
        Format::Json => serde_json::to_string_pretty(&document).unwrap_or_default() + "\n",
        _ => table(&document, output.verbosity()),
    });
    Ok(if document.not_read.is_empty() { exit::READY } else { exit::INCONCLUSIVE })
}

fn report(file: &Path) -> Result<Report, Failure> {
    let wrong = |why: String| Failure::wrong_call(format!("--round-trips {}: {why}", file.display()));
    let text = std::fs::read(file).map_err(|error| wrong(error.to_string()))?;
    serde_json::from_slice(&text).map_err(|error| wrong(format!("it is no report of snapready in JSON: {error}")))
}
