//! A run, from the first request to the last report: connect, collect, evaluate, round trip, verdict. Every command that
//! looks at a cluster is a run with another [`Task`].

mod again;
pub(crate) mod failure;
mod found;
mod products;
mod quotas;
pub(crate) mod screens;
mod signals;
mod tell;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use snapready_checks::model::check::Check;
use snapready_checks::model::facts::Facts;
use snapready_checks::model::need::Need;
use snapready_checks::model::probe::Missing;
use snapready_checks::products::named;
use tokio::sync::watch;

use crate::api::Objects;
use crate::cluster::{ConnectError, Connection, ConnectionArgs, connect, server_version};
use crate::evaluate::{evaluate, stranding_needs};
use crate::facts::files::{self, FromFiles};
use crate::facts::{self, Collection};
use crate::model::{CheckResult, Happening, Source, SourceKind};
use crate::relate::{relate_results, relate_round_trips};
use crate::report::fix_manifests;
use crate::report::format::Format;
use crate::report::output::Reporter;
use crate::report::progress::Progress;
use crate::report::words;
use crate::roundtrip::carry::Carry;
use crate::roundtrip::driver::{self, Knowledge as _, Options, Signals};
use crate::roundtrip::existing::{self, Existing, Given, Reference, Unusable};
use crate::roundtrip::known_facts::KnownFacts;
use crate::roundtrip::plan::{Plan, PlanError, RunId, Selection, modes};
use crate::roundtrip::rights;
use crate::run::again::Again;
use crate::run::failure::Failure;
use crate::run::found::Found;
use crate::run::screens::{Screens, not_read, note};
use crate::run::signals::Received;
use crate::run::tell::Teller;
use crate::verdict::{FailOn, UnknownPolicy};

/// What a run does.
#[derive(Debug, Clone)]
pub(crate) struct Task {
    /// The subcommand, for the report.
    pub(crate) command: &'static str,
    /// The checks; none for the round trip alone.
    pub(crate) checks: Vec<&'static Check>,
    /// The backup products that are asked about.
    pub(crate) products: Vec<String>,
    /// The round trip, if there is to be one.
    pub(crate) round_trip: Option<RoundTripTask>,
    /// Which findings make the cluster not ready.
    pub(crate) fail_on: FailOn,
    /// What a result that could not be determined counts as.
    pub(crate) unknown: UnknownPolicy,
    /// Whether the cluster is the embedded one.
    pub(crate) simulated: bool,
    /// The files that are looked at; none for a cluster.
    pub(crate) from: Vec<PathBuf>,
}

/// The round trip of a run.
#[derive(Debug, Clone)]
pub(crate) struct RoundTripTask {
    /// What to try.
    pub(crate) selection: Selection,
    /// How.
    pub(crate) options: Options,
}

/// What the facts about a round trip are taken from, whatever checks are selected: the diagnosis rests on them. So does what is
/// foreseen; see [`stranding_needs`].
const ROUND_TRIP_NEEDS: [Need; 12] = [
    Need::ServerVersion,
    Need::StorageClasses,
    Need::VolumeSnapshotClasses,
    Need::VolumeSnapshotContents,
    Need::SnapshotApis,
    Need::CsiDrivers,
    Need::CsiNodes,
    Need::Nodes,
    Need::Pods,
    Need::Workloads,
    Need::Leases,
    Need::SecurityContextConstraints,
];

/// How long after its beginning a run's objects count as left behind, beyond its own time limits.
const EXPIRY: SignedDuration = SignedDuration::from_hours(2);

/// How long it may take to read what exists.
const PATIENCE: Duration = Duration::from_secs(60);

