//! `drivers`: what each CSI driver can do, and what shows it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use clap::Args;
use serde_json::{Value, json};
use snapready_checks::knowledge::drivers::capabilities::{Capability, DriverCapabilities, drivers};
use snapready_checks::model::facts::Facts;
use snapready_checks::model::need::Need;
use snapready_checks::text::words::plural;
use unicode_width::UnicodeWidthStr;

use crate::cli::facts;
use crate::cli::output::{OutputArgs, print};
use crate::cluster::ConnectionArgs;
use crate::report::format::Format;
use crate::report::options::Verbosity;
use crate::report::{sanitize, words};
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
/// Longest name.
const NAME: usize = 60;

/// Prints the drivers.
pub(super) async fn run(connection: &ConnectionArgs, output: &OutputArgs, _: &DriversArgs) -> Result<u8, Failure> {
    let format = output.output.unwrap_or_default();
    if !matches!(format, Format::Human | Format::Json) {
        return Err(Failure::wrong_call(format!("drivers has the formats human and json, not {format}")));
    }
    let facts = facts::read(connection, &BTreeSet::from(NEEDS)).await?;
    let found = drivers(&facts);
    let unseen: Vec<&str> =
        NEEDS.into_iter().filter(|need| facts.missing(*need).is_some()).map(|need| need.row().noun).collect();
    print(&match format {
        Format::Json => format!("{:#}\n", document(&facts, &found, &unseen)),
        _ => table(&found, &unseen, output.verbosity()),
    });
    Ok(if unseen.is_empty() { exit::READY } else { exit::INCONCLUSIVE })
}

fn answer(capability: &Capability) -> &'static str {
    match (capability.answer, capability.is_certain) {
        (Some(true), true) => "yes",
        (Some(true), false) => "likely",
        (Some(false), true) => "no",
        (Some(false), false) => "unlikely",
        (None, _) => "?",
    }
}

fn table(found: &BTreeMap<String, DriverCapabilities>, unseen: &[&str], verbosity: Verbosity) -> String {
    if verbosity == Verbosity::Silent {
        return String::new();
    }
    let mut text = String::new();
    let name = |driver: &str| sanitize::line(driver, NAME);
    let width = found.keys().map(|driver| name(driver).width()).max().unwrap_or_default();
    for (driver, about) in found {
        let padding = " ".repeat(width - name(driver).width());
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "{}{padding}  {}, {}, {}",
            name(driver),
            plural(about.claims, "claim"),
            plural(about.storage_classes, "StorageClass"),
            plural(about.snapshot_classes, "VolumeSnapshotClass")
        );
        let answers: Vec<String> = about
            .abilities
            .iter()
            .map(|(ability, capability)| format!("{} {}", ability.word(), answer(capability)))
            .collect();
        let _ = writeln!(text, "  {}", answers.join("  "));
        if verbosity == Verbosity::Verbose {
            for (ability, capability) in &about.abilities {
                let _ = writeln!(text, "    {:9} {}", ability.word(), sanitize::line(&capability.because, 300));
                if let Some(evidence) = &capability.evidence {
                    let _ = writeln!(text, "              {}", sanitize::line(&words::evidence(evidence), 300));
                }
            }
        }
    }
    if found.is_empty() {
        text.push_str("there are no CSI drivers\n");
    }
    if !unseen.is_empty() {
        let _ = writeln!(text, "could not be read, so that answers may be missing: {}", unseen.join(", "));
    }
    text
}

fn document(facts: &Facts, found: &BTreeMap<String, DriverCapabilities>, unseen: &[&str]) -> Value {
    let drivers: Vec<Value> = found
        .iter()
        .map(|(driver, about)| {
            let abilities: serde_json::Map<String, Value> = about
                .abilities
                .iter()
                .map(|(ability, capability)| {
                    let value = json!({
                        "answer": match capability.answer { Some(true) => "yes", Some(false) => "no", None => "unknown" },
                        "certain": capability.is_certain,
                        "because": capability.because,
                        "evidence": capability.evidence,
                    });
                    (ability.word().to_owned(), value)
                })
                .collect();
            json!({
                "driver": driver, "claims": about.claims, "storageClasses": about.storage_classes,
                "snapshotClasses": about.snapshot_classes, "abilities": abilities,
            })
        })
        .collect();
    json!({
        "schemaVersion": "snapready.dev/drivers/v1", "collectedAt": facts.collected_at, "drivers": drivers,
        "notRead": unseen,
    })
}
