//! `roundtrip` and `preflight`, which is `check` and `roundtrip` in one run.

use std::time::Duration;

use clap::builder::{PossibleValue, PossibleValuesParser};
use clap::{Args, ValueEnum};
use snapready_checks::model::check::{Check, How};
use snapready_checks::products::product_finds_a_class;

use crate::cli::duration::Limit;
use crate::cli::existing::{ExistingArgs, within};
use crate::cli::output::OutputArgs;
use crate::cli::select::{SelectArgs, VerdictArgs, known_products};
use crate::cluster::ConnectionArgs;
use crate::model::{StepId, VolumeMode};
use crate::roundtrip::driver::{Options, STEP_TIMEOUT};
use crate::roundtrip::existing::{Given, Reference};
use crate::roundtrip::machine::Keep;
use crate::roundtrip::modes::{MODES, Mode};
use crate::roundtrip::plan::Selection;
use crate::run::failure::Failure;
use crate::run::{self, RoundTripTask, Task};
use crate::verdict::FailOn;

/// What stands for no limit where one has to stand: longer than any run.
const NO_LIMIT: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// The same where a cluster answers within milliseconds, and nobody wants to wait for one that is made to hang.
const DEMO_STEP_LIMIT: Duration = Duration::from_secs(60);
const DEMO_CLEANUP_LIMIT: Duration = Duration::from_secs(10);

/// How many round trips run at a time unless something else is asked for.
const PARALLEL: usize = 4;

pub(super) const WHAT: &str = "Round trip";

/// What the round trip is made of.
#[derive(Debug, Clone, Args)]
struct TripArgs {
    /// StorageClass to try (repeat) [default: the default class]
    #[arg(long, value_name = "NAME", help_heading = WHAT)]
    storage_class: Vec<String>,
    /// Try every StorageClass of a CSI driver
    #[arg(long, conflicts_with = "storage_class", help_heading = WHAT)]
    all: bool,
    /// VolumeSnapshotClass to try for the volumes of its driver (repeat) [default: the driver's default class; without one, each]
    #[arg(long, value_name = "NAME", help_heading = WHAT)]
    snapshot_class: Vec<String>,
    /// Try every VolumeSnapshotClass of the driver
    #[arg(long, conflicts_with = "snapshot_class", help_heading = WHAT)]
    all_snapshot_classes: bool,
    /// Volume mode to try (repeat) [default: both]
    #[arg(long, value_enum, value_name = "MODE", help_heading = WHAT)]
    volume_mode: Vec<VolumeModeArg>,
    /// What the round trip does (repeat, or separate with commas) [default: what the products of --for do; else plain]; `snapready
    /// explain mode:NAME` tells more
    #[arg(long, value_delimiter = ',', value_parser = mode_names(), value_name = "NAME", help_heading = WHAT)]
    mode: Vec<String>,
    /// Size of the source volume, e.g. 10Gi; some drivers have a minimum. Several (repeat, or separate with commas) show whether
    /// snapshot and restore take longer the larger the volume [default: 1Gi]
    #[arg(long, value_delimiter = ',', value_name = "QUANTITY", help_heading = WHAT)]
    size: Vec<String>,
    /// Image for the pods; it needs sh and what busybox and coreutils share
    #[arg(long, value_name = "IMAGE", help_heading = WHAT)]
    image: Option<String>,
    /// Secret to pull the image with, in the namespace that -n names
    #[arg(long, value_name = "NAME", help_heading = WHAT)]
    image_pull_secret: Option<String>,
    /// Label that the pods' node must have (repeat)
    #[arg(long, value_name = "KEY=VALUE", value_parser = label, help_heading = WHAT)]
    node_selector: Vec<(String, String)>,
    /// Whether the objects are left in the cluster, to look at them
    #[arg(long, value_enum, default_value = "never", help_heading = WHAT)]
    keep: KeepArg,
    /// Start it also where it is certain that its objects cannot be deleted again
    #[arg(long, help_heading = WHAT)]
    force: bool,
    /// How many round trips run at a time [default: 4; with several sizes 1, so that none slows down another]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..), help_heading = WHAT)]
    parallel: Option<u16>,
    /// Limit for the whole run, clean-up apart; 0 is none
    #[arg(long, value_name = "DURATION", default_value = "30m", help_heading = WHAT)]
    timeout: Limit,
    /// Limit for a step, e.g. snapshot=10m (repeat); without NAME= for each one
    #[arg(long, value_name = "[NAME=]DURATION", help_heading = WHAT)]
    step_timeout: Vec<StepTimeout>,
    /// Limit for the clean-up [default: 60s; longer while a create that had no answer may still take effect]
    #[arg(long, value_name = "DURATION", help_heading = WHAT)]
    cleanup_timeout: Option<Limit>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum VolumeModeArg {
    #[value(alias = "Filesystem")]
    Filesystem,
    #[value(alias = "Block")]
    Block,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum KeepArg {
    Never,
    OnFailure,
    Always,
}

/// A limit for one step, or for every step.
#[derive(Debug, Clone, Copy)]
struct StepTimeout {
    step: Option<StepId>,
    limit: Limit,
}

impl std::str::FromStr for StepTimeout {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let Some((name, limit)) = text.split_once('=') else {
            return Ok(Self { step: None, limit: text.parse()? });
        };
        let step = StepId::ALL.into_iter().find(|step| step.word() == name).ok_or_else(|| {
            let known: Vec<_> = StepId::ALL.iter().map(|step| step.word()).collect();
            format!("there is no step {name:?}; the steps are {}", known.join(", "))
        })?;
        Ok(Self { step: Some(step), limit: limit.parse()? })
    }
}

/// What stands for every mode.
const ALL_MODES: &str = "all";

/// The names of modes; a wrong one is told what is near.
pub(super) fn mode_names() -> PossibleValuesParser {
    let known = MODES.iter().map(|mode| PossibleValue::new(mode.name).help(mode.summary()));
    PossibleValuesParser::new(known.chain([PossibleValue::new(ALL_MODES).help("Every mode")]))
}

/// The modes with these names.
pub(super) fn modes(names: &[String]) -> Vec<&'static Mode> {
    let chosen = |mode: &&Mode| names.iter().any(|name| name == ALL_MODES || name == mode.name);
    MODES.iter().copied().filter(chosen).collect()
}

