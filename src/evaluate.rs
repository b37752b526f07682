//! Facts × checks → results. This is the one place in which absence becomes a status, so that no check can forget it.

use std::collections::{BTreeMap, BTreeSet};

use snapready_checks::catalogue;
use snapready_checks::knowledge::control_plane::presence::{Presence, snapshot_controllers};
use snapready_checks::model::check::{Check, Group, How};
use snapready_checks::model::command::{Command, kubectl, snapready};
use snapready_checks::model::facts::Facts;
use snapready_checks::model::finding::{Finding, Findings, Fix, Status};
use snapready_checks::model::need::{Need, NotServed, Rule};
use snapready_checks::model::object::SNAPSHOT_GROUP;
use snapready_checks::model::probe::Missing;

use crate::model::CheckResult;

/// The results of these checks, in their order, each with at least one. Checks that the round trip carries out have none
/// here.
///
/// A check whose needs were not all seen does not look. Its result is *unknown*, which is never a pass, with the RBAC rule
/// that is missing; only what [`NotServed`] allows is *skip*. A check that looks sees what it needs and uses and nothing else, so that the
/// choice of checks, from which follows what is collected, cannot change its answer.
#[must_use]
pub fn evaluate(facts: &Facts, checks: &[&'static Check]) -> Vec<CheckResult> {
    let api_is_judged = checks.iter().any(|check| judges_the_api(check));
    let mut results = Vec::new();
    let mut blind: Vec<(&'static str, BTreeSet<Lacking>)> = Vec::new();
    for check in checks {
        let How::Looking(look) = check.how else { continue };
        let missing: BTreeMap<Need, Missing> =
            check.needs.iter().filter_map(|need| Some((*need, facts.missing(*need)?))).collect();
        let findings = if missing.is_empty() {
            look_at(facts, check, look)
        } else {
            let finding = not_seen(&missing, api_is_judged);
            let lacking = lacking_alone(&missing);
            let told = lacking.as_ref().and_then(|lacking| blind.iter().find(|(_, told)| lacking.is_subset(told)));
            let finding = match told {
                Some((first, _)) => finding.follows_from(first, None),
                None => finding,
            };
            blind.extend(lacking.map(|lacking| (check.id, lacking)));
            vec![finding]
        };
        if findings.is_empty() {
            results.push(CheckResult::of(check, no_result()));
        }
        results.extend(findings.into_iter().map(|finding| CheckResult::of(check, finding)));
    }
    results
}

/// What a check finds that sees what it declares, and nothing else.
fn look_at(facts: &Facts, check: &Check, look: fn(&Facts, &mut Findings)) -> Vec<Finding> {
    let mut findings = Findings::default();
    look(&facts.only(&check.sees().collect()), &mut findings);
    findings.into_vec()
}

/// The finding, if there is one, that shows that nobody removes the finalizers of a driver's snapshots: see
/// [`Finding::strands`]. It does not depend on which checks are selected. Without a snapshot-controller there is no content, and
/// nobody to set a finalizer; without the API there is no snapshot.
#[must_use]
pub fn stranding(facts: &Facts, driver: &str) -> Option<(&'static Check, Finding)> {
    if matches!(snapshot_controllers(facts), Presence::Absent { .. })
        || facts.snapshot_apis.seen().is_some_and(|apis| !apis.serves(SNAPSHOT_GROUP, "v1"))
    {
        return None;
    }
    let about = |finding: &Finding| {
        finding.target.as_deref() == Some(driver) || finding.drivers.iter().any(|known| known == driver)
    };
    may_strand().find_map(|check| {
        let How::Looking(look) = check.how else { return None };
        if check.needs.iter().any(|need| facts.missing(*need).is_some()) {
            return None;
        }
        let strands = |finding: &Finding| finding.strands && finding.status == Status::Fail && about(finding);
        Some((check, look_at(facts, check, look).into_iter().find(strands)?))
    })
}

/// The checks whose findings may be about who removes the finalizers of snapshots.
fn may_strand() -> impl Iterator<Item = &'static Check> {
    catalogue().into_iter().filter(|check| [Group::Controller, Group::Sidecars].contains(&check.group))
}

/// What [`stranding`] rests on.
#[must_use]
pub fn stranding_needs() -> BTreeSet<Need> {
    may_strand().flat_map(Check::sees).collect()
}

/// What several checks may lack for the same reason.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Lacking {
    /// A right.
    Right(Rule),
    /// Something that files do not hold.
    Collected(Need),
}

/// What is missing, if it is nothing but this: what several checks lack is told by the first of them.
fn lacking_alone(missing: &BTreeMap<Need, Missing>) -> Option<BTreeSet<Lacking>> {
    missing
        .iter()
        .map(|(need, why)| match why {
            Missing::Forbidden { rule } => Some(Lacking::Right(rule.clone())),
            Missing::NotCollected => Some(Lacking::Collected(*need)),
            Missing::NotServed | Missing::Failed { .. } => None,
        })
        .collect()
}

fn no_result() -> Finding {
    Finding::new(Status::Unknown, "gave no result: a mistake in snapready")
        .fix(Fix::text("Please report it, with this report and the output of `snapready --version`."))
}

