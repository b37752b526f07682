//! The rights that `snapready rbac` grants for a round trip are those that a round trip takes: none is missing, and none is
//! there that nothing uses.

#![expect(clippy::unwrap_used, reason = "a test may")]

#[path = "program/mod.rs"]
mod program;

use std::collections::BTreeSet;

use program::Place;
use serde_json::Value;
use snapready::roundtrip::rights::{cleanup_rules, cluster_rules, namespace_rules, quota_rules, watch_rules};
use snapready_checks::model::need::{Need, Rule};
use snapready_sim::{Request, scenario};

/// A verb and a resource, and whether it lies in the namespace of the round trip.
type Right = (String, String, bool);

fn rights(rules: Vec<Rule>, within: bool) -> impl Iterator<Item = Right> {
    rules.into_iter().flat_map(move |rule| {
        let resource = format!("{}.{}", rule.resource, rule.group);
        rule.verbs.into_iter().map(move |verb| (verb, resource.clone(), within))
    })
}

/// How many runs may pass before a right that none of them used counts as unused.
const RUNS: usize = 10;

/// The right that a request takes; `None` for discovery, and for reviews, which everybody may ask for.
fn right(request: &Request) -> Option<Right> {
    let (path, query) = request.path.split_once('?').unwrap_or((&request.path, ""));
    let segments: Vec<&str> = path.trim_matches('/').split('/').collect();
    let (group, rest) = match segments.as_slice() {
        ["api", _, rest @ ..] => ("", rest),
        ["apis", group, _, rest @ ..] => (*group, rest),
        _ => return None,
    };
    let (within, resource, name) = match rest {
        ["namespaces", _, resource, name @ ..] => (true, *resource, name.first()),
        [resource, name @ ..] => (false, *resource, name.first()),
        [] => return None,
    };
    let verb = match request.method.as_str() {
        "POST" => "create",
        "DELETE" => "delete",
        "GET" if query.contains("watch=") => "watch",
        "GET" if name.is_some() => "get",
        "GET" => "list",
        other => other,
    };
    (group != "authorization.k8s.io").then(|| (verb.to_owned(), format!("{resource}.{group}"), within))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_granted_is_what_is_used() {
    for (flags, own) in [(&[][..], true), (&["-n", "default"][..], false)] {
        let cluster = [cluster_rules(own), watch_rules(own)].concat();
        let within = if own { namespace_rules() } else { [namespace_rules(), quota_rules()].concat() };
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
    let cluster = [cluster_rules(true), watch_rules(true), cleanup_rules()].concat();
    let granted: BTreeSet<Right> = rights(cluster, false).chain(rights(namespace_rules(), true)).collect();
    let requests = place.cluster.requests();
    let used: BTreeSet<Right> = requests.iter().skip(before).filter_map(right).collect();
    for (verb, resource, _) in &used {
        // Rights in all namespaces are rights in each.
        let is_granted = granted.iter().any(|right| right.0 == *verb && right.1 == *resource);
        assert!(is_granted, "used, but not granted: {verb} {resource}");
    }
    assert!(rights(cleanup_rules(), false).all(|right| used.contains(&right)), "{used:?}");
}