/// Carries out a task and writes its reports. Gives the exit code.
pub(crate) async fn run(connection: &ConnectionArgs, screens: Screens, task: Task) -> Result<u8, Failure> {
    let human = screens.outputs.stdout() == Format::Human;
    let only_for_people = screens.outputs.only_for_people();
    let reporter =
        Reporter::new(screens.outputs, screens.render, Box::new(std::io::stdout())).map_err(Failure::wrong_call)?;
    let progress = Progress::new(screens.progress.0, screens.progress.1, Box::new(std::io::stderr()));
    let manifests = screens.fix_manifests;
    if let Some(folder) = &manifests {
        fix_manifests::make_folder(folder).map_err(Failure::wrong_call)?;
    }
    let signals =
        signals::listen().map_err(|error| Failure::wrong_call(format!("signals cannot be received: {error}")))?;
    let (id, seed) = random();
    let mut found = Found::new(id, &task);
    // How the embedded cluster is reached is nothing to paste: it ends with this call.
    let again = if task.simulated { Again::default() } else { Again::new(connection) };
    let teller = Teller::start(progress, reporter, again.clone());

    let answer = look(connection, &task, &again, &mut found, &teller, &seed, signals.clone()).await;
    let received = *signals.borrow();
    if let Err(failure) = answer {
        // The failure says all that a person wants to know; a program gets a report, whatever happened.
        if failure.is_wrong_call() || only_for_people {
            teller.discard().await;
            return Err(failure);
        }
        failure.say();
        found.errors.push(failure.happened().to_owned());
    }
    let report = found.report(&task, &again, received.first);
    let code = report.run.exit_code;
    // The human report says so itself; a document may never be read by a person.
    let left = if human { None } else { words::left(&report) };
    let fixes = manifests.map(|folder| (fix_manifests::write(&folder, &report), folder));
    let written = teller.finish(report).await;
    if let Some(left) = left {
        note(&left);
    }
    if let Some((fixes, folder)) = fixes {
        note(&words::manifests(fixes.map_err(|error| Failure::no_report(error, code))?, &folder));
    }
    written.map(|()| code).map_err(|error| Failure::no_report(error, code))
}

async fn look(
    arguments: &ConnectionArgs,
    task: &Task,
    again: &Again,
    found: &mut Found,
    teller: &Teller,
    seed: &[u8],
    mut signals: watch::Receiver<Received>,
) -> Result<(), Failure> {
    let began = Timestamp::now();
    // Until objects exist there is nothing to clean up: the first signal ends the run.
    let (connection, facts) = if task.from.is_empty() {
        let (connection, facts) = tokio::select! {
            facts = see(arguments, task, found, teller) => facts?,
            _ = signals.wait_for(|received| received.count > 0) => return Ok(()),
        };
        (Some(connection), facts)
    } else {
        (None, see_files(task, found, teller)?)
    };
    let mut results = evaluate(&facts, &task.checks);
    relate_results(&mut results);
    for result in results {
        found.tell(result, again, teller);
    }
    if let (Some(round_trip), Some(connection)) = (&task.round_trip, connection) {
        let expires_at = began.saturating_add(EXPIRY).unwrap_or(Timestamp::MAX);
        let plan = match &round_trip.selection.existing {
            None => Plan::new(&round_trip.selection, &facts, found.id.clone(), expires_at),
            Some(reference) => {
                let existing = tokio::select! {
                    existing = see_existing(&connection, reference, &facts, teller) => existing,
                    _ = signals.wait_for(|received| received.count > 0) => return Ok(()),
                };
                let selection = &round_trip.selection;
                existing
                    .and_then(|existing| Plan::of_existing(selection, &existing, &facts, found.id.clone(), expires_at))
            }
        };
        match plan {
            Ok(plan) => {
                let late =
                    Box::pin(carry_out(&connection, &plan, facts, seed, &round_trip.options, found, teller, signals))
                        .await;
                relate_round_trips(&found.results, &mut found.round_trips);
                for diagnosis in found.round_trips.iter_mut().filter_map(|trip| trip.diagnosis.as_mut()) {
                    again.amend_fix(diagnosis);
                }
                for result in late {
                    found.tell(result, again, teller);
                }
            }
            Err(error) if error.is_usage() => return Err(Failure::wrong_call(error)),
            Err(error) => found.errors.push(format!("no round trip: {error}")),
        }
    }
    Ok(())
}