/// Whether a check says itself what is wrong when the snapshot APIs are not served.
fn judges_the_api(check: &Check) -> bool {
    matches!(check.how, How::Looking(_))
        && (check.needs.contains(&Need::SnapshotApis) || check.needs.contains(&Need::CustomResourceDefinitions))
}

/// Grants what all checks need: most often several lack the same rights.
fn grant() -> Command {
    snapready("rbac --check-only --service-account NAMESPACE/NAME").pipe(kubectl("apply -f -"))
}

/// The finding of a check that could not look.
fn not_seen(missing: &BTreeMap<Need, Missing>, api_is_judged: bool) -> Finding {
    let skip = api_is_judged
        && missing
            .iter()
            .all(|(need, why)| *why == Missing::NotServed && need.row().not_served == NotServed::NoSnapshotApi);
    let mut rules: Vec<Rule> = Vec::new();
    let mut reasons: Vec<String> = Vec::new();
    for (need, why) in missing {
        reasons.push(match why {
            Missing::NotServed => format!("the API server does not serve {}", need.row().noun),
            Missing::Forbidden { rule } => {
                // All that the need takes, so that the next run is not refused the next list.
                let all = Some(need.rules()).filter(|all| all.contains(rule)).unwrap_or_else(|| vec![rule.clone()]);
                rules.extend(all.into_iter().filter(|rule| !rules.contains(rule)).collect::<Vec<_>>());
                format!("the API server refuses to {rule}")
            }
            Missing::Failed { reason } => format!("{} could not be read: {reason}", need.row().noun),
            Missing::NotCollected => format!("{} were not collected", need.row().noun),
        });
    }
    if skip {
        return Finding::new(Status::Skip, format!("does not apply: {}", reasons.join("; ")));
    }
    let finding = Finding::new(Status::Unknown, format!("could not look: {}", reasons.join("; ")));
    if !rules.is_empty() {
        let granted: Vec<String> = rules.iter().map(Rule::to_string).collect();
        return finding
            .cause("The account that snapready runs as lacks a right to look.")
            .fix(Fix::text(format!("grant: {}", granted.join("; "))).command(grant()));
    }
    if missing.values().any(|why| matches!(why, Missing::Failed { .. })) {
        return finding
            .fix(Fix::text("Run it again; if it stays, look at the API server's log for the request above."));
    }
    finding
}

#[cfg(test)]
mod tests {
    use super::*;
    use snapready_checks::model::check::Severity;
    use snapready_checks::model::probe::Probe;

    const fn check(id: &'static str, needs: &'static [Need], how: How) -> Check {
        Check {
            id,
            slug: "a-check",
            title: "Something holds",
            group: Group::Classes,
            severity: Severity::Error,
            since: "0.1.0",
            needs,
            uses: &[],
            doc: "",
            how,
        }
    }

    fn passes(_: &Facts, findings: &mut Findings) {
        findings.pass("looked");
    }

    fn says_nothing(_: &Facts, _: &mut Findings) {}

    static CLASSES: Check = check("SR901", &[Need::VolumeSnapshotClasses], How::Looking(passes));
    static API: Check = check("SR902", &[Need::SnapshotApis], How::Looking(passes));
    static PODS: Check = check("SR903", &[Need::Pods, Need::Leases, Need::StorageClasses], How::Looking(passes));
    static SILENT: Check = check("SR904", &[], How::Looking(says_nothing));
    static BOTH: Check = check("SR906", &[Need::VolumeSnapshotClasses, Need::Pods], How::Looking(passes));
    static WORKLOADS: Check = check("SR907", &[Need::Workloads], How::Looking(passes));
    static LEASES: Check = check("SR908", &[Need::Leases], How::Looking(passes));
    static ONLY_PODS: Check = check("SR909", &[Need::Pods], How::Looking(passes));
    static TRIP: Check = check("SR905", &[], How::RoundTrip);

    fn only(results: &[CheckResult]) -> &CheckResult {
        assert_eq!(results.len(), 1, "{results:?}");
        &results[0]
    }

    #[test]
    fn looks_when_everything_was_seen() {
        let facts = Facts { volume_snapshot_classes: Probe::from(Vec::new()), ..Facts::default() };
        assert_eq!(only(&evaluate(&facts, &[&CLASSES, &TRIP])).status, Status::Pass);
    }

    #[test]
    fn silence_is_unknown() {
        let results = evaluate(&Facts::default(), &[&SILENT]);
        let result = only(&results);
        assert_eq!(
            (result.status, result.message.as_str()),
            (Status::Unknown, "gave no result: a mistake in snapready")
        );
    }

