//! `drivers`: what each CSI driver can do, and what shows it.

use std::collections::BTreeSet;

use clap::Args;
use snapready_checks::model::need::Need;

use crate::cli::facts;
use crate::cli::output::{OutputArgs, print};
use crate::cluster::ConnectionArgs;
use crate::drivers::{Document, table};
use crate::report::format::Format;
use crate::run::failure::Failure;
use crate::verdict::exit;

/// None of its own.
#[derive(Debug, Args)]
pub(super) struct DriversArgs {}

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
pub(super) async fn run(connection: &ConnectionArgs, output: &OutputArgs, _: &DriversArgs) -> Result<u8, Failure> {
    let format = output.output.unwrap_or_default();
    if !matches!(format, Format::Human | Format::Json) {
        return Err(Failure::wrong_call(format!("drivers has the formats human and json, not {format}")));
    }
    let facts = facts::read(connection, &BTreeSet::from(NEEDS)).await?;
    let document = Document::of(&facts, &NEEDS);
    print(&match format {
        Format::Json => serde_json::to_string_pretty(&document).unwrap_or_default() + "\n",
        _ => table(&document, output.verbosity()),
    });
    Ok(if document.not_read.is_empty() { exit::READY } else { exit::INCONCLUSIVE })
}
