//! What a check found, as every report has it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::check::{Check, Group, Severity};
use crate::model::finding::{Evidence, Finding, Fix, FollowsFrom, Status};

/// The result of a check for one target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CheckResult {
    /// The check's id.
    pub id: String,
    /// The check's name in words.
    pub slug: String,
    /// The check's group.
    pub group: Group,
    /// What holds when it passes.
    pub title: String,
    /// What it is about, when the check looks at several things.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// The outcome.
    pub status: Status,
    /// The worst that the check's finding means.
    pub severity: Severity,
    /// One line: what was found.
    pub message: String,
    /// What it rests on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<Evidence>,
    /// Why it is so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    /// What to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fix: Option<Fix>,
    /// The result of the same report that it follows from: with that fault mended, this one is gone as well. It is known
    /// when all results are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub follows_from: Option<FollowsFrom>,
    /// What it follows from, if the report holds it.
    #[serde(skip)]
    pub may_follow_from: Vec<FollowsFrom>,
}

impl CheckResult {
    /// What a check found.
    #[must_use]
    pub fn of(check: &Check, finding: Finding) -> Self {
        Self {
            id: check.id.to_owned(),
            slug: check.slug.to_owned(),
            group: check.group,
            title: check.title.to_owned(),
            target: finding.target,
            status: finding.status,
            severity: check.severity,
            message: finding.message,
            evidence: finding.evidence,
            cause: finding.cause,
            fix: finding.fix,
            follows_from: None,
            may_follow_from: finding.follows_from,
        }
    }
}