    #[test]
    fn a_right_that_several_checks_lack_is_told_by_the_first() {
        let facts = Facts {
            pods: Probe::Forbidden { rule: Rule::new("", "pods", &["list"]) },
            leases: Probe::Forbidden { rule: Rule::new("coordination.k8s.io", "leases", &["list"]) },
            storage_classes: Probe::from(Vec::new()),
            volume_snapshot_classes: Probe::Failed { reason: "connection refused".to_owned() },
            ..Facts::default()
        };
        let told = |checks: &[&'static Check]| -> Vec<Option<String>> {
            let results = evaluate(&facts, checks);
            results.into_iter().map(|result| result.may_follow_from.first().map(|from| from.id.clone())).collect()
        };
        assert_eq!(told(&[&PODS, &LEASES, &ONLY_PODS]), [None, Some("SR903".to_owned()), Some("SR903".to_owned())]);
        assert_eq!(told(&[&LEASES, &PODS]), [None, None], "one lacks more than the other");
        assert_eq!(told(&[&ONLY_PODS, &BOTH]), [None, None], "a request that failed is no missing right");
    }

    #[test]
    fn what_files_do_not_hold_is_told_by_the_first_check_that_lacks_it() {
        let facts = Facts { volume_snapshot_classes: Probe::from(Vec::new()), ..Facts::default() };
        let results = evaluate(&facts, &[&ONLY_PODS, &BOTH, &LEASES]);
        let told: Vec<_> = results.iter().map(|result| result.may_follow_from.first()).collect();
        assert_eq!(told.iter().map(Option::is_some).collect::<Vec<_>>(), [false, true, false]);
    }

    #[test]
    fn refusals_name_every_missing_right() {
        let facts = Facts {
            pods: Probe::Forbidden { rule: Rule::new("", "pods", &["list"]) },
            leases: Probe::Forbidden { rule: Rule::new("coordination.k8s.io", "leases", &["list"]) },
            storage_classes: Probe::from(Vec::new()),
            ..Facts::default()
        };
        let results = evaluate(&facts, &[&PODS]);
        let result = only(&results);
        assert_eq!(result.status, Status::Unknown);
        assert_eq!(
            result.message,
            "could not look: the API server refuses to list pods; the API server refuses to list leases.coordination.k8s.io"
        );
        let fix = result.fix.as_ref().unwrap();
        assert_eq!(fix.text, "grant: list pods; list leases.coordination.k8s.io");
        assert_eq!(fix.commands, [grant()]);
    }

    #[test]
    fn the_fix_grants_everything_that_the_need_takes() {
        let rules = Need::Workloads.rules();
        let facts = Facts { workloads: Probe::Forbidden { rule: rules[1].clone() }, ..Facts::default() };
        let results = evaluate(&facts, &[&WORKLOADS]);
        assert_eq!(only(&results).message, "could not look: the API server refuses to list statefulsets.apps");
        assert_eq!(
            only(&results).fix.as_ref().unwrap().text,
            "grant: list deployments.apps; list statefulsets.apps; list daemonsets.apps"
        );
    }

    #[test]
    fn a_refusal_beats_what_is_not_served() {
        let facts = Facts { volume_snapshot_classes: Probe::NotServed, ..Facts::default() };
        let results = evaluate(&facts, &[&API, &BOTH]);
        assert_eq!(results[1].status, Status::Unknown);
    }

    #[test]
    fn not_served_is_skipped_only_beside_a_check_of_the_api() {
        let facts = Facts {
            volume_snapshot_classes: Probe::NotServed,
            snapshot_apis: Probe::from(snapready_checks::model::facts::SnapshotApis::default()),
            ..Facts::default()
        };
        assert_eq!(evaluate(&facts, &[&API, &CLASSES])[1].status, Status::Skip);
        assert_eq!(only(&evaluate(&facts, &[&CLASSES])).status, Status::Unknown);
    }

    /// Every need, every way to miss it: never a pass, and the reason is told.
    #[test]
    fn no_absence_passes() {
        static CHECKS: [Check; Need::ALL.len()] = {
            let mut checks = [check("SR900", &[], How::Looking(passes)); Need::ALL.len()];
            let mut i = 0;
            while i < Need::ALL.len() {
                checks[i].needs = std::slice::from_ref(&Need::ALL[i]);
                i += 1;
            }
            checks
        };
        let rule = Rule::new("", "things", &["list"]);
        for check in &CHECKS {
            for (state, word) in [
                (serde_json::json!({"state": "forbidden", "rule": rule}), "list things"),
                (serde_json::json!({"state": "failed", "reason": "broken pipe"}), "broken pipe"),
                (serde_json::json!({"state": "not-served"}), "serve"),
                (serde_json::json!({"state": "not-collected"}), "not collected"),
            ] {
                let need = check.needs[0];
                let key = serde_json::to_value(need).unwrap().as_str().unwrap().replace('-', " ");
                let key: String = key
                    .split(' ')
                    .enumerate()
                    .map(|(i, word)| if i == 0 { word.to_owned() } else { word[..1].to_uppercase() + &word[1..] })
                    .collect();
                let mut json = serde_json::to_value(Facts::default()).unwrap();
                assert!(json.get(&key).is_some(), "{key}");
                json[&key] = state;
                let facts: Facts = serde_json::from_value(json).unwrap();
                let results = evaluate(&facts, &[check]);
                assert_eq!(only(&results).status, Status::Unknown, "{need:?} {word}");
                assert!(only(&results).message.contains(word), "{:?}", results[0].message);
            }
        }
    }
}
