//! One cause, told once: which results follow from which. A check or a rule says what its finding would follow from; here,
//! where all results are known, only that stays which holds.

use snapready_checks::model::finding::FollowsFrom;

use crate::model::{CheckResult, RoundTrip};

/// What a round trip ends in when the data is wrong or objects are left: that is never told by another finding.
const ALWAYS_TOLD: [&str; 2] = ["SR302", "SR312"];

/// Settles what the results of checks follow from: a result that is in the report, as bad or worse, and no consequence
/// itself of what it explains.
pub(crate) fn relate_results(results: &mut [CheckResult]) {
    let settled: Vec<Option<FollowsFrom>> = results.iter().map(|result| root(results, result).map(pointer)).collect();
    for (result, settled) in results.iter_mut().zip(settled) {
        result.follows_from = settled;
    }
}

/// Settles what the diagnoses of round trips follow from: a result of the checks, or the same diagnosis of an earlier
/// round trip of the same driver.
pub(crate) fn relate_round_trips(results: &[CheckResult], trips: &mut [RoundTrip]) {
    for index in 0..trips.len() {
        let (earlier, rest) = trips.split_at_mut(index);
        let Some(trip) = rest.first_mut() else { continue };
        let driver = trip.driver.clone();
        let Some(diagnosis) = trip.diagnosis.as_mut() else { continue };
        let same = |other: &&RoundTrip| {
            other.driver == driver && other.diagnosis.as_ref().is_some_and(|told| is_same(told, diagnosis))
        };
        let settled = match root(results, diagnosis) {
            Some(root) => Some(pointer(root)),
            None => earlier.iter().find(same).and_then(|trip| trip.diagnosis.as_ref()).map(|told| {
                // What the first one follows from explains all.
                told.follows_from.clone().unwrap_or_else(|| pointer(told))
            }),
        };
        diagnosis.follows_from = settled;
    }
}

/// Whether two round trips came to the same: what one of them needs, the other needs, and nothing more.
fn is_same(told: &CheckResult, other: &CheckResult) -> bool {
    told.id == other.id
        && told.status == other.status
        && told.cause.is_some()
        && told.cause == other.cause
        && !ALWAYS_TOLD.contains(&told.id.as_str())
}

fn pointer(result: &CheckResult) -> FollowsFrom {
    FollowsFrom { id: result.id.clone(), target: result.target.clone() }
}

/// The result that a result follows from in the end; `None` if it stands for itself.
fn root<'a>(results: &'a [CheckResult], result: &CheckResult) -> Option<&'a CheckResult> {
    let mut root = explains(results, result)?;
    // A chain has fewer links than there are results; a longer one goes round in a circle, and explains nothing.
    for _ in 0..results.len() {
        match explains(results, root) {
            Some(next) => root = next,
            None => return Some(root),
        }
    }
    None
}

fn explains<'a>(results: &'a [CheckResult], result: &CheckResult) -> Option<&'a CheckResult> {
    let fits = |wanted: &FollowsFrom, other: &CheckResult| {
        other.id == wanted.id
            && (wanted.target.is_none() || other.target == wanted.target)
            && other.status.is_problem()
            && other.status >= result.status
            && !(other.id == result.id && other.target == result.target)
    };
    result.may_follow_from.iter().find_map(|wanted| results.iter().find(|other| fits(wanted, other)))
}

#[cfg(test)]
mod tests {
    use snapready_checks::find;
    use snapready_checks::model::finding::{Finding, Status};

    use super::*;

    fn result(id: &str, target: &str, status: Status, from: Option<(&str, Option<&str>)>) -> CheckResult {
        let finding = Finding::new(status, "m").target(target);
        let finding = match from {
            Some((id, target)) => finding.follows_from(id, target),
            None => finding,
        };
        CheckResult::of(find(id).unwrap(), finding)
    }

    fn settled(mut results: Vec<CheckResult>) -> Vec<Option<(String, Option<String>)>> {
        relate_results(&mut results);
        results.into_iter().map(|result| result.follows_from.map(|from| (from.id, from.target))).collect()
    }

    fn from(id: &str, target: &str) -> (String, Option<String>) {
        (id.to_owned(), Some(target.to_owned()))
    }

    #[test]
    fn a_consequence_names_the_root_with_its_target() {
        let results = vec![
            result("SR102", "crds", Status::Fail, None),
            result("SR112", "a", Status::Fail, Some(("SR102", None))),
            result("SR122", "b", Status::Warn, Some(("SR112", Some("a")))),
        ];
        assert_eq!(settled(results), [None, Some(from("SR102", "crds")), Some(from("SR102", "crds"))]);
    }

    #[test]
    fn what_is_not_in_the_report_or_not_as_bad_explains_nothing() {
        let row = |status, target| {
            settled(vec![
                result("SR102", "crds", status, None),
                result("SR112", "a", Status::Fail, Some(("SR102", target))),
            ])
            .remove(1)
        };
        assert_eq!(row(Status::Fail, None), Some(from("SR102", "crds")));
        for status in [Status::Pass, Status::Skip, Status::Warn, Status::Unknown] {
            assert_eq!(row(status, None), None, "{status:?}");
        }
        assert_eq!(row(Status::Fail, Some("other")), None);
        assert_eq!(settled(vec![result("SR112", "a", Status::Fail, Some(("SR102", None)))]), [None]);
    }

    #[test]
    fn a_circle_explains_nothing() {
        let results = vec![
            result("SR102", "a", Status::Fail, Some(("SR112", None))),
            result("SR112", "b", Status::Fail, Some(("SR102", None))),
            result("SR122", "c", Status::Fail, Some(("SR122", None))),
        ];
        assert_eq!(settled(results), [None, None, None]);
    }
}
