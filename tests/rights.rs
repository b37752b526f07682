//! The rights that `snapready rbac` grants for a round trip are those that a round trip takes: none is missing, and none is
//! there that nothing uses.

#![expect(clippy::unwrap_used, reason = "a test may")]

#[path = "program/mod.rs"]
mod program;
#[path = "program/right.rs"]
mod right;

use std::collections::BTreeSet;

use program::Place;
use right::{Right, right, rights};
use serde_json::Value;
use snapready::roundtrip::modes::{MODES, Mode};
use snapready::roundtrip::rights::{
    cleanup_rules, cluster_rules, namespace_rules, quota_rules, retained_rules, watch_rules,
};
use snapready_checks::model::need::Need;
use snapready_sim::scenario;

/// How many runs may pass before a right that none of them used counts as unused.
const RUNS: usize = 10;

#[tokio::test(flavor = "multi_thread")]
async fn what_is_granted_is_what_is_used() {
    let [elsewhere, content_first, group] =
        ["other-namespace", "content-first", "group"].map(|mode| Mode::find(mode).unwrap());
    for (flags, modes, own) in [
        (&[][..], &[][..], true),
        (&["-n", "default"], &[], false),
        (&["--mode", "other-namespace"], &[elsewhere], true),
        (&["--mode", "content-first"], &[content_first], true),
        (&["--mode", "other-namespace", "-n", "default"], &[elsewhere], false),
        (&["--mode", "plain,group"], &[group], true),
    ] {
        let cluster = [cluster_rules(modes, own), watch_rules(modes, own)].concat();
        let within = [namespace_rules(modes), if own { Vec::new() } else { quota_rules() }].concat();
        let granted: BTreeSet<Right> = rights(cluster, false).chain(rights(within, true)).collect();
        let mut used = BTreeSet::new();
        // One run need not use all: what is over before it is looked at is not watched, and what a watch has told is not
        // looked at.
        for _ in 0..RUNS {
            let place = Place::of(scenario::find("healthy").unwrap()).await;
            let ended = place.call(&[&["roundtrip", "--volume-mode", "filesystem"], flags].concat()).await;
            assert_eq!(ended.code, Some(0), "{}", ended.errors);
            used.extend(place.cluster.requests().iter().filter_map(right));
            if granted.is_subset(&used) {
                break;
            }
        }
        let unused: Vec<_> = granted.difference(&used).collect();
        assert!(unused.is_empty(), "granted, but not used: {unused:?}");
        // It also looks at what the checks look at, for its diagnosis, and does without what it may not see.
        let looking = Need::ALL.into_iter().flat_map(Need::rules).collect();
        let looking: BTreeSet<Right> = rights(looking, false).collect();
        let missing: Vec<_> = used.difference(&granted).filter(|right| !looking.contains(*right)).collect();
        assert!(missing.is_empty(), "used, but not granted: {missing:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clean_up_takes_what_is_granted() {
    let place = Place::of(scenario::find("healthy").unwrap()).await;
    let kept = place.call(&["roundtrip", "--volume-mode", "filesystem", "--keep", "always", "-o", "json"]).await;
    assert_eq!(kept.code, Some(0), "{}", kept.errors);
    let report: Value = serde_json::from_str(&kept.lines.join("\n")).unwrap();
    let before = place.cluster.requests().len();
    let ended = place.call(&["cleanup", "--run", report["run"]["id"].as_str().unwrap()]).await;
    assert_eq!(ended.code, Some(0), "{}", ended.errors);
    let own = [cluster_rules(MODES, true), watch_rules(MODES, true), cleanup_rules(MODES, true)].concat();
    let cluster = [own, retained_rules()].concat();
    let granted: BTreeSet<Right> = rights(cluster, false).chain(rights(namespace_rules(MODES), true)).collect();
    let requests = place.cluster.requests();
    let used: BTreeSet<Right> = requests.iter().skip(before).filter_map(right).collect();
    for (verb, resource, _) in &used {
        // Rights in all namespaces are rights in each.
        let is_granted = granted.iter().any(|right| right.0 == *verb && right.1 == *resource);
        assert!(is_granted, "used, but not granted: {verb} {resource}");
    }
    assert!(rights(cleanup_rules(MODES, true), false).all(|right| used.contains(&right)), "{used:?}");
}
