//! How RBAC decides (kubernetes/kubernetes, `plugin/pkg/auth/authorizer/rbac/rbac.go`, `pkg/apis/rbac/v1/evaluation_helpers.go`): what
//! no rule of a bound role allows is not allowed, and no rule denies.

use std::collections::HashMap;

use crate::model::facts::{AccountReview, Facts};
use crate::model::rbac::{ACCOUNT_PREFIX, ACCOUNTS_GROUP, AUTHENTICATED_GROUP, PolicyRule, Role, RoleBinding, Subject};

/// A `ServiceAccount`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Account<'a> {
    /// Its namespace.
    pub namespace: &'a str,
    /// Its name.
    pub name: &'a str,
}

impl Account<'_> {
    /// Its name as a user: `system:serviceaccount:kube-system:snapshot-controller`.
    #[must_use]
    pub fn user(&self) -> String {
        format!("{ACCOUNT_PREFIX}{}:{}", self.namespace, self.name)
    }
}

/// Which objects a request is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Objects<'a> {
    /// All, as in a list, or one that has no name yet.
    All,
    /// One of this name.
    Named(&'a str),
    /// One whose name is not known: a rule for some names may be about it.
    Some,
}

/// What somebody wants to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Request<'a> {
    /// The verb.
    pub verb: &'a str,
    /// API group.
    pub group: &'a str,
    /// Resource, with its subresource: `volumesnapshots/status`.
    pub resource: &'a str,
    /// In which namespace; `None` for all of them and for cluster-scoped resources.
    pub namespace: Option<&'a str>,
    /// With which objects.
    pub objects: Objects<'a>,
}

/// The roles and bindings of a cluster.
#[derive(Debug)]
pub struct Rbac<'a> {
    /// By kind, namespace and name.
    roles: HashMap<(&'a str, Option<&'a str>, &'a str), &'a Role>,
    bindings: &'a [RoleBinding],
    /// What was asked about, where RBAC does not grant it.
    reviews: &'a [AccountReview],
}

impl<'a> Rbac<'a> {
    /// Those that were seen; `None` unless all of them were.
    #[must_use]
    pub fn of(facts: &'a Facts) -> Option<Self> {
        let (roles, bindings) = (facts.roles.seen()?, facts.role_bindings.seen()?);
        let key =
            |role: &'a Role| (role.kind.as_str(), role.metadata.namespace.as_deref(), role.metadata.name.as_str());
        let reviews = facts.account_reviews.seen().map_or(&[][..], Vec::as_slice);
        Some(Self { reviews, roles: roles.iter().map(|role| (key(role), role)).collect(), bindings })
    }

    /// Whether an account may do something: by RBAC, or as all authorizers have answered.
    #[must_use]
    pub fn allows(&self, account: Account<'_>, request: Request<'_>) -> bool {
        let by_rbac = self.bindings.iter().any(|binding| {
            reaches(binding, request.namespace) && is_bound(binding, account) && self.grants(binding, request)
        });
        by_rbac || self.answer(account, request) == Some(true)
    }

    /// What all authorizers together have answered; `None` if they were not asked.
    #[must_use]
    pub fn answer(&self, account: Account<'_>, request: Request<'_>) -> Option<bool> {
        let is_it = |review: &&AccountReview| {
            let question = &review.question;
            let names = match request.objects {
                Objects::Named(name) => question.rule.names == [name],
                Objects::All | Objects::Some => question.rule.names.is_empty(),
            };
            names
                && (question.account_namespace.as_str(), question.account_name.as_str())
                    == (account.namespace, account.name)
                && question.rule.group == request.group
                && question.rule.resource == request.resource
                && question.rule.verbs == [request.verb]
                && question.namespace.as_deref() == request.namespace
        };
        self.reviews.iter().find(is_it).map(|review| review.allowed)
    }

    /// Whether anything was allowed to an account that RBAC does not grant.
    #[must_use]
    pub fn is_helped(&self, account: Account<'_>) -> bool {
        self.reviews.iter().any(|review| {
            let AccountReview { question, allowed } = review;
            *allowed
                && (question.account_namespace.as_str(), question.account_name.as_str())
                    == (account.namespace, account.name)
        })
    }

