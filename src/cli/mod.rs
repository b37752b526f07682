//! The command line: flags in, exit code out. One file per subcommand; what they share beside flags lies in `run`.

mod check;
mod cleanup;
mod coverage;
mod demo;
mod drivers;
mod duration;
mod existing;
mod explain;
mod facts;
mod from;
mod list;
mod output;
mod rbac;
mod roundtrip;
mod select;
mod shared_flags;
mod values;
mod why;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::cli::output::OutputArgs;
use crate::cluster::ConnectionArgs;
use crate::run::failure::Failure;
use crate::verdict::exit;

/// Tells whether a Kubernetes cluster can take a CSI volume snapshot and give the data back, and proves it.
#[derive(Debug, Parser)]
#[command(name = "snapready", version, max_term_width = 100)]
#[command(
    after_help = "Exit codes: 0 ready, 1 not ready, 2 wrong call, 3 inconclusive, 4 ready but objects were left \
behind, 130/143 interrupted.\nTry it without a cluster: snapready demo"
)]
struct Cli {
    #[command(flatten)]
    connection: ConnectionArgs,
    #[command(flatten)]
    output: OutputArgs,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Both: the checks, then the round trip. The gate before backups are switched on
    Preflight(roundtrip::PreflightArgs),
    /// Look at the cluster, and write nothing to it
    Check(check::CheckArgs),
    /// Prove it: write, snapshot, overwrite, restore, compare; in a namespace of its own, which is removed afterwards
    Roundtrip(roundtrip::RoundtripArgs),
    /// Run `preflight` on a simulated cluster inside this program; no Kubernetes is needed
    Demo(demo::DemoArgs),
    /// List which claims can be snapshotted, and how to back up the others; exit code 1 if some cannot
    Coverage(coverage::CoverageArgs),
    /// Show what each CSI driver can do, and what shows it
    Drivers(drivers::DriversArgs),
    /// Tell why something is stuck: a snapshot, a claim, a pod that waits for its volume, a deletion that does not end
    Why(why::WhyArgs),
    /// Remove what an interrupted run left in the cluster
    Cleanup(cleanup::CleanupArgs),
    /// Explain a check: what it looks at, why it matters, how to fix what it finds; or a mode of the round trip
    Explain(explain::ExplainArgs),
    /// List the checks
    List(list::ListArgs),
    /// Print the least rights that snapready needs, as RBAC manifests
    Rbac(rbac::RbacArgs),
}

/// Runs the program with the process's arguments.
#[must_use]
pub fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let cli = match parse(&arguments) {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version come as errors, too; they go to stdout and are none.
            let code = if error.use_stderr() { exit::USAGE } else { exit::READY };
            // A closed stream leaves nobody to tell.
            let _ = error.print();
            return ExitCode::from(code);
        }
    };
    output::start_log(&cli.output);
    ExitCode::from(carry_out(cli).unwrap_or_else(|failure| failure.say()))
}

fn carry_out(cli: Cli) -> Result<u8, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::no_answer(format!("the asynchronous runtime does not start: {error}")))?;
    let result = runtime.block_on(dispatch(cli));
    // A request that hangs must not keep the program from ending.
    runtime.shutdown_background();
    result
}

/// As a kubectl plugin the program is called `kubectl-snapready`, and its users type `kubectl snapready`.
fn parse(arguments: &[OsString]) -> Result<Cli, clap::Error> {
    let plugin = arguments
        .first()
        .and_then(|program| std::path::Path::new(program).file_name())
        .is_some_and(|name| name.to_string_lossy().starts_with("kubectl-"));
    let command = if plugin { Cli::command().bin_name("kubectl snapready") } else { Cli::command() };
    let mut command = shared_flags::hide_unused(command);
    let matches = command.try_get_matches_from_mut(arguments)?;
    shared_flags::refuse_unused(&mut command, &matches)?;
    Cli::from_arg_matches(&matches)
}

async fn dispatch(cli: Cli) -> Result<u8, Failure> {
    let Cli { connection, output, command } = cli;
    match command {
        Command::Preflight(arguments) => roundtrip::preflight(&connection, &output, &arguments).await,
        Command::Check(arguments) => check::run(&connection, &output, &arguments).await,
        Command::Roundtrip(arguments) => roundtrip::run(&connection, &output, &arguments).await,
        Command::Demo(arguments) => demo::run(&output, &arguments).await,
        Command::Coverage(arguments) => coverage::run(&connection, &output, &arguments).await,
        Command::Drivers(arguments) => drivers::run(&connection, &output, &arguments).await,
        Command::Why(arguments) => why::run(&connection, &output, &arguments).await,
        Command::Cleanup(arguments) => cleanup::run(&connection, &output, &arguments).await,
        Command::Explain(arguments) => explain::run(&output, &arguments),
        Command::List(arguments) => list::run(&output, &arguments),
        Command::Rbac(arguments) => rbac::run(&connection, &arguments),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn global_flags_stand_before_or_after_the_subcommand() {
        for line in ["snapready --context a -o json check", "snapready check --context a -o json"] {
            let words: Vec<OsString> = line.split(' ').map(OsString::from).collect();
            let cli = parse(&words).unwrap();
            assert_eq!(cli.connection.context.as_deref(), Some("a"), "{line}");
        }
    }

    #[test]
    fn a_plugin_is_called_as_kubectl_calls_it() {
        let error = parse(&["/usr/bin/kubectl-snapready".into(), "--help".into()]).unwrap_err();
        assert!(error.to_string().contains("Usage: kubectl snapready"), "{error}");
    }
}
