//! Manifests that grant what the needs of checks take, and what a round trip takes.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::Resource as _;
use k8s_openapi::api::rbac::v1::{ClusterRole, ClusterRoleBinding, PolicyRule, Role, RoleBinding, RoleRef, Subject};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::Serialize;
use snapready_checks::model::need::{Need, Rule};
use snapready_checks::model::products::ProductKind;

use crate::roundtrip::existing::Reference;
use crate::roundtrip::modes::Mode;
use crate::roundtrip::rights;

/// The account that rights are bound to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Account<'a> {
    /// The service account's namespace.
    pub namespace: &'a str,
    /// The service account's name.
    pub name: &'a str,
}

impl Account<'static> {
    /// Stands where nobody said which account.
    pub const PLACEHOLDER: Self = Self { namespace: "snapready", name: "snapready" };
}

/// Where round trips take place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place<'a> {
    /// In a namespace that the run makes. RBAC cannot limit rights to a namespace whose name nobody knows yet, so they
    /// have to be granted for all.
    Own,
    /// In a namespace that exists.
    Namespace(&'a str),
    /// In the namespace of what exists and is restored from.
    Existing(&'a Reference),
}

/// The round trips that are to take place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RoundTrip<'a> {
    /// Where.
    pub place: Place<'a>,
    /// In which modes; always in the plain one.
    pub modes: &'a [&'static Mode],
    /// Whether what classes retain is to be removed.
    pub retained: bool,
}

/// Manifests that grant what these needs and the objects of these products take, and what round trips take if some are to take
/// place: a `ClusterRole` for looking, a `Role` (or, for an own namespace, a `ClusterRole`) for the round trip, and their bindings.
/// The same needs give the same text, in whatever order they come.
#[must_use]
pub fn manifests(
    needs: &[Need],
    products: &[&ProductKind],
    round_trip: Option<RoundTrip<'_>>,
    account: Account<'_>,
) -> String {
    let mut text = format!(
        "# Least rights for snapready. The account {}/{} stands for yours: replace it in every binding.\n",
        account.namespace, account.name
    );
    let of_products: &[&ProductKind] = if needs.contains(&Need::ProductObjects) { products } else { &[] };
    let of_products = of_products.iter().map(|kind| kind.rule());
    let looking: Vec<Rule> = needs.iter().flat_map(|need| need.rules()).chain(of_products).collect();
    if !looking.is_empty() {
        text.push_str("---\n");
        cluster_role(&mut text, "snapready-check", &looking, account);
    }
    let Some(RoundTrip { place, modes, retained }) = round_trip else { return text };
    let retained = if retained { rights::retained_rules() } else { Vec::new() };
    match place {
        Place::Own => {
            text.push_str(
                "---\n# The run makes its own namespace, whose name RBAC cannot know: these rights are for all namespaces.\n\
                 # For rights in one namespace only, make it and call `snapready rbac --namespace NAME`.\n",
            );
            let rules = [
                rights::cluster_rules(modes, true),
                rights::watch_rules(modes, true),
                rights::namespace_rules(modes),
                rights::cleanup_rules(modes, true),
                retained,
            ];
            cluster_role(&mut text, ROUND_TRIP, &rules.concat(), account);
        }
        Place::Namespace(namespace) => {
            text.push_str("---\n");
            let rules = [
                rights::cluster_rules(modes, false),
                rights::watch_rules(modes, false),
                rights::cleanup_rules(modes, false),
                retained,
            ];
            let rules = rules.concat();
            cluster_role(&mut text, ROUND_TRIP, &rules, account);
            text.push_str("---\n");
            let rules = [rights::namespace_rules(modes), rights::quota_rules()].concat();
            role(&mut text, ROUND_TRIP, namespace, &rules, account);
        }
        Place::Existing(reference) => {
            let of_existing = rights::of_existing(reference.given);
            let retained = if retained.is_empty() { retained } else { of_existing.retained };
            text.push_str("---\n");
            cluster_role(&mut text, ROUND_TRIP, &[of_existing.cluster, of_existing.watch, retained].concat(), account);
            text.push_str("---\n");
            let within = [of_existing.within, rights::quota_rules()].concat();
            role(&mut text, ROUND_TRIP, &reference.named.namespace, &within, account);
        }
    }
    text
}

