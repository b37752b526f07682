//! Whether the round trips were as fast as the backup products need that were asked about.

use snapready_checks::knowledge::growth::Point;
use snapready_checks::model::facts::Facts;
use snapready_checks::products::round_trip_is_in_time::{CHECK, Times, in_time};

use crate::model::{CheckResult, RoundTrip, StepId};
use crate::roundtrip::modes::plain;
use crate::roundtrip::plan::{Plan, Target};

/// What follows from the times of the plain round trips: other modes do more in a step than a product does.
pub(super) fn results(facts: &Facts, plan: &Plan, trips: &[RoundTrip]) -> Vec<CheckResult> {
    let mut measured: Vec<Times> = Vec::new();
    for (target, trip) in plan.targets.iter().zip(trips).filter(|(target, _)| *target.mode == plain::MODE) {
        let label = Target { is_one_of_several_sizes: false, ..target.clone() }.label();
        let bytes = trip.capacity_bytes.unwrap_or(target.size_bytes);
        let point = |step| trip.took(step).map(|milliseconds| Point { bytes, milliseconds });
        let place = measured.iter().position(|times| times.label == label).unwrap_or_else(|| {
            measured.push(Times { label, storage_class: target.storage_class.clone(), ..Times::default() });
            measured.len() - 1
        });
        if let Some(times) = measured.get_mut(place) {
            times.snapshots.extend(point(StepId::Snapshot));
            times.restores.extend(point(StepId::Restore));
        }
    }
    in_time(facts, &measured).into_iter().map(|finding| CheckResult::of(&CHECK, finding)).collect()
}
