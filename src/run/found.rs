//! What a run has found, and the report made of it.

use std::time::Instant;

use jiff::Timestamp;

use crate::model::{
    CheckResult, Happening, Leftover, ObjectName, Report, RoundTrip, Run, SCHEMA_VERSION, Source, SourceKind, Summary,
    Tool, sweeps,
};
use crate::roundtrip::plan::RunId;
use crate::run::Task;
use crate::run::again::Again;
use crate::run::tell::Teller;
use crate::verdict::verdict;

/// What a run has found so far.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) id: RunId,
    began: Instant,
    started_at: Timestamp,
    pub(super) source: Source,
    pub(super) results: Vec<CheckResult>,
    pub(super) round_trips: Vec<RoundTrip>,
    pub(super) leftovers: Vec<Leftover>,
    pub(super) kept: Vec<ObjectName>,
    pub(super) errors: Vec<String>,
}

impl Found {
    pub(super) fn new(id: RunId, task: &Task) -> Self {
        let kind = if task.simulated { SourceKind::Simulated } else { SourceKind::Live };
        Self {
            id,
            began: Instant::now(),
            started_at: Timestamp::now(),
            source: Source::unknown(kind),
            results: Vec::new(),
            round_trips: Vec::new(),
            leftovers: Vec::new(),
            kept: Vec::new(),
            errors: Vec::new(),
        }
    }

    /// A check has a result.
    pub(super) fn tell(&mut self, mut result: CheckResult, again: &Again, teller: &Teller) {
        again.amend_fix(&mut result);
        teller.tell(Happening::CheckFinished { result: result.clone() });
        self.results.push(result);
    }

    /// The report, at the end of the run.
    pub(super) fn report(self, task: &Task, again: &Again, interrupted: Option<&str>) -> Report {
        let is_left = !self.leftovers.is_empty() || !self.kept.is_empty();
        let (verdict, exit_code) = verdict(
            &self.results,
            &self.round_trips,
            &self.leftovers,
            &self.errors,
            interrupted,
            task.fail_on,
            task.unknown,
        );
        let mut summary = Summary::default();
        for result in &self.results {
            summary.count(result.status, result.follows_from.is_some());
        }
        for trip in &self.round_trips {
            summary.count(trip.status, trip.diagnosis.as_ref().is_some_and(|found| found.follows_from.is_some()));
        }
        Report {
            schema_version: SCHEMA_VERSION.to_owned(),
            tool: Tool::this(),
            run: Run {
                id: self.id.to_string(),
                command: task.command.to_owned(),
                started_at: self.started_at,
                finished_at: Timestamp::now(),
                duration_ms: u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX),
                interrupted: interrupted.map(ToOwned::to_owned),
                verdict,
                exit_code,
                errors: self.errors,
            },
            source: self.source,
            summary,
            results: self.results,
            sweeps: sweeps(&self.round_trips),
            round_trips: self.round_trips,
            leftovers: self.leftovers,
            kept: self.kept,
            cleanup_command: is_left.then(|| again.cleanup(&self.id).to_string()),
        }
    }
}
