//! What a check found: a status with the evidence for it, and what to do about it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::command::Command;

/// The outcome of a check for one target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// It was looked at, and it is right.
    Pass,
    /// It does not apply here; the message says why.
    Skip,
    /// It works, but something about it will bite.
    Warn,
    /// It could not be determined. Never a pass.
    Unknown,
    /// Snapshots or restores fail because of it.
    Fail,
}

impl Status {
    /// All statuses, from harmless to worst.
    pub const ALL: [Self; 5] = [Self::Pass, Self::Skip, Self::Warn, Self::Unknown, Self::Fail];

    /// Whether somebody has to know of it.
    #[must_use]
    pub const fn is_problem(self) -> bool {
        matches!(self, Self::Warn | Self::Unknown | Self::Fail)
    }

    /// The word for it in reports.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Skip => "skip",
            Self::Warn => "warn",
            Self::Unknown => "unknown",
            Self::Fail => "fail",
        }
    }
}

/// One thing that was seen in the cluster and that a finding rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Evidence {
    /// Kind of the object, e.g. `VolumeSnapshotClass`.
    pub kind: String,
    /// Its namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Its name.
    pub name: String,
    /// Path of a field, as in `kubectl -o jsonpath`, or the word for what was seen.
    pub path: String,
    /// What stands there.
    pub value: String,
}

impl Evidence {
    /// Evidence from a cluster-scoped object.
    pub fn cluster(kind: &str, name: &str, path: &str, value: impl Into<String>) -> Self {
        Self {
            kind: kind.to_owned(),
            namespace: None,
            name: name.to_owned(),
            path: path.to_owned(),
            value: value.into(),
        }
    }

    /// Evidence from an object in a namespace.
    pub fn namespaced(kind: &str, namespace: &str, name: &str, path: &str, value: impl Into<String>) -> Self {
        Self { namespace: Some(namespace.to_owned()), ..Self::cluster(kind, name, path, value) }
    }
}

/// What to do about a finding.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Fix {
    /// One sentence.
    pub text: String,
    /// Commands to copy, in order. A name from the cluster stands in them only if it is a valid Kubernetes name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub commands: Vec<Command>,
    /// A manifest to apply, as YAML.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub manifest: Option<String>,
}

impl Fix {
    /// A fix that is one sentence.
    pub fn text(text: impl Into<String>) -> Self {
        Self { text: text.into(), ..Self::default() }
    }

    /// The same with one more command.
    #[must_use]
    pub fn command(mut self, command: Command) -> Self {
        self.commands.push(command);
        self
    }

    /// The same with more commands; with none if there are none.
    #[must_use]
    pub fn commands(mut self, commands: impl IntoIterator<Item = Command>) -> Self {
        self.commands.extend(commands);
        self
    }

    /// The same with a manifest.
    #[must_use]
    pub fn manifest(mut self, manifest: impl Into<String>) -> Self {
        self.manifest = Some(manifest.into());
        self
    }
}

/// The finding that another one follows from: with that fault mended, the other is gone as well.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FollowsFrom {
    /// Its check's id.
    pub id: String,
    /// Its target, if it has one. A finding that names none means any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
}

/// The outcome of a check for one target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// What it is about, when a check looks at several things: a driver, a class. Stable from run to run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// The outcome.
    pub status: Status,
    /// One line: what was found, with the objects' names.
    pub message: String,
    /// What it rests on. A warn or a fail has at least one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<Evidence>,
    /// Why it is so, if that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    /// What to do. A warn or a fail has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fix: Option<Fix>,
    /// What it certainly follows from, if the report holds one of these findings: the first that is at least as bad counts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub follows_from: Vec<FollowsFrom>,
    /// The drivers that it is about, where its target is something else.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub drivers: Vec<String>,
    /// Whether nobody removes the finalizers of these drivers' snapshots as long as it holds: what is created then stays.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub strands: bool,
}

impl Finding {
    /// A finding without evidence.
    pub fn new(status: Status, message: impl Into<String>) -> Self {
        Self {
            target: None,
            status,
            message: message.into(),
            evidence: Vec::new(),
            cause: None,
            fix: None,
            follows_from: Vec::new(),
            drivers: Vec::new(),
            strands: false,
        }
    }

    /// The same, about one of several things.
    #[must_use]
    pub fn target(mut self, target: impl Into<String>) -> Self {
        self.target = Some(target.into());
        self
    }

    /// The same with one more piece of evidence.
    #[must_use]
    pub fn evidence(mut self, evidence: Evidence) -> Self {
        self.evidence.push(evidence);
        self
    }

    /// The same with a cause.
    #[must_use]
    pub fn cause(mut self, cause: impl Into<String>) -> Self {
        self.cause = Some(cause.into());
        self
    }

    /// The same with a fix.
    #[must_use]
    pub fn fix(mut self, fix: Fix) -> Self {
        self.fix = Some(fix);
        self
    }

    /// The same, about these drivers.
    #[must_use]
    pub fn drivers(mut self, drivers: &[String]) -> Self {
        self.drivers = drivers.to_vec();
        self
    }

    /// The same; see [`Finding::strands`].
    #[must_use]
    pub fn strands(mut self) -> Self {
        self.strands = true;
        self
    }

    /// The same, as a consequence of what this check finds about this target, or about any if none is named.
    #[must_use]
    pub fn follows_from(mut self, check: &str, target: Option<&str>) -> Self {
        self.follows_from.push(FollowsFrom { id: check.to_owned(), target: target.map(str::to_owned) });
        self
    }
}

/// Where a check puts what it finds.
#[derive(Debug, Default)]
pub struct Findings(Vec<Finding>);

impl Findings {
    /// Adds a finding.
    pub fn push(&mut self, finding: Finding) {
        self.0.push(finding);
    }

    /// Adds a pass.
    pub fn pass(&mut self, message: impl Into<String>) {
        self.push(Finding::new(Status::Pass, message));
    }

    /// Adds a skip; the message is the reason.
    pub fn skip(&mut self, message: impl Into<String>) {
        self.push(Finding::new(Status::Skip, message));
    }

    /// Adds an unknown; the message says what could not be determined, and why.
    pub fn unknown(&mut self, message: impl Into<String>) {
        self.push(Finding::new(Status::Unknown, message));
    }

    /// What was found, in the order in which it was added.
    #[must_use]
    pub fn into_vec(self) -> Vec<Finding> {
        self.0
    }
}