/// The API server, for single objects.
fn server(connection: &Connection, teller: &Teller) -> Objects {
    let limit = connection.request_timeout.unwrap_or(Options::default().request_timeout);
    Objects::new(&connection.client, limit, teller.happenings())
}

/// Reads what exists already and is to be restored from.
async fn see_existing(
    connection: &Connection,
    reference: &Reference,
    facts: &Facts,
    teller: &Teller,
) -> Result<Existing, PlanError> {
    if reference.given == Given::Snapshot && facts.volume_snapshot_classes.missing() == Some(Missing::NotServed) {
        return Err(Unusable::NotServed(reference.object().to_string()).into());
    }
    let server = server(connection, teller);
    let unseen = |why: String| PlanError::ExistingUnseen(reference.object().to_string(), why);
    let objects = tokio::time::timeout(PATIENCE, existing::read(&server, reference))
        .await
        .map_err(|_| unseen(format!("no answer within {}", humantime::format_duration(PATIENCE))))?
        .map_err(|failure| match failure.status {
            403 => unseen(format!(
                "{}; `snapready rbac {}` prints the rights that it takes",
                failure.message,
                reference.call()
            )),
            _ => unseen(failure.message),
        })?;
    Ok(existing::understand(reference, &objects)?)
}

/// Reads files instead of a cluster.
fn see_files(task: &Task, found: &mut Found, teller: &Teller) -> Result<Facts, Failure> {
    let FromFiles { facts, skipped, .. } = files::read(&task.from, &task.products).map_err(Failure::wrong_call)?;
    let source = Source {
        files: task.from.iter().map(|path| path.display().to_string()).collect(),
        as_of: Some(facts.collected_at),
        server_version: facts.server_version.seen().map(|version| version.git_version.clone()),
        ..Source::unknown(SourceKind::Files)
    };
    found.source = source.clone();
    teller.tell(Happening::RunStarted { run: found.id.to_string(), command: task.command.to_owned(), source });
    not_read(&skipped);
    // A check sees what it declares, whatever else there is.
    Ok(facts)
}

/// Connects and collects.
async fn see(
    arguments: &ConnectionArgs,
    task: &Task,
    found: &mut Found,
    teller: &Teller,
) -> Result<(Connection, Facts), ConnectError> {
    let connection = connect(arguments).await?;
    let version = server_version(&connection).await?;
    let source = Source {
        kind: if task.simulated { SourceKind::Simulated } else { SourceKind::Live },
        context: connection.context.clone(),
        server: Some(connection.server.clone()),
        server_version: Some(version.git_version.clone()),
        ..Source::unknown(SourceKind::Live)
    };
    found.source = source.clone();
    teller.tell(Happening::RunStarted { run: found.id.to_string(), command: task.command.to_owned(), source });
    let mut needs: BTreeSet<Need> = task.checks.iter().flat_map(|check| check.sees()).collect();
    if task.round_trip.is_some() {
        needs.extend(ROUND_TRIP_NEEDS);
        needs.extend(stranding_needs());
        let modes = task.round_trip.iter().flat_map(|trip| &trip.selection.modes);
        needs.extend(modes.flat_map(|mode| mode.sees()));
        // Some products' rules for the class read their objects.
        needs.extend((!task.products.is_empty()).then_some(Need::ProductObjects));
    }
    let given = task.round_trip.as_ref().and_then(|trip| trip.selection.namespace.as_deref());
    let own = format!("snapready-{}", found.id);
    let modes =
        task.round_trip.as_ref().map(|trip| modes(&trip.selection.modes, named(&task.products))).unwrap_or_default();
    let existing = task.round_trip.as_ref().and_then(|trip| trip.selection.existing.as_ref());
    let usual = || rights::reviewed(&modes, given.unwrap_or(&own), given.is_none());
    let round_trip = existing.map_or_else(usual, rights::reviewed_of_existing);
    let products = snapready_checks::products::kinds(&task.products);
    let collection =
        Collection { needs: &needs, round_trip: &round_trip, products: &products, server_version: Some(version) };
    let source = facts::Source::Cluster(Box::new(connection.clone()));
    let mut facts = source
        .read(&collection, &|retry| {
            teller.tell(retry.into());
        })
        .await;
    facts.for_products.clone_from(&task.products);
    Ok((connection, facts))
}

