//! What the round trips mean for the backup products that were asked about, and how long these wait.

use std::collections::BTreeMap;
use std::time::Duration;

use snapready_checks::knowledge::growth::Point;
use snapready_checks::model::facts::Facts;
use snapready_checks::products::asked;
use snapready_checks::products::product::Patience;
use snapready_checks::products::round_trip_is_in_time::{self, Times, in_time};
use snapready_checks::products::round_trip_rehearses::{self, Done, rehearsed};

use crate::model::{CheckResult, RoundTrip, StepId};
use crate::roundtrip::driver::STEP_TIMEOUT;
use crate::roundtrip::modes::plain;
use crate::roundtrip::plan::{Plan, Target};

/// No step waits longer for a product's sake: Velero gives some snapshots 4 hours, and nobody waits so long for a small volume.
const LONGEST_STEP: Duration = Duration::from_secs(15 * 60);

/// Gives a step the time that the most patient of the products gives it, where that is more than usual and no limit was asked for:
/// what a product still waits for has not failed.
pub(super) fn wait_as_they_do(facts: &Facts, limits: &mut BTreeMap<StepId, Duration>) {
    let mut lengthen = |step, patience: Option<Patience>| {
        let Some(limit) = patience.and_then(|patience| Duration::try_from(patience.limit).ok()) else { return };
        let limit = limit.min(LONGEST_STEP);
        if limit > STEP_TIMEOUT {
            limits.entry(step).or_insert(limit);
        }
    };
    let most = |limits: Vec<Option<Patience>>| limits.into_iter().flatten().max_by_key(|patience| patience.limit);
    let products = asked(facts);
    let snapshots = products.iter().map(|product| product.patience.map(|patience| patience(facts)));
    lengthen(StepId::Snapshot, most(snapshots.collect()));
    let restores = products.iter().map(|product| product.restore_patience.and_then(|patience| patience(facts)));
    lengthen(StepId::Restore, most(restores.collect()));
}

/// Whether the round trips did what the products do, and were as fast as they need.
pub(super) fn results(facts: &Facts, plan: &Plan, trips: &[RoundTrip]) -> Vec<CheckResult> {
    let in_time = in_time(facts, &times(plan, trips)).into_iter();
    let in_time = in_time.map(|finding| CheckResult::of(&round_trip_is_in_time::CHECK, finding));
    let rehearsed = rehearsed(facts, &done(plan, trips)).into_iter().map(|finding| {
        let result = CheckResult::of(&round_trip_rehearses::CHECK, finding);
        // The round trips are in the report, whatever came of them.
        CheckResult { follows_from: result.may_follow_from.first().cloned(), ..result }
    });
    in_time.chain(rehearsed).collect()
}

/// The times of the plain round trips: other modes do more in a step than a product does.
fn times(plan: &Plan, trips: &[RoundTrip]) -> Vec<Times> {
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
    measured
}

/// The round trips, as far as they tell what a product would come to. Restoring what exists is nothing that a product was seen to do.
fn done(plan: &Plan, trips: &[RoundTrip]) -> Vec<Done> {
    let made = plan.targets.iter().zip(trips).filter(|(target, _)| target.existing.is_none());
    made.map(|(target, trip)| Done {
        label: target.label(),
        mode: trip.mode.clone(),
        storage_class: trip.storage_class.clone(),
        snapshot_class: trip.snapshot_class.clone(),
        status: trip.status,
        data: trip.data,
        diagnosis: trip.diagnosis.as_ref().map(|diagnosis| (diagnosis.id.clone(), diagnosis.target.clone())),
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_has_the_time_that_the_most_patient_product_gives_it() {
        let limits = |products: &[&str], given: &[(StepId, u64)]| {
            let for_products = products.iter().map(|word| (*word).to_owned()).collect();
            let mut limits = given.iter().map(|(step, seconds)| (*step, Duration::from_secs(*seconds))).collect();
            wait_as_they_do(&Facts { for_products, ..Facts::default() }, &mut limits);
            limits.into_iter().map(|(step, limit)| (step, limit.as_secs())).collect::<Vec<_>>()
        };
        assert_eq!(limits(&[], &[]), []);
        assert_eq!(limits(&["velero"], &[]), [(StepId::Snapshot, 600)]);
        assert_eq!(limits(&["kyma", "velero", "portworx"], &[]), [(StepId::Snapshot, 600)]);
        // These wait no longer than a step does anyway.
        assert_eq!(limits(&["kyma", "portworx", "kasten"], &[]), []);
        assert_eq!(limits(&["velero"], &[(StepId::Snapshot, 20)]), [(StepId::Snapshot, 20)]);
    }
}
