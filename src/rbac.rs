//! Manifests that grant what the needs of checks take, and what a round trip takes.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use snapready_checks::model::need::{Need, Rule};

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
}

/// Manifests that grant what these needs take, and what a round trip takes if one is to take place: a `ClusterRole` for
/// looking, a `Role` (or, for an own namespace, a `ClusterRole`) for the round trip, and their bindings. The same needs
/// give the same text, in whatever order they come.
#[must_use]
pub fn manifests(needs: &[Need], round_trip: Option<Place<'_>>, account: Account<'_>) -> String {
    let mut text = format!(
        "# Least rights for snapready. The account {}/{} stands for yours: replace it in every binding.\n",
        account.namespace, account.name
    );
    let looking: Vec<Rule> = needs.iter().flat_map(|need| need.rules()).collect();
    if !looking.is_empty() {
        cluster_role(&mut text, "snapready-check", &looking, account);
    }
    match round_trip {
        None => {}
        Some(Place::Own) => {
            text.push_str(
                "---\n# The run makes its own namespace, whose name RBAC cannot know: these rights are for all namespaces.\n\
                 # For rights in one namespace only, make it and call `snapready rbac --namespace NAME`.\n",
            );
            let rules: Vec<Rule> = rights::cluster_rules(true)
                .into_iter()
                .chain(rights::watch_rules(true))
                .chain(rights::namespace_rules())
                .chain(rights::cleanup_rules())
                .collect();
            role_and_binding(&mut text, "snapready-roundtrip", None, &rules, account);
        }
        Some(Place::Namespace(namespace)) => {
            let rules: Vec<Rule> = rights::cluster_rules(false).into_iter().chain(rights::watch_rules(false)).collect();
            cluster_role(&mut text, "snapready-roundtrip", &rules, account);
            text.push_str("---\n");
            role_and_binding(&mut text, "snapready-roundtrip", Some(namespace), &rights::namespace_rules(), account);
        }
    }
    text
}

fn cluster_role(text: &mut String, name: &str, rules: &[Rule], account: Account<'_>) {
    text.push_str("---\n");
    role_and_binding(text, name, None, rules, account);
}

fn role_and_binding(text: &mut String, name: &str, namespace: Option<&str>, rules: &[Rule], account: Account<'_>) {
    let kind = if namespace.is_some() { "Role" } else { "ClusterRole" };
    head(text, kind, name, namespace);
    text.push_str("rules:\n");
    for ((group, resource, names), verbs) in merged(rules) {
        line(text, &format!("- apiGroups: {}", flow(&[group])));
        line(text, &format!("  resources: {}", flow(&[resource])));
        if !names.is_empty() {
            text.push_str("  resourceNames:\n");
            for name in names {
                line(text, &format!("  - {name}"));
            }
        }
        line(text, &format!("  verbs: {}", flow(&verbs)));
    }
    text.push_str("---\n");
    head(text, &format!("{kind}Binding"), name, namespace);
    line(text, "roleRef:");
    line(text, "  apiGroup: rbac.authorization.k8s.io");
    line(text, &format!("  kind: {kind}"));
    line(text, &format!("  name: {name}"));
    line(text, "subjects:");
    line(text, "- kind: ServiceAccount");
    line(text, &format!("  name: {}", quoted(account.name)));
    line(text, &format!("  namespace: {}", quoted(account.namespace)));
}

fn head(text: &mut String, kind: &str, name: &str, namespace: Option<&str>) {
    line(text, "apiVersion: rbac.authorization.k8s.io/v1");
    line(text, &format!("kind: {kind}"));
    line(text, "metadata:");
    line(text, &format!("  name: {name}"));
    if let Some(namespace) = namespace {
        line(text, &format!("  namespace: {}", quoted(namespace)));
    }
}

type Subject<'a> = (&'a str, &'a str, &'a [String]);

/// One entry for each resource, with the verbs of all rules for it, everything in alphabetical order.
fn merged(rules: &[Rule]) -> BTreeMap<Subject<'_>, Vec<&str>> {
    let mut merged: BTreeMap<Subject<'_>, Vec<&str>> = BTreeMap::new();
    for rule in rules {
        let verbs = merged.entry((&rule.group, &rule.resource, &rule.names)).or_default();
        verbs.extend(rule.verbs.iter().map(String::as_str));
        verbs.sort_unstable();
        verbs.dedup();
    }
    merged
}

fn line(text: &mut String, content: &str) {
    text.push_str(content);
    text.push('\n');
}

/// A YAML list on one line. JSON strings are YAML strings.
fn flow(values: &[&str]) -> String {
    let mut text = "[".to_owned();
    for (index, value) in values.iter().enumerate() {
        let _ = write!(text, "{}{}", if index == 0 { "" } else { ", " }, quoted(value));
    }
    text + "]"
}

fn quoted(value: &str) -> String {
    serde_json::Value::from(value).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    fn documents(yaml: &str) -> Vec<Value> {
        serde_saphyr::from_multiple(yaml).unwrap()
    }

    #[test]
    fn same_needs_same_text() {
        let mut needs = Need::ALL.to_vec();
        let text = manifests(&needs, Some(Place::Own), Account::PLACEHOLDER);
        needs.reverse();
        needs.push(Need::Pods);
        assert_eq!(manifests(&needs, Some(Place::Own), Account::PLACEHOLDER), text);
    }

    #[test]
    fn looking_never_writes() {
        let roles = documents(&manifests(&Need::ALL, None, Account::PLACEHOLDER));
        assert_eq!(roles.len(), 2);
        for rule in roles[0]["rules"].as_array().unwrap() {
            for verb in rule["verbs"].as_array().unwrap() {
                assert!(["get", "list"].contains(&verb.as_str().unwrap()), "{rule}");
            }
            assert_ne!(rule["resources"][0], "secrets");
        }
    }

    #[test]
    fn rights_of_a_given_namespace_stay_in_it() {
        let hostile = "team\" #\na: b";
        let documents = documents(&manifests(&[Need::Pods], Some(Place::Namespace(hostile)), Account::PLACEHOLDER));
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
    fn manifest_of_everything() {
        insta::assert_snapshot!(manifests(&Need::ALL, Some(Place::Namespace("snapready-test")), Account::PLACEHOLDER));
    }
}
