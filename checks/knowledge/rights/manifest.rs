//! The roles and bindings that grant what is missing.

use std::collections::BTreeMap;

use crate::knowledge::rights::rbac::Account;
use crate::knowledge::version::Component;
use crate::text::names::is_object_name;

/// A right that is to be granted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Grant<'a> {
    pub(super) group: &'a str,
    pub(super) resource: &'a str,
    pub(super) verbs: &'a [&'a str],
    /// Where; `None` for everywhere.
    pub(super) namespace: Option<&'a str>,
    /// The name of the only object.
    pub(super) name: Option<&'a str>,
}

/// The manifest; `None` if a name in it is not one that Kubernetes accepts.
pub(super) fn manifest(component: Component, account: Account<'_>, grants: &[Grant<'_>]) -> Option<String> {
    let role = format!("{}-rights-{}-{}", component.name(), account.namespace, account.name);
    let names = grants.iter().flat_map(|grant| [grant.namespace, grant.name]).flatten();
    if ![role.as_str(), account.namespace, account.name].into_iter().chain(names).all(is_object_name) {
        return None;
    }
    let mut places: BTreeMap<Option<&str>, Vec<&Grant<'_>>> = BTreeMap::new();
    for grant in grants {
        places.entry(grant.namespace).or_default().push(grant);
    }
    let documents = places.into_iter().map(|(namespace, grants)| documents(&role, account, namespace, &grants));
    Some(documents.collect::<Vec<_>>().join("---\n"))
}

/// A role and its binding, of the cluster or of a namespace.
fn documents(role: &str, account: Account<'_>, namespace: Option<&str>, grants: &[&Grant<'_>]) -> String {
    let prefix = if namespace.is_some() { "" } else { "Cluster" };
    let place = namespace.map_or_else(String::new, |namespace| format!("  namespace: {namespace}\n"));
    let rules: String = grants.iter().map(|grant| rule(grant)).collect();
    let Account { namespace: of, name } = account;
    format!(
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: {prefix}Role\nmetadata:\n  name: {role}\n{place}rules:\n{rules}---\n\
         apiVersion: rbac.authorization.k8s.io/v1\nkind: {prefix}RoleBinding\nmetadata:\n  name: {role}\n{place}roleRef:\n  \
         apiGroup: rbac.authorization.k8s.io\n  kind: {prefix}Role\n  name: {role}\nsubjects:\n- kind: ServiceAccount\n  \
         name: {name}\n  namespace: {of}\n"
    )
}

fn rule(grant: &Grant<'_>) -> String {
    let names = grant.name.map_or_else(String::new, |name| format!("  resourceNames: [\"{name}\"]\n"));
    let verbs: Vec<String> = grant.verbs.iter().map(|verb| format!("\"{verb}\"")).collect();
    format!(
        "- apiGroups: [\"{}\"]\n  resources: [\"{}\"]\n  verbs: [{}]\n{names}",
        grant.group,
        grant.resource,
        verbs.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACCOUNT: Account<'_> = Account { namespace: "csi", name: "sa" };

    #[test]
    fn a_role_for_each_place() {
        let patch = Grant {
            group: "snapshot.storage.k8s.io",
            resource: "volumesnapshotcontents",
            verbs: &["patch"],
            namespace: None,
            name: None,
        };
        let secret =
            Grant { group: "", resource: "secrets", verbs: &["get"], namespace: Some("vault"), name: Some("key") };
        let text = manifest(Component::CsiSnapshotter, ACCOUNT, &[patch, secret]).unwrap();
        let documents: Vec<&str> = text.split("---\n").collect();
        assert_eq!(documents.len(), 4, "{text}");
        assert!(
            documents[0].contains("kind: ClusterRole\nmetadata:\n  name: csi-snapshotter-rights-csi-sa\nrules:"),
            "{text}"
        );
        assert!(documents[1].contains("kind: ClusterRoleBinding\n"), "{text}");
        assert!(documents[2].contains("  namespace: vault\nrules:\n- apiGroups: [\"\"]"), "{text}");
        assert!(documents[2].ends_with("  resourceNames: [\"key\"]\n"), "{text}");
        assert!(documents[3].ends_with("  name: sa\n  namespace: csi\n"), "{text}");
    }

    #[test]
    fn hostile_names_make_no_manifest() {
        let grant =
            |name| Grant { group: "", resource: "secrets", verbs: &["get"], namespace: Some("a"), name: Some(name) };
        assert!(manifest(Component::CsiSnapshotter, ACCOUNT, &[grant("a")]).is_some());
        assert!(manifest(Component::CsiSnapshotter, ACCOUNT, &[grant("a\"]\nkind: x")]).is_none());
        let account = Account { namespace: "csi", name: "sa: {}" };
        assert!(manifest(Component::CsiSnapshotter, account, &[grant("a")]).is_none());
    }
}
