//! Which rights looking takes, and what is missed without one.

use snapready_checks::model::need::Rule;
use snapready_checks::model::probe::Missing;

use super::*;

/// The rule that a GET takes, as the API server's authorizer sees it; `None` for what everybody may.
fn rule_of(question: &Asked) -> Option<Rule> {
    let parts: Vec<&str> = question.path.trim_start_matches('/').split('/').collect();
    match (question.method.as_str(), parts.as_slice()) {
        ("GET", ["api", _, resource]) => Some(Rule::new("", resource, &["list"])),
        ("GET", ["apis", group, _, resource] | ["apis", group, _, "namespaces", _, resource]) => {
            Some(Rule::new(group, resource, &["list"]))
        }
        ("GET", ["apis", group, _, resource, name]) => {
            Some(Rule { names: vec![(*name).to_owned()], ..Rule::new(group, resource, &["get"]) })
        }
        ("GET", ["api", _, "namespaces", _, "services", name]) => {
            Some(Rule { names: vec![(*name).to_owned()], ..Rule::new("", "services", &["get"]) })
        }
        ("GET", ["api", _, "namespaces", _, "secrets", _] | ["version"] | ["apis", _])
        | ("POST", ["apis", "authorization.k8s.io", "v1", "selfsubjectaccessreviews" | "subjectaccessreviews"]) => None,
        _ => panic!("{question:?}"),
    }
}

fn grants(granted: &[Rule], wanted: &Rule) -> bool {
    granted.iter().any(|rule| {
        rule.group == wanted.group
            && rule.resource == wanted.resource
            && wanted.verbs.iter().all(|verb| rule.verbs.contains(verb))
            && (rule.names.is_empty() || wanted.names.iter().all(|name| rule.names.contains(name)))
    })
}

/// The manifest of each need grants what its requests take, and nothing that none of them takes.
#[tokio::test]
async fn rights_granted_are_the_rights_used() {
    for need in Need::ALL {
        let server = Server::default();
        let needs = if need == Need::WebhookServices { vec![Need::WebhookConfigurations, need] } else { vec![need] };
        look(&server.connection(|_, _| None), &needs).await;
        let used: Vec<Rule> = server.asked().iter().filter_map(rule_of).collect();
        let mut granted: Vec<Rule> = need.rules();
        if need == Need::ClassSecrets {
            // Which secrets, only the classes tell.
            granted.extend(Need::VolumeSnapshotClasses.rules());
        }
        if need == Need::WebhookServices {
            // Which services, only the webhooks tell.
            granted.extend(Need::WebhookConfigurations.rules());
        }
        for rule in &used {
            assert!(grants(&granted, rule), "{need:?} uses {rule}, which is not granted");
        }
        for rule in &granted {
            let is_used = used.iter().any(|used| grants(std::slice::from_ref(rule), used));
            assert!(is_used, "{need:?} is granted {rule}, which it does not use");
        }
    }
}

/// What is asked for the round trip's rights is what the manifest of a round trip grants.
#[tokio::test]
async fn rights_of_the_round_trip_are_all_reviewed() {
    use crate::rbac;
    use crate::roundtrip::modes::{MODES, Mode};
    let none: &[&'static Mode] = &[];
    for (own, modes) in [(true, none), (false, none), (true, MODES), (false, MODES)] {
        let server = Server::default();
        let connection = server.connection(|_, _| None);
        let needs = BTreeSet::from([Need::RoundTripAccess]);
        let collection = Collection {
            needs: &needs,
            round_trip: &rights::reviewed(modes, "test-ns", own),
            products: &[],
            server_version: None,
        };
        collect(&connection, &collection, &|_| {}).await;
        let place = if own { rbac::Place::Own } else { rbac::Place::Namespace("test-ns") };
        let round_trip = rbac::RoundTrip { place, modes, retained: false };
        let manifest = rbac::manifests(&[], &[], Some(round_trip), rbac::Account::PLACEHOLDER);
        let documents: Vec<Value> = serde_saphyr::from_multiple(&manifest).unwrap();
        let mut granted = BTreeSet::new();
        for rule in documents.iter().filter_map(|document| document["rules"].as_array()).flatten() {
            for verb in rule["verbs"].as_array().unwrap() {
                granted.insert(format!("{} {}.{}", verb, rule["resources"][0], rule["apiGroups"][0]));
            }
        }
        for rule in rights::cleanup_rules(modes, own) {
            let right = format!("\"list\" \"{}\".\"{}\"", rule.resource, rule.group);
            assert!(granted.remove(&right), "for `snapready cleanup`: {right}");
        }
        // Nobody needs these: without them the round trip looks now and then. Asking would make a warning of it.
        let quotas = if own { Vec::new() } else { rights::quota_rules() };
        for rule in rights::watch_rules(modes, own).into_iter().chain(quotas) {
            let right = format!("\"{}\" \"{}\".\"{}\"", rule.verbs[0], rule.resource, rule.group);
            assert!(granted.remove(&right), "{right} is not granted");
        }
        let reviewed: BTreeSet<String> = server
            .asked()
            .iter()
            .map(|question| {
                let attributes = &question.body["spec"]["resourceAttributes"];
                format!("{} {}.{}", attributes["verb"], attributes["resource"], attributes["group"])
            })
            .collect();
        assert_eq!(reviewed, granted);
    }
}

/// Each right is taken away in turn: what takes it is forbidden, with that rule named, and nothing else changes.
#[tokio::test]
async fn a_missing_right_is_missed_where_it_is_needed_and_nowhere_else() {
    let whole = look(&Server::default().connection(|_, _| None), &Need::ALL).await;
    for need in Need::ALL {
        for denied in need.rules() {
            let rule = denied.clone();
            let connection = Server::default().connection(move |question, _| {
                let wanted = rule_of(question)?;
                grants(std::slice::from_ref(&rule), &wanted).then(|| status(403, "no"))
            });
            let facts = look(&connection, &Need::ALL).await;
            let of_pods = |need: Need| [Need::Pods, Need::MountedClaims].contains(&need);
            for other in Need::ALL {
                let follows = (need == Need::VolumeSnapshotClasses && other == Need::ClassSecrets)
                    || (of_pods(need) && of_pods(other));
                // What is read one by one is missed one by one.
                let whole = need != Need::WebhookServices;
                let expected =
                    ((other == need && whole) || follows).then(|| Missing::Forbidden { rule: denied.clone() });
                assert_eq!(facts.missing(other), expected, "{denied} {other:?}");
            }
            let unaffected = |facts: &Facts| {
                let mut json = serde_json::to_value(facts).unwrap();
                let follow = [Need::ClassSecrets, Need::WebhookServices, Need::AccountReviews, Need::DriverSwitches];
                let pods: &[Need] = if of_pods(need) { &[Need::Pods, Need::MountedClaims] } else { &[] };
                for need in [&[need], &follow[..], pods].concat() {
                    let key = format!("{need:?}");
                    json.as_object_mut().unwrap().retain(|name, _| !name.eq_ignore_ascii_case(&key));
                }
                json["collectedAt"] = Value::Null;
                json
            };
            assert_eq!(unaffected(&facts), unaffected(&whole), "{denied}");
        }
    }
}