const ROUND_TRIP: &str = "snapready-roundtrip";

/// A `ClusterRole` and its binding.
fn cluster_role(text: &mut String, name: &str, rules: &[Rule], account: Account<'_>) {
    let metadata = ObjectMeta { name: Some(name.to_owned()), ..ObjectMeta::default() };
    let role = ClusterRole { metadata: metadata.clone(), rules: Some(merged(rules)), aggregation_rule: None };
    let role_ref = RoleRef {
        api_group: Some(ClusterRole::GROUP.to_owned()),
        kind: ClusterRole::KIND.to_owned(),
        name: name.to_owned(),
    };
    let binding = ClusterRoleBinding { metadata, role_ref, subjects: Some(vec![subject(account)]) };
    pair(text, &role, &binding);
}

/// A `Role` and its binding.
fn role(text: &mut String, name: &str, namespace: &str, rules: &[Rule], account: Account<'_>) {
    let metadata =
        ObjectMeta { name: Some(name.to_owned()), namespace: Some(namespace.to_owned()), ..ObjectMeta::default() };
    let role = Role { metadata: metadata.clone(), rules: Some(merged(rules)) };
    let role_ref =
        RoleRef { api_group: Some(Role::GROUP.to_owned()), kind: Role::KIND.to_owned(), name: name.to_owned() };
    let binding = RoleBinding { metadata, role_ref, subjects: Some(vec![subject(account)]) };
    pair(text, &role, &binding);
}

fn subject(account: Account<'_>) -> Subject {
    Subject {
        kind: "ServiceAccount".to_owned(),
        name: account.name.to_owned(),
        namespace: Some(account.namespace.to_owned()),
        api_group: None,
    }
}

/// One rule for each resource, with the verbs of all rules for it, everything in alphabetical order.
fn merged(rules: &[Rule]) -> Vec<PolicyRule> {
    let mut merged: BTreeMap<_, BTreeSet<&String>> = BTreeMap::new();
    for rule in rules {
        merged.entry((&rule.group, &rule.resource, &rule.names)).or_default().extend(&rule.verbs);
    }
    let rules = merged.into_iter().map(|((group, resource, names), verbs)| PolicyRule {
        api_groups: Some(vec![group.clone()]),
        resources: Some(vec![resource.clone()]),
        resource_names: (!names.is_empty()).then(|| names.clone()),
        verbs: verbs.into_iter().cloned().collect(),
        non_resource_urls: None,
    });
    rules.collect()
}

/// Two documents of the manifest.
fn pair(text: &mut String, role: &impl Serialize, binding: &impl Serialize) {
    write(text, role);
    text.push_str("---\n");
    write(text, binding);
}