    /// The bindings that name an account, wherever; not those of its groups.
    pub fn bindings_of(&self, account: Account<'_>) -> impl Iterator<Item = &'a RoleBinding> {
        self.bindings.iter().filter(move |binding| {
            let mut subjects = binding.subjects.iter().filter(|subject| subject.kind != "Group");
            subjects.any(|subject| is_subject(subject, binding, account))
        })
    }

    /// The bindings that were probably meant to allow what they do not: to an account of the same name in another namespace, or to
    /// this account in another namespace.
    pub fn near_misses(&self, account: Account<'_>, request: Request<'_>) -> impl Iterator<Item = &'a RoleBinding> {
        self.bindings.iter().filter(move |binding| {
            let namesake = binding.subjects.iter().any(|subject| is_namesake(subject, binding, account));
            let elsewhere = !reaches(binding, request.namespace) && is_bound(binding, account);
            (namesake || elsewhere) && self.grants(binding, request)
        })
    }

    /// Whether the role of a binding allows a request.
    fn grants(&self, binding: &RoleBinding, request: Request<'_>) -> bool {
        let namespace = binding.metadata.namespace.as_deref().filter(|_| binding.role_ref.kind == "Role");
        let role = self.roles.get(&(binding.role_ref.kind.as_str(), namespace, binding.role_ref.name.as_str()));
        role.is_some_and(|role| role.rules.iter().any(|rule| permits(rule, request)))
    }
}

/// Whether a binding counts in a namespace; for all namespaces only one of the cluster does.
fn reaches(binding: &RoleBinding, namespace: Option<&str>) -> bool {
    binding.kind == "ClusterRoleBinding" || (namespace.is_some() && binding.metadata.namespace.as_deref() == namespace)
}

fn is_bound(binding: &RoleBinding, account: Account<'_>) -> bool {
    binding.subjects.iter().any(|subject| is_subject(subject, binding, account))
}

fn is_subject(subject: &Subject, binding: &RoleBinding, account: Account<'_>) -> bool {
    match subject.kind.as_str() {
        "ServiceAccount" => subject.name == account.name && namespace_of(subject, binding) == Some(account.namespace),
        "User" => subject.name == account.user(),
        "Group" => {
            let of_its_namespace = subject.name.strip_prefix(ACCOUNTS_GROUP).and_then(|rest| rest.strip_prefix(':'));
            subject.name == ACCOUNTS_GROUP
                || subject.name == AUTHENTICATED_GROUP
                || of_its_namespace == Some(account.namespace)
        }
        _ => false,
    }
}

/// Without a namespace, a subject of a `RoleBinding` lies in the binding's own; one of a `ClusterRoleBinding` is nobody.
fn namespace_of<'a>(subject: &'a Subject, binding: &'a RoleBinding) -> Option<&'a str> {
    let own = subject.namespace.as_deref().filter(|namespace| !namespace.is_empty());
    own.or(binding.metadata.namespace.as_deref())
}

fn is_namesake(subject: &Subject, binding: &RoleBinding, account: Account<'_>) -> bool {
    subject.kind == "ServiceAccount"
        && subject.name == account.name
        && namespace_of(subject, binding) != Some(account.namespace)
}

