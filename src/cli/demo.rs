//! `demo`: `preflight` on the embedded cluster, over real HTTP.

use std::fmt::Write as _;
use std::io::Write as _;

use clap::Args;
use snapready_sim::scenario::{self, Scenario};

use crate::cli::output::{OutputArgs, print};
use crate::cli::roundtrip::PreflightArgs;
use crate::cluster::ConnectionArgs;
use crate::run;
use crate::run::failure::Failure;
use crate::verdict::exit;

/// Which simulated cluster.
#[derive(Debug, Args)]
pub(super) struct DemoArgs {
    /// What is wrong with the simulated cluster
    #[arg(long, value_name = "NAME", default_value = "healthy", value_parser = scenario)]
    scenario: &'static Scenario,
    /// Say which scenarios there are
    #[arg(long)]
    list: bool,
    #[command(flatten)]
    preflight: PreflightArgs,
}

/// Runs `preflight` on a cluster that exists for this run only.
pub(super) async fn run(output: &OutputArgs, arguments: &DemoArgs) -> Result<u8, Failure> {
    if arguments.list {
        print(&listing());
        return Ok(exit::READY);
    }
    let screens = output.screens(arguments.preflight.fail_on())?;
    let task = arguments.preflight.demo()?;
    let started = start(arguments.scenario)
        .await
        .map_err(|error| Failure::no_answer(format!("the simulated cluster does not start: {error}")))?;
    let connection =
        ConnectionArgs { kubeconfig: Some(started.kubeconfig.path().to_owned()), ..ConnectionArgs::default() };
    run::run(&connection, screens, task).await
}

struct Started {
    kubeconfig: tempfile::NamedTempFile,
    /// It ends when this is dropped.
    _cluster: snapready_sim::Cluster,
}

async fn start(scenario: &'static Scenario) -> std::io::Result<Started> {
    let cluster = snapready_sim::start(scenario).await?;
    // The run connects as it does to any cluster.
    let mut kubeconfig = tempfile::NamedTempFile::new()?;
    kubeconfig.write_all(cluster.kubeconfig().as_bytes())?;
    kubeconfig.flush()?;
    Ok(Started { kubeconfig, _cluster: cluster })
}

fn scenario(name: &str) -> Result<&'static Scenario, String> {
    scenario::find(name).ok_or_else(|| {
        let near = snapready_checks::text::nearest::nearest(name, scenario::all().iter().map(|scenario| scenario.name));
        let near = if near.is_empty() { String::new() } else { format!("near it: {}; ", near.join(", ")) };
        format!("{near}`snapready demo --list` names all scenarios")
    })
}

fn listing() -> String {
    let width = scenario::all().iter().map(|scenario| scenario.name.len()).max().unwrap_or_default();
    let mut text = String::new();
    for scenario in scenario::all() {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{:width$}  {}: {}", scenario.name, scenario.title, scenario.description);
    }
    text
}
