//! What round trips have shown of drivers, by the report of a run.

use snapready_checks::knowledge::drivers::capabilities::Ability as Word;
use snapready_checks::model::finding::Status;

use crate::drivers::document::{Ability, Answer, Document};
use crate::model::{DataVerdict, Report, RoundTrip, SourceKind, StepId, VolumeMode};

/// Why a report shows nothing of a cluster's drivers.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoProof {
    /// It is about the embedded cluster.
    #[error("it is about a simulated cluster")]
    Simulated,
    /// It is about another API server.
    #[error("it is about the cluster at {0}")]
    OtherCluster(String),
    /// There is no round trip in it.
    #[error("there is no round trip in it: preflight and roundtrip make some")]
    NoRoundTrip,
}

impl Document {
    /// Takes in what the round trips of a report have shown, which counts before all that was concluded.
    pub fn prove(&mut self, report: &Report, server: &str) -> Result<(), NoProof> {
        if report.source.kind == SourceKind::Simulated {
            return Err(NoProof::Simulated);
        }
        if let Some(other) = report.source.server.as_deref().filter(|other| *other != server) {
            return Err(NoProof::OtherCluster(other.to_owned()));
        }
        if report.round_trips.is_empty() {
            return Err(NoProof::NoRoundTrip);
        }
        for trip in &report.round_trips {
            let of_driver = self.drivers.iter_mut().find(|known| Some(&known.driver) == trip.driver.as_ref());
            let Some(driver) = of_driver else { continue };
            for (word, can, what) in shown(trip) {
                let because =
                    format!("the round trip of {:.0} with {} {what}", report.run.started_at, trip.storage_class);
                let answer = if can { Answer::Yes } else { Answer::No };
                let ability = Ability { answer, certain: true, because, evidence: None };
                let known = driver.abilities.entry(word.word().to_owned()).or_insert_with(|| ability.clone());
                // One StorageClass without is enough to not count on it.
                if !(known.certain && known.answer == Answer::No && known.because.starts_with("the round trip")) {
                    *known = ability;
                }
            }
        }
        Ok(())
    }
}

/// What a round trip has shown. One that failed for another reason than the data says nothing of its restore: many have nothing to do
/// with the driver.
fn shown(trip: &RoundTrip) -> Vec<(Word, bool, &'static str)> {
    let passed = |id| trip.steps.iter().any(|step| step.id == id && step.status == Status::Pass);
    let mut shown = Vec::new();
    if passed(StepId::Snapshot) {
        shown.push((Word::Snapshot, true, "has taken a snapshot"));
    }
    match trip.data {
        Some(DataVerdict::Intact) => shown.push((Word::Restore, true, "has given the data back")),
        Some(DataVerdict::Readable) => shown.push((Word::Restore, true, "has restored data that can be read")),
        Some(_) => shown.push((Word::Restore, false, "has restored other data than was written")),
        None => {}
    }
    if trip.volume_mode == VolumeMode::Block && passed(StepId::Write) {
        shown.push((Word::Block, true, "has written to a block volume"));
    }
    shown
}
