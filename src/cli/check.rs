//! `check`: looks at the cluster, and writes nothing to it but access reviews.

use clap::Args;

use snapready_checks::model::check::Group;

use crate::cli::from::FromArgs;
use crate::cli::output::OutputArgs;
use crate::cli::select::{SelectArgs, VerdictArgs};
use crate::cluster::ConnectionArgs;
use crate::run::failure::Failure;
use crate::run::{self, Task};

/// Which checks, and what their findings mean.
#[derive(Debug, Args)]
pub(super) struct CheckArgs {
    #[command(flatten)]
    from: FromArgs,
    #[command(flatten)]
    select: SelectArgs,
    #[command(flatten)]
    verdict: VerdictArgs,
}

/// Runs the checks.
pub(super) async fn run(
    connection: &ConnectionArgs,
    output: &OutputArgs,
    arguments: &CheckArgs,
) -> Result<u8, Failure> {
    let mut checks = arguments.select.checks()?;
    let from = arguments.from.paths(connection)?.to_vec();
    if !from.is_empty() {
        // There is nobody whose rights could be asked about.
        checks.retain(|check| check.group != Group::Access);
    }
    let task = Task {
        command: "check",
        checks,
        products: arguments.select.products()?,
        round_trip: None,
        fail_on: arguments.verdict.fail_on,
        unknown: arguments.verdict.unknown,
        simulated: false,
        from,
    };
    run::run(connection, output.screens(task.fail_on)?, task).await
}
