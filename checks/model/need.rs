//! What is known of a need: the rights that it takes, its name for people, and what its absence means.

use serde::{Deserialize, Serialize};

pub use crate::model::needs::Need;
use crate::model::object::Kind;

/// An RBAC rule: the right to do some things with one resource.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Rule {
    /// API group; empty for the core group.
    pub group: String,
    /// Resource in the plural, as in RBAC.
    pub resource: String,
    /// Verbs, in lower case.
    pub verbs: Vec<String>,
    /// Object names, if the right can be limited to them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<String>,
}

impl Rule {
    /// A rule for all objects of a resource.
    #[must_use]
    pub fn new(group: &str, resource: &str, verbs: &[&str]) -> Self {
        Self {
            group: group.to_owned(),
            resource: resource.to_owned(),
            verbs: verbs.iter().map(|verb| (*verb).to_owned()).collect(),
            names: Vec::new(),
        }
    }

    /// The resource with its group, as kubectl writes it: `volumesnapshots.snapshot.storage.k8s.io`, `pods`.
    #[must_use]
    pub fn qualified_resource(&self) -> String {
        if self.group.is_empty() { self.resource.clone() } else { format!("{}.{}", self.resource, self.group) }
    }
}

impl std::fmt::Display for Rule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.verbs.join(","), self.qualified_resource())
    }
}

/// How a need is met, and with which rights.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// By listing the objects of these kinds in all namespaces.
    Listed(&'static [Kind]),
    /// By reading objects of a kind by name, as the right to read these is less than the right to list all.
    Named(Kind, &'static [&'static str]),
    /// By reading objects that others name, with a verb for each kind. Which ones these are is known only when the others are read,
    /// and where the right is missing only what would have been read is unknown.
    Followed(&'static [(Kind, &'static str)]),
    /// By listing objects of the backup products that are asked about; which kinds these are, their folders say.
    OfProducts,
    /// By what the API server tells everybody who is logged in: discovery and access reviews.
    Open,
}

/// What it means that the API server does not serve what is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotServed {
    /// Nothing is known. Every Kubernetes that snapready knows serves it, so its absence says nothing about the cluster.
    Unknown,
    /// Snapshot objects cannot be wrong in a cluster that has no snapshot API: a check of theirs does not apply, **if** another
    /// check of the same run looks at the API and says what is wrong. Alone it would turn "no snapshots here at all" into
    /// silence, so then the result is unknown.
    NoSnapshotApi,
}

/// What is known of a need: a row of the table in `needs.rs`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// What it is about, for people; in the plural, and starting a clause.
    pub noun: &'static str,
    /// How it is met.
    pub access: Access,
    /// What it means that the API server does not serve it.
    pub not_served: NotServed,
}

impl Row {
    pub(super) const fn listed(noun: &'static str, kinds: &'static [Kind]) -> Self {
        Self { noun, access: Access::Listed(kinds), not_served: NotServed::Unknown }
    }

    pub(super) const fn named(noun: &'static str, kind: Kind, names: &'static [&'static str]) -> Self {
        Self { noun, access: Access::Named(kind, names), not_served: NotServed::Unknown }
    }

    pub(super) const fn followed(noun: &'static str, kinds: &'static [(Kind, &'static str)]) -> Self {
        Self { noun, access: Access::Followed(kinds), not_served: NotServed::Unknown }
    }

    pub(super) const fn open(noun: &'static str) -> Self {
        Self { noun, access: Access::Open, not_served: NotServed::Unknown }
    }

    pub(super) const fn of_products(noun: &'static str) -> Self {
        Self { noun, access: Access::OfProducts, not_served: NotServed::Unknown }
    }

    pub(super) const fn of_the_snapshot_api(self) -> Self {
        Self { not_served: NotServed::NoSnapshotApi, ..self }
    }

    /// The rights that meeting it takes.
    #[must_use]
    pub fn rules(&self) -> Vec<Rule> {
        match self.access {
            Access::Listed(kinds) => kinds.iter().map(|kind| Rule::new(kind.group, kind.plural, &["list"])).collect(),
            Access::Named(kind, names) => vec![Rule {
                names: names.iter().map(|name| (*name).to_owned()).collect(),
                ..Rule::new(kind.group, kind.plural, &["get"])
            }],
            Access::Followed(kinds) => {
                kinds.iter().map(|(kind, verb)| Rule::new(kind.group, kind.plural, &[verb])).collect()
            }
            Access::OfProducts | Access::Open => Vec::new(),
        }
    }
}

/// The CRDs of upstream's two snapshot API groups.
pub const CRD_NAMES: [&str; 6] = [
    "volumesnapshotclasses.snapshot.storage.k8s.io",
    "volumesnapshotcontents.snapshot.storage.k8s.io",
    "volumesnapshots.snapshot.storage.k8s.io",
    "volumegroupsnapshotclasses.groupsnapshot.storage.k8s.io",
    "volumegroupsnapshotcontents.groupsnapshot.storage.k8s.io",
    "volumegroupsnapshots.groupsnapshot.storage.k8s.io",
];
