//! `rbac`: the least rights, as manifests.

use clap::Args;
use snapready_checks::model::need::Need;
use snapready_checks::products::{kinds, possible};

use crate::cli::existing::{ExistingArgs, within};
use crate::cli::output::print;
use crate::cli::roundtrip::{mode_names, modes};
use crate::cli::select::SelectArgs;
use crate::cluster::ConnectionArgs;
use crate::rbac::{Account, Place, RoundTrip, manifests};
use crate::roundtrip::plan;
use crate::run::failure::Failure;
use crate::verdict::exit;

/// For what, and for whom.
#[derive(Debug, Args)]
pub(super) struct RbacArgs {
    #[command(flatten)]
    select: SelectArgs,
    /// Only what the checks need, not the round trip
    #[arg(long)]
    check_only: bool,
    /// Also the rights to remove what a class with the policy Retain keeps of a round trip: changing any content of a snapshot and any
    /// volume
    #[arg(long, conflicts_with = "check_only")]
    retain: bool,
    /// Also what round trips in this mode take (repeat, or separate with commas) [default: those that do what --for does; else plain]
    #[arg(long, value_delimiter = ',', value_parser = mode_names(), value_name = "NAME", conflicts_with = "check_only")]
    mode: Vec<String>,
    #[command(flatten)]
    existing: ExistingArgs,
    /// The service account that gets the rights
    #[arg(long, value_name = "NAMESPACE/NAME")]
    service_account: Option<String>,
}

/// Prints the manifests. With `--namespace` the round trip takes place there, and no right to make namespaces is needed.
pub(super) fn run(connection: &ConnectionArgs, arguments: &RbacArgs) -> Result<u8, Failure> {
    let mut needs: Vec<Need> = arguments.select.checks()?.iter().flat_map(|check| check.sees()).collect();
    needs.sort();
    needs.dedup();
    let account = match arguments.service_account.as_deref().map(|text| text.split_once('/')) {
        None => Account::PLACEHOLDER,
        Some(Some((namespace, name))) if !namespace.is_empty() && !name.is_empty() => Account { namespace, name },
        Some(_) => return Err(Failure::wrong_call("--service-account wants NAMESPACE/NAME".to_owned())),
    };
    let existing = arguments.existing.reference();
    let place = match &existing {
        Some(existing) => {
            within(connection, existing)?;
            Place::Existing(existing)
        }
        None => connection.namespace.as_deref().map_or(Place::Own, Place::Namespace),
    };
    let words = arguments.select.products()?;
    let products = kinds(&words);
    let modes = plan::modes(&modes(&arguments.mode), possible(&words));
    let round_trip = RoundTrip { place, modes: &modes, retained: arguments.retain };
    print(&manifests(&needs, &products, (!arguments.check_only).then_some(round_trip), account));
    Ok(exit::READY)
}