fn permits(rule: &PolicyRule, request: Request<'_>) -> bool {
    let has = |list: &[String], wanted: &str| list.iter().any(|one| one == "*" || one == wanted);
    let subresource = request.resource.split_once('/').map(|(_, subresource)| subresource);
    let of_every = |resource: &String| subresource.is_some() && resource.strip_prefix("*/") == subresource;
    let named = rule.resource_names.is_empty()
        || match request.objects {
            Objects::All => false,
            Objects::Named(name) => rule.resource_names.iter().any(|one| one == name),
            Objects::Some => true,
        };
    named
        && has(&rule.verbs, request.verb)
        && has(&rule.api_groups, request.group)
        && (has(&rule.resources, request.resource) || rule.resources.iter().any(of_every))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::model::probe::Probe;

    const ACCOUNT: Account<'_> = Account { namespace: "csi", name: "sa" };
    const GROUP: &str = "snapshot.storage.k8s.io";

    fn rule(verbs: &[&str], groups: &[&str], resources: &[&str], names: &[&str]) -> Value {
        json!({"verbs": verbs, "apiGroups": groups, "resources": resources, "resourceNames": names})
    }

    fn facts(roles: Value, bindings: Value) -> Facts {
        Facts {
            roles: Probe::from(serde_json::from_value::<Vec<Role>>(roles).unwrap()),
            role_bindings: Probe::from(serde_json::from_value::<Vec<RoleBinding>>(bindings).unwrap()),
            ..Facts::default()
        }
    }

    fn request<'a>(verb: &'a str, resource: &'a str) -> Request<'a> {
        Request { verb, group: GROUP, resource, namespace: None, objects: Objects::All }
    }

    #[test]
    fn rules_permit_by_verb_group_resource_and_name() {
        let patch = request("patch", "volumesnapshotcontents/status");
        let named = |objects| Request { objects, ..request("get", "volumesnapshots") };
        for (rule, request, allowed) in [
            (rule(&["patch"], &[GROUP], &["volumesnapshotcontents/status"], &[]), patch, true),
            (rule(&["*"], &["*"], &["*"], &[]), patch, true),
            (rule(&["patch"], &[GROUP], &["*/status"], &[]), patch, true),
            (rule(&["patch"], &[GROUP], &["*/scale"], &[]), patch, false),
            (rule(&["patch"], &[GROUP], &["volumesnapshotcontents"], &[]), patch, false),
            // Not a pattern.
            (rule(&["patch"], &[GROUP], &["volumesnapshotcontents/*"], &[]), patch, false),
            (rule(&["update"], &[GROUP], &["*"], &[]), patch, false),
            (rule(&["patch"], &[""], &["*"], &[]), patch, false),
            (rule(&["*"], &[GROUP], &["*/status"], &[]), request("list", "volumesnapshots"), false),
            (rule(&["get"], &[GROUP], &["volumesnapshots"], &["a"]), named(Objects::All), false),
            (rule(&["get"], &[GROUP], &["volumesnapshots"], &["a"]), named(Objects::Named("a")), true),
            (rule(&["get"], &[GROUP], &["volumesnapshots"], &["a"]), named(Objects::Named("b")), false),
            (rule(&["get"], &[GROUP], &["volumesnapshots"], &["a"]), named(Objects::Some), true),
        ] {
            let facts = facts(
                json!([{"kind": "ClusterRole", "metadata": {"name": "r"}, "rules": [rule]}]),
                json!([{"kind": "ClusterRoleBinding", "metadata": {"name": "b"},
                    "roleRef": {"kind": "ClusterRole", "name": "r"},
                    "subjects": [{"kind": "ServiceAccount", "name": "sa", "namespace": "csi"}]}]),
            );
            assert_eq!(Rbac::of(&facts).unwrap().allows(ACCOUNT, request), allowed, "{rule} {request:?}");
        }
    }

    #[test]
    fn bindings_reach_by_scope_subject_and_role() {
        let roles = || {
            json!([
                {"kind": "ClusterRole", "metadata": {"name": "r"}, "rules": [rule(&["get"], &[GROUP], &["*"], &[])]},
                {"kind": "Role", "metadata": {"name": "r", "namespace": "csi"},
                    "rules": [rule(&["get"], &[GROUP], &["*"], &[])]},
                {"kind": "Role", "metadata": {"name": "elsewhere", "namespace": "a"},
                    "rules": [rule(&["get"], &[GROUP], &["*"], &[])]},
            ])
        };
        let account = json!({"kind": "ServiceAccount", "name": "sa", "namespace": "csi"});
        let group = |name: &str| json!({"kind": "Group", "name": name});
        // Namespace of the binding, or none; kind and name of the role; subject; whether it counts for all namespaces, in "csi".
        for (namespace, kind, role, subject, everywhere, there) in [
            (None, "ClusterRole", "r", account.clone(), true, true),
            (Some("csi"), "ClusterRole", "r", account.clone(), false, true),
            (Some("csi"), "Role", "r", account.clone(), false, true),
            (Some("a"), "Role", "elsewhere", account.clone(), false, false),
            // Its role lies in another namespace than the binding.
            (Some("csi"), "Role", "elsewhere", account.clone(), false, false),
            (None, "ClusterRole", "gone", account.clone(), false, false),
            (None, "ClusterRole", "r", group("system:serviceaccounts"), true, true),
            (None, "ClusterRole", "r", group("system:serviceaccounts:csi"), true, true),
            (None, "ClusterRole", "r", group("system:serviceaccounts:a"), false, false),
            (None, "ClusterRole", "r", group("system:authenticated"), true, true),
            (None, "ClusterRole", "r", json!({"kind": "User", "name": "system:serviceaccount:csi:sa"}), true, true),
            (None, "ClusterRole", "r", json!({"kind": "User", "name": "sa"}), false, false),
            (None, "ClusterRole", "r", json!({"kind": "ServiceAccount", "name": "sa", "namespace": "a"}), false, false),
            // Without a namespace: nobody in a ClusterRoleBinding, its own namespace in a RoleBinding.
            (None, "ClusterRole", "r", json!({"kind": "ServiceAccount", "name": "sa"}), false, false),
            (Some("csi"), "Role", "r", json!({"kind": "ServiceAccount", "name": "sa"}), false, true),
        ] {
            let binding_kind = if namespace.is_some() { "RoleBinding" } else { "ClusterRoleBinding" };
            let binding = json!({"kind": binding_kind, "metadata": {"name": "b", "namespace": namespace},
                "roleRef": {"kind": kind, "name": role}, "subjects": [subject]});
            let facts = facts(roles(), json!([binding]));
            let rbac = Rbac::of(&facts).unwrap();
            let wanted = request("get", "volumesnapshots");
            assert_eq!(rbac.allows(ACCOUNT, wanted), everywhere, "everywhere: {binding}");
            let wanted = Request { namespace: Some("csi"), ..wanted };
            assert_eq!(rbac.allows(ACCOUNT, wanted), there, "there: {binding}");
        }
    }

    #[test]
    fn bindings_that_miss_the_account_are_named() {
        let roles = json!([{"kind": "ClusterRole", "metadata": {"name": "r"},
            "rules": [rule(&["get"], &[GROUP], &["*"], &[])]}]);
        let binding = |kind: &str, namespace: Value, subject: Value| {
            json!({"kind": kind, "metadata": {"name": "b", "namespace": namespace},
                "roleRef": {"kind": "ClusterRole", "name": "r"}, "subjects": [subject]})
        };
        for (binding, missed) in [
            (
                binding(
                    "ClusterRoleBinding",
                    json!(null),
                    json!({"kind": "ServiceAccount", "name": "sa", "namespace": "a"}),
                ),
                true,
            ),
            (
                binding("RoleBinding", json!("a"), json!({"kind": "ServiceAccount", "name": "sa", "namespace": "csi"})),
                true,
            ),
            (
                binding(
                    "ClusterRoleBinding",
                    json!(null),
                    json!({"kind": "ServiceAccount", "name": "other", "namespace": "a"}),
                ),
                false,
            ),
        ] {
            let facts = facts(roles.clone(), json!([binding]));
            let rbac = Rbac::of(&facts).unwrap();
            let found = rbac.near_misses(ACCOUNT, request("get", "volumesnapshots")).count();
            assert_eq!(found == 1, missed, "{binding}");
        }
    }

    #[test]
    fn without_all_roles_and_bindings_nothing_is_said() {
        let seen = facts(json!([]), json!([]));
        assert!(Rbac::of(&seen).is_some());
        assert!(Rbac::of(&Facts { roles: Probe::NotCollected, ..seen.clone() }).is_none());
        assert!(Rbac::of(&Facts { role_bindings: Probe::NotServed, ..seen }).is_none());
    }
}