fn label(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("want KEY=VALUE".to_owned()),
    }
}

impl TripArgs {
    /// Everything that is wrong with the flags is said here, before a cluster is looked for.
    fn task(&self, namespace: Option<&str>, existing: Option<Reference>) -> Result<RoundTripTask, Failure> {
        if let Some(existing) = &existing {
            self.fits(existing)?;
        }
        let volume_modes = if self.volume_mode.is_empty() && existing.is_some() {
            Vec::new()
        } else if self.volume_mode.is_empty() {
            vec![VolumeMode::Filesystem, VolumeMode::Block]
        } else {
            self.volume_mode
                .iter()
                .map(|mode| match mode {
                    VolumeModeArg::Filesystem => VolumeMode::Filesystem,
                    VolumeModeArg::Block => VolumeMode::Block,
                })
                .collect()
        };
        let selection = Selection {
            storage_classes: self.storage_class.clone(),
            all: self.all,
            snapshot_classes: self.snapshot_class.clone(),
            all_snapshot_classes: self.all_snapshot_classes,
            volume_modes,
            modes: modes(&self.mode),
            sizes: self.size.clone(),
            image: self.image.clone(),
            image_pull_secret: self.image_pull_secret.clone(),
            node_selector: self.node_selector.clone(),
            namespace: namespace.map(ToOwned::to_owned),
            force: self.force,
            existing,
            read_at_most: self.read_at_most(),
        };
        let asked = selection.asked().map_err(Failure::wrong_call)?;
        let parallel = self.parallel.map_or(if asked.sizes.len() > 1 { 1 } else { PARALLEL }, usize::from);
        Ok(RoundTripTask { selection, options: Options { parallel, ..self.options() } })
    }

    /// What exists has its own class, size and place: flags that say something else about them are refused.
    fn fits(&self, existing: &Reference) -> Result<(), Failure> {
        let is_snapshot = existing.given == Given::Snapshot;
        let refused = [
            ("--mode", !self.mode.is_empty()),
            ("--all", self.all),
            ("several --storage-class", self.storage_class.len() > 1),
            ("several --volume-mode", self.volume_mode.len() > 1),
            ("several --size", self.size.len() > 1),
            ("--snapshot-class", is_snapshot && !self.snapshot_class.is_empty()),
            ("--all-snapshot-classes", is_snapshot && self.all_snapshot_classes),
        ];
        match refused.iter().find(|(_, given)| *given) {
            None => Ok(()),
            Some((flag, _)) => Err(Failure::wrong_call(format!(
                "{flag} does not go with {}: what is done follows from {}",
                existing.given.flag(),
                existing.object()
            ))),
        }
    }

    /// The limit of a step, if one was given; zero is none.
    fn step_limit(&self, step: StepId) -> Option<Duration> {
        // The last one that fits counts, and one that names the step fits better.
        let named = self.step_timeout.iter().rev().find(|timeout| timeout.step == Some(step));
        let for_all = self.step_timeout.iter().rev().find(|timeout| timeout.step.is_none());
        named.or(for_all).map(|timeout| timeout.limit.0.unwrap_or(Duration::ZERO))
    }

