//! Objects of RBAC, cut down to what may concern the `ServiceAccounts` of the snapshot-controller and of sidecars: a cluster has
//! hundreds of rules about other things.

use serde::{Deserialize, Serialize};

use crate::model::interest::Interest;
use crate::model::kubernetes::Metadata;
use crate::model::listed::Listed;
use crate::model::object::{GROUP_SNAPSHOT_GROUP, Kind, SNAPSHOT_GROUP};

/// The API groups and resources that rules are kept about; subresources go with them.
pub const RESOURCES: [(&str, &[&str]); 5] = [
    ("", &["persistentvolumes", "persistentvolumeclaims", "events", "nodes", "secrets"]),
    ("storage.k8s.io", &["storageclasses", "csinodes"]),
    ("coordination.k8s.io", &["leases"]),
    (SNAPSHOT_GROUP, &["volumesnapshots", "volumesnapshotcontents", "volumesnapshotclasses"]),
    (GROUP_SNAPSHOT_GROUP, &["volumegroupsnapshots", "volumegroupsnapshotcontents", "volumegroupsnapshotclasses"]),
];

/// What the name of a `ServiceAccount` as a user begins with; its namespace and its own name follow.
pub const ACCOUNT_PREFIX: &str = "system:serviceaccount:";
/// What the names of groups of `ServiceAccounts` begin with: of all, or of those of a namespace.
pub const ACCOUNTS_GROUP: &str = "system:serviceaccounts";
/// The group of everybody who is logged in.
pub const AUTHENTICATED_GROUP: &str = "system:authenticated";

/// A `ClusterRole` or a Role.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Role {
    /// `ClusterRole` or `Role`; lists do not say it.
    pub kind: String,
    /// Metadata.
    pub metadata: Metadata,
    /// What it allows. Those of an aggregated `ClusterRole` are filled in by a controller.
    pub rules: Vec<PolicyRule>,
}

/// A rule of a role.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PolicyRule {
    /// What may be done; `*` is everything.
    pub verbs: Vec<String>,
    /// In which API groups; `*` is every one.
    pub api_groups: Vec<String>,
    /// With which resources: `pods`, `pods/status`; `*` is every one, `*/status` the status of every one.
    pub resources: Vec<String>,
    /// With which objects; none means with all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub resource_names: Vec<String>,
}

/// A `ClusterRoleBinding` or a `RoleBinding`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RoleBinding {
    /// `ClusterRoleBinding` or `RoleBinding`; lists do not say it.
    pub kind: String,
    /// Metadata.
    pub metadata: Metadata,
    /// The role that is granted.
    pub role_ref: RoleRef,
    /// To whom.
    pub subjects: Vec<Subject>,
}

/// A reference to a role. That of a Role means the binding's namespace.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct RoleRef {
    /// `ClusterRole` or `Role`.
    pub kind: String,
    /// Name.
    pub name: String,
}

/// Somebody who is granted a role.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Subject {
    /// `ServiceAccount`, `Group` or `User`.
    pub kind: String,
    /// Name.
    pub name: String,
    /// Namespace of a `ServiceAccount`; without it, the binding's own counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
}

impl Subject {
    /// Whether it may be a `ServiceAccount`.
    fn may_be_an_account(&self) -> bool {
        match self.kind.as_str() {
            "ServiceAccount" => true,
            "Group" => self.name.starts_with(ACCOUNTS_GROUP) || self.name == AUTHENTICATED_GROUP,
            "User" => self.name.starts_with(ACCOUNT_PREFIX),
            _ => false,
        }
    }
}

impl PolicyRule {
    /// Whether it is about any of [`RESOURCES`]; what else it is about is dropped.
    fn matters(&mut self) -> bool {
        let groups = &self.api_groups;
        let known = RESOURCES.iter().filter(|(group, _)| groups.iter().any(|one| one == "*" || one == group));
        let known: Vec<&str> = known.flat_map(|(_, resources)| resources.iter().copied()).collect();
        self.resources.retain(|resource| {
            let main = resource.split('/').next().unwrap_or_default();
            main == "*" || known.contains(&main)
        });
        !known.is_empty() && !self.resources.is_empty()
    }
}

/// Nothing else of their metadata is read.
fn only_the_name(metadata: &mut Metadata) {
    let (name, namespace) = (std::mem::take(&mut metadata.name), metadata.namespace.take());
    *metadata = Metadata { name, namespace, ..Metadata::default() };
}

impl Listed for Role {
    fn metadata_mut(&mut self) -> &mut Metadata {
        &mut self.metadata
    }

    fn set_kind(&mut self, kind: &Kind) {
        kind.name.clone_into(&mut self.kind);
    }

    fn is_kept(&mut self, _interests: &[Interest]) -> bool {
        only_the_name(&mut self.metadata);
        self.rules.retain_mut(PolicyRule::matters);
        !self.rules.is_empty()
    }
}

impl Listed for RoleBinding {
    fn metadata_mut(&mut self) -> &mut Metadata {
        &mut self.metadata
    }

    fn set_kind(&mut self, kind: &Kind) {
        kind.name.clone_into(&mut self.kind);
    }

    fn is_kept(&mut self, _interests: &[Interest]) -> bool {
        only_the_name(&mut self.metadata);
        self.subjects.retain(Subject::may_be_an_account);
        !self.subjects.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read<T: Listed>(value: Value) -> T {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn of_roles_only_rules_that_matter_stay() {
        let about =
            |group: &str, resources: Value| json!({"apiGroups": [group], "resources": resources, "verbs": ["*"]});
        for (rules, kept) in [
            (json!([about("", json!(["pods", "nodes"]))]), Some(vec!["nodes"])),
            (json!([about("*", json!(["*"]))]), Some(vec!["*"])),
            (
                json!([about(SNAPSHOT_GROUP, json!(["volumesnapshotcontents/status", "*/status"]))]),
                Some(vec!["volumesnapshotcontents/status", "*/status"]),
            ),
            (json!([about("apps", json!(["*"]))]), None),
            (json!([about("storage.k8s.io", json!(["nodes"]))]), None),
            (json!([{"nonResourceURLs": ["/metrics"], "verbs": ["get"]}]), None),
            (json!([]), None),
        ] {
            let mut role: Role = read(json!({"metadata": {"name": "a", "labels": {"b": "c"}}, "rules": rules.clone()}));
            let resources = role.keep(&[]).then(|| role.rules[0].resources.iter().map(String::as_str).collect());
            assert_eq!(resources, kept, "{rules}");
            assert!(role.metadata.labels.is_empty());
        }
    }

    #[test]
    fn of_bindings_only_those_that_may_be_about_accounts_stay() {
        for (kind, name, kept) in [
            ("ServiceAccount", "a", true),
            ("Group", "system:serviceaccounts", true),
            ("Group", "system:serviceaccounts:kube-system", true),
            ("Group", "system:authenticated", true),
            ("User", "system:serviceaccount:a:b", true),
            ("Group", "system:masters", false),
            ("User", "alice", false),
        ] {
            let mut binding: RoleBinding =
                read(json!({"metadata": {"name": "a"}, "subjects": [{"kind": kind, "name": name}]}));
            assert_eq!(binding.keep(&[]), kept, "{kind} {name}");
        }
    }
}
