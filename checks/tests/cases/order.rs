//! The order in which rules are asked: for each two neighbours a case in which both hold, or the reason why both never do.

use std::collections::BTreeSet;

use snapready_checks::diagnosis::RULES;
use snapready_checks::model::round_trip::StepId;

use crate::round_trip::{What, cases};

/// Neighbours of which one at most holds.
const EXCLUSIVE: &[(&str, &str, &str)] = &[
    ("claim-lost", "beyond-the-driver", "a claim that has lost its volume was not refused one"),
    ("beyond-the-driver", "provisioner-refuses-for-good", "both read the last failure, which says one thing"),
    ("provisioner-refuses-for-good", "provisioner-lacks-right", "both read the last failure, which says one thing"),
    ("provisioner-lacks-right", "driver-refuses-volume", "one is without a gRPC code, the other with one"),
    ("driver-refuses-volume", "no-driver", "one is an answer, the other silence"),
    ("no-driver", "no-provisioner", "which sidecar serves a driver is only known of registered drivers"),
    ("no-provisioner", "provisioner-silenced", "there is none, or it lacks rights"),
    ("provisioner-out-of-service", "invalid-image-name", "no kubelet sees a pod whose claim is not bound"),
    ("shell-cannot-be-run", "out-of-memory", "one container ended for one reason"),
    ("pod-ended-badly", "unschedulable", "a pod that ended was scheduled"),
    ("unschedulable", "volume-not-attached", "no volume is attached before the pod has a node"),
    ("volume-not-attached", "volume-not-mounted", "no kubelet calls a driver for a volume that is not attached"),
    ("server-too-old", "webhook-refuses-content", "the API server refuses a content by its schema, or by a webhook"),
    ("webhook-refuses-content", "source-missing", "a content is refused, or none is written"),
    ("source-missing", "source-not-bound", "there is no claim, or one without a volume"),
    ("source-not-bound", "source-without-snapshots", "there is no volume, or it is not one of a CSI driver"),
    (
        "credentials-unreadable",
        "sidecar-too-old",
        "a csi-snapshotter reads the credentials before it writes to the content",
    ),
    ("handle-not-found", "group-not-offered", "one is about the handle of a single snapshot, the other about a group"),
    ("driver-refuses-snapshot", "no-controller", "an answer shows that a controller is at work"),
    ("no-controller", "controller-scaled-to-zero", "there is none, or it is scaled to 0"),
    ("controller-scaled-to-zero", "no-sidecar", "the snapshot is not bound, or it is"),
    ("no-sidecar", "controller-silenced", "the snapshot is bound, or it is not"),
    ("controller-silenced", "sidecar-silenced", "the snapshot is not bound, or it is"),
    ("sidecar-silenced", "controller-out-of-service", "the content is untouched, or the sidecar has done its part"),
    ("controller-out-of-service", "sidecar-out-of-service", "the snapshot is not bound, or it is"),
];

/// Rules of the same step, one asked right after the other.
fn neighbours() -> BTreeSet<(&'static str, &'static str)> {
    let mut pairs = BTreeSet::new();
    for step in StepId::ALL {
        let names: Vec<&str> = RULES.iter().filter(|rule| rule.steps.contains(&step)).map(|rule| rule.name).collect();
        pairs.extend(names.windows(2).map(|pair| (pair[0], pair[1])));
    }
    pairs
}

/// All pairs of rules that hold in the same case.
fn together() -> BTreeSet<(&'static str, &'static str)> {
    let mut pairs = BTreeSet::new();
    for case in cases() {
        if let What::Wait(wait) = &case.moment {
            let holds = wait.rules(wait.seconds);
            pairs.extend(
                holds.iter().enumerate().flat_map(|(n, one)| holds[n + 1..].iter().map(move |other| (*one, *other))),
            );
        }
    }
    pairs
}

/// What is wrong with the order as the cases show it.
pub(crate) fn order() -> Vec<String> {
    let exclusive: BTreeSet<(&str, &str)> = EXCLUSIVE.iter().map(|(one, other, _)| (*one, *other)).collect();
    let (neighbours, together) = (neighbours(), together());
    let undecided = neighbours.difference(&exclusive).filter(|pair| !together.contains(pair));
    undecided
        .map(|pair| format!("no case in which both hold: {pair:?}"))
        .chain(exclusive.intersection(&together).map(|pair| format!("both hold in a case: {pair:?}")))
        .chain(exclusive.difference(&neighbours).map(|pair| format!("no neighbours: {pair:?}")))
        .collect()
}

/// The rules without a case in which they are the cause.
pub(crate) fn rules_without_a_case() -> Vec<String> {
    let causes: BTreeSet<String> = cases().filter_map(|case| case.expect.rule).collect();
    let names = RULES.iter().map(|rule| rule.name);
    names.filter(|name| !causes.contains(*name)).map(|name| format!("no case: {name}")).collect()
}
