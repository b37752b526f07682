//! `check`: looks at the cluster, and writes nothing to it but access reviews.

use clap::Args;

use crate::cli::output::OutputArgs;
use crate::cli::select::{SelectArgs, VerdictArgs};
use crate::cluster::ConnectionArgs;
use crate::run::failure::Failure;
use crate::run::{self, Task};

/// Which checks, and what their findings mean.
#[derive(Debug, Args)]
pub(super) struct CheckArgs {
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
    let task = Task {
        command: "check",
        checks: arguments.select.checks()?,
        products: arguments.select.products()?,
        round_trip: None,
        fail_on: arguments.verdict.fail_on,
        unknown: arguments.verdict.unknown,
        simulated: false,
    };
    run::run(connection, output.screens(task.fail_on)?, task).await
}