#[expect(clippy::expect_used, reason = "these objects are maps, lists and texts, which YAML can always say")]
fn write(text: &mut String, object: &impl Serialize) {
    let options = serde_saphyr::ser_options! { compact_list_indent: true, prefer_block_scalars: false };
    serde_saphyr::to_fmt_writer_with_options(text, object, options).expect("plain data");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::roundtrip::modes::{MODES, content_first, other_namespace};
    use serde_json::Value;

    const fn round_trip(place: Place<'_>, retained: bool) -> RoundTrip<'_> {
        RoundTrip { place, modes: &[], retained }
    }

    fn documents(yaml: &str) -> Vec<Value> {
        serde_saphyr::from_multiple(yaml).unwrap()
    }

    #[test]
    fn same_needs_same_text() {
        let mut needs = Need::ALL.to_vec();
        let text = manifests(&needs, &[], Some(round_trip(Place::Own, false)), Account::PLACEHOLDER);
        needs.reverse();
        needs.push(Need::Pods);
        assert_eq!(manifests(&needs, &[], Some(round_trip(Place::Own, false)), Account::PLACEHOLDER), text);
    }

    #[test]
    fn looking_never_writes() {
        let roles = documents(&manifests(&Need::ALL, &[], None, Account::PLACEHOLDER));
        assert_eq!(roles.len(), 2);
        for rule in roles[0]["rules"].as_array().unwrap() {
            for verb in rule["verbs"].as_array().unwrap() {
                assert!(["get", "list"].contains(&verb.as_str().unwrap()), "{rule}");
            }
            assert_ne!(rule["resources"][0], "secrets");
        }
    }

    #[test]
    fn objects_of_products_are_read_only_where_they_are_asked_about() {
        let kinds = snapready_checks::products::kinds(&["velero".to_owned()]);
        let granted = |products: &[&ProductKind]| manifests(&Need::ALL, products, None, Account::PLACEHOLDER);
        assert!(granted(&kinds).contains("backupstoragelocations") && !granted(&[]).contains("velero.io"));
        assert!(!manifests(&[Need::Pods], &kinds, None, Account::PLACEHOLDER).contains("velero.io"));
    }

    #[test]
    fn rights_of_a_given_namespace_stay_in_it() {
        let hostile = "team\" #\na: b";
        let documents = documents(&manifests(
            &[Need::Pods],
            &[],
            Some(round_trip(Place::Namespace(hostile), false)),
            Account::PLACEHOLDER,
        ));
        let kinds: Vec<&str> = documents.iter().map(|document| document["kind"].as_str().unwrap()).collect();
        assert_eq!(
            kinds,
            ["ClusterRole", "ClusterRoleBinding", "ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"]
        );
        let written: Vec<&str> = documents
            .iter()
            .filter(|document| document["kind"] == "ClusterRole")
            .flat_map(|document| document["rules"].as_array().unwrap())
            .flat_map(|rule| rule["verbs"].as_array().unwrap())
            .map(|verb| verb.as_str().unwrap())
            .filter(|verb| !["get", "list", "watch"].contains(verb))
            .collect();
        assert_eq!(written, Vec::<&str>::new());
        assert_eq!(documents[4]["metadata"]["namespace"], hostile);
        assert_eq!(documents[5]["roleRef"]["kind"], "Role");
    }

    #[test]
    fn volumes_and_contents_of_others_can_be_changed_only_on_demand() {
        let verbs = |retained: bool, resource: &str| {
            let manifest =
                documents(&manifests(&[], &[], Some(round_trip(Place::Own, retained)), Account::PLACEHOLDER));
            let all = manifest[0]["rules"].as_array().unwrap().clone();
            let rule = all.into_iter().find(|rule| rule["resources"][0] == resource).unwrap();
            rule["verbs"].as_array().unwrap().iter().map(|verb| verb.as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(verbs(false, "persistentvolumes"), ["get", "watch"]);
        assert_eq!(verbs(true, "persistentvolumes"), ["get", "patch", "watch"]);
        assert_eq!(verbs(false, "volumesnapshotcontents"), ["get", "watch"]);
        assert_eq!(verbs(true, "volumesnapshotcontents"), ["delete", "get", "list", "patch", "watch"]);
    }

    /// What a manifest grants on contents.
    fn on_contents(place: Place<'_>, modes: &[&'static Mode]) -> Vec<String> {
        let asked = RoundTrip { place, modes, retained: false };
        let manifest = documents(&manifests(&[], &[], Some(asked), Account::PLACEHOLDER));
        let rules = manifest.iter().filter_map(|document| document["rules"].as_array()).flatten();
        let rule = rules.into_iter().find(|rule| rule["resources"][0] == "volumesnapshotcontents").unwrap();
        rule["verbs"].as_array().unwrap().iter().map(|verb| verb.as_str().unwrap().to_owned()).collect()
    }

    #[test]
    fn contents_are_created_only_where_a_mode_asks_for_it() {
        for place in [Place::Own, Place::Namespace("test")] {
            assert_eq!(on_contents(place, &[]), ["get", "watch"]);
            let asking = [&other_namespace::MODE, &content_first::MODE];
            let others: Vec<_> = MODES.iter().copied().filter(|mode| !asking.contains(mode)).collect();
            assert_eq!(on_contents(place, &others), ["get", "watch"]);
            assert_eq!(on_contents(place, &[&content_first::MODE]), ["delete", "get", "watch"]);
            let all = ["create", "delete", "get", "list", "patch", "watch"];
            assert_eq!(on_contents(place, &[&other_namespace::MODE]), all);
        }
    }

    #[test]
    fn manifest_of_everything() {
        insta::assert_snapshot!(manifests(
            &Need::ALL,
            &[],
            Some(round_trip(Place::Namespace("snapready-test"), false)),
            Account::PLACEHOLDER
        ));
    }
}