    /// A reader that ends before its step does can say how far it came.
    fn read_at_most(&self) -> Duration {
        match self.step_limit(StepId::Verify).unwrap_or(STEP_TIMEOUT) {
            Duration::ZERO => NO_LIMIT,
            limit => limit * 3 / 4,
        }
    }

    fn options(&self) -> Options {
        let step = |step: StepId| self.step_limit(step);
        Options {
            timeout: self.timeout.0,
            step_timeouts: StepId::ALL.into_iter().filter_map(|id| step(id).map(|limit| (id, limit))).collect(),
            cleanup_timeout: self.cleanup_timeout.map(|limit| limit.0.unwrap_or(NO_LIMIT)),
            keep: match self.keep {
                KeepArg::Never => Keep::Never,
                KeepArg::OnFailure => Keep::OnFailure,
                KeepArg::Always => Keep::Always,
            },
            ..Options::default()
        }
    }
}

/// `roundtrip`.
#[derive(Debug, Args)]
pub(super) struct RoundtripArgs {
    #[command(flatten)]
    existing: ExistingArgs,
    #[command(flatten)]
    trip: TripArgs,
    /// Do what a backup product does, with the VolumeSnapshotClass that it takes: velero, kasten, ...; auto for those that are
    /// installed (repeat, or separate with commas)
    #[arg(long = "for", value_name = "PRODUCT", value_delimiter = ',', help_heading = WHAT)]
    products: Vec<String>,
    #[command(flatten)]
    verdict: VerdictArgs,
}

/// `preflight`.
#[derive(Debug, Args)]
pub(super) struct PreflightArgs {
    #[command(flatten)]
    trip: TripArgs,
    #[command(flatten)]
    select: SelectArgs,
    #[command(flatten)]
    verdict: VerdictArgs,
}

impl PreflightArgs {
    /// Which findings make the cluster not ready.
    pub(super) fn fail_on(&self) -> FailOn {
        self.verdict.fail_on
    }

    fn task(&self, namespace: Option<&str>) -> Result<Task, Failure> {
        Ok(Task {
            command: "preflight",
            checks: looking(self.select.checks()?),
            products: self.select.products()?,
            round_trip: Some(self.trip.task(namespace, None)?),
            fail_on: self.verdict.fail_on,
            unknown: self.verdict.unknown,
            simulated: false,
            from: Vec::new(),
        })
    }

    /// The same for the embedded cluster.
    pub(super) fn demo(&self) -> Result<Task, Failure> {
        let limit = |limit| Some(Limit(Some(limit)));
        let mut trip = self.trip.clone();
        trip.cleanup_timeout = trip.cleanup_timeout.or(limit(DEMO_CLEANUP_LIMIT));
        // Before those that were given, so that they count.
        let for_all = StepTimeout { step: None, limit: Limit(Some(DEMO_STEP_LIMIT)) };
        trip.step_timeout.insert(0, for_all);
        Ok(Task {
            command: "demo",
            simulated: true,
            ..Self { trip, select: self.select.clone(), verdict: self.verdict }.task(None)?
        })
    }
}

/// The checks that look; the others are the round trip's own.
fn looking(checks: Vec<&'static Check>) -> Vec<&'static Check> {
    checks.into_iter().filter(|check| matches!(check.how, How::Looking(_))).collect()
}

/// Runs the round trip alone; for backup products with the check that says which class they take.
pub(super) async fn run(
    connection: &ConnectionArgs,
    output: &OutputArgs,
    arguments: &RoundtripArgs,
) -> Result<u8, Failure> {
    let products = known_products(&arguments.products)?;
    let existing = arguments.existing.reference();
    let connection = match &existing {
        Some(existing) => &within(connection, existing)?,
        None => connection,
    };
    let task = Task {
        command: "roundtrip",
        checks: if products.is_empty() { Vec::new() } else { vec![&product_finds_a_class::CHECK] },
        products,
        round_trip: Some(arguments.trip.task(connection.namespace.as_deref(), existing)?),
        fail_on: arguments.verdict.fail_on,
        unknown: arguments.verdict.unknown,
        simulated: false,
        from: Vec::new(),
    };
    run::run(connection, output.screens(task.fail_on)?, task).await
}

/// Runs the checks and the round trip.
pub(super) async fn preflight(
    connection: &ConnectionArgs,
    output: &OutputArgs,
    arguments: &PreflightArgs,
) -> Result<u8, Failure> {
    let task = arguments.task(connection.namespace.as_deref())?;
    run::run(connection, output.screens(task.fail_on)?, task).await
}