/// Carries the round trips out. Gives what they mean for the backup products that are asked about.
#[expect(clippy::too_many_arguments, reason = "everything that a round trip takes, handed over once")]
async fn carry_out(
    connection: &Connection,
    plan: &Plan,
    facts: Facts,
    seed: &[u8],
    options: &Options,
    found: &mut Found,
    teller: &Teller,
    signals: watch::Receiver<Received>,
) -> Vec<CheckResult> {
    let happenings = teller.happenings();
    let source = facts::Source::Cluster(Box::new(connection.clone()));
    let read_again = source.read_again(move |retry| {
        // Nobody listens any more: then nobody needs to know.
        let _ = happenings.send(retry.into());
    });
    let facts = KnownFacts::new(facts, read_again);
    // A namespace that the run makes has no quotas yet.
    let given = !plan.own_namespace;
    let quotas = if given { quotas::read(&server(connection, teller), &plan.namespace).await } else { Vec::new() };
    let carry = Carry::new(plan, facts, seed).with_quotas(quotas);
    let mut options = options.clone();
    products::wait_as_they_do(&carry.facts().facts, &mut options.step_timeouts);
    let (parallel, quota) = carry.at_once(options.parallel);
    options.parallel = parallel;
    teller.tell(Happening::RoundTripsPlanned {
        namespace: plan.namespace.clone(),
        own_namespace: plan.own_namespace,
        targets: carry.trips().iter().map(|trip| trip.target.clone()).collect(),
        limited: quota.map(|quota| {
            format!("{parallel} at a time: ResourceQuota {} has no room for more {}", quota.name, quota.resource)
        }),
    });
    if let Some(limit) = connection.request_timeout {
        options.request_timeout = limit;
    }
    let (counts, received) = watch::channel(Signals::default());
    let forward = async {
        let mut signals = signals;
        while signals.changed().await.is_ok() {
            let now = *signals.borrow();
            counts.send_replace(Signals { count: now.count, name: now.first.unwrap_or_default() });
        }
        // Nobody sends signals any more; the run goes on without them.
        std::future::pending::<()>().await;
    };
    let outcome = tokio::select! {
        outcome = driver::run(&connection.client, &carry, &options, received, teller.happenings()) => outcome,
        () = forward => return Vec::new(),
    };
    found.round_trips = outcome.round_trips;
    found.leftovers = outcome.leftovers;
    found.kept = outcome.kept;
    products::results(&carry.facts().facts, plan, &found.round_trips)
}

/// A run's id, and the seed of its data.
fn random() -> (RunId, [u8; 16]) {
    let mut id = [0; 3];
    let mut seed = [0; 16];
    // Without randomness two runs could meet under one name, and old data could pass for new; time and pid are then
    // the next best thing.
    if getrandom::fill(&mut id).is_err() || getrandom::fill(&mut seed).is_err() {
        let now = Timestamp::now().as_nanosecond().to_le_bytes();
        seed.copy_from_slice(&now);
        let pid = std::process::id().to_le_bytes();
        for (index, byte) in id.iter_mut().enumerate() {
            *byte = now.get(index + 1).copied().unwrap_or_default() ^ pid.get(index).copied().unwrap_or_default();
        }
    }
    (RunId::from_bytes(id), seed)
}
