//! The result of a rule while it is put together.

use crate::model::check::Check;
use crate::model::command::Command;
use crate::model::finding::{Evidence, Finding, Fix, Status};
use crate::model::result::CheckResult;
use crate::moment::{Advice, Subject};

/// At most so many characters of a cluster's text stand in a message.
const MESSAGE: usize = 400;
/// At most so many in evidence.
const VALUE: usize = 1500;

/// What a check of the round trip found, and what may be tried about it.
#[derive(Debug, Clone)]
pub struct Explanation {
    check: &'static Check,
    finding: Finding,
    advice: Vec<Advice>,
}

impl Explanation {
    pub(crate) fn new(check: &'static Check, status: Status, message: &str) -> Self {
        Self { check, finding: Finding::new(status, line(message, MESSAGE)), advice: Vec::new() }
    }

    pub(crate) fn fail(check: &'static Check, message: &str) -> Self {
        Self::new(check, Status::Fail, message)
    }

    /// The same, where nothing follows from it for snapshots.
    pub(crate) fn unknown(mut self) -> Self {
        self.finding.status = Status::Unknown;
        self
    }

    /// The same, about a round trip.
    #[must_use]
    pub fn about(mut self, subject: &Subject) -> Self {
        self.finding.target = Some(line(&subject.label, MESSAGE));
        self
    }

    pub(crate) fn cause(mut self, cause: impl Into<String>) -> Self {
        self.finding.cause = Some(line(&cause.into(), VALUE));
        self
    }

    pub(crate) fn fix(mut self, fix: Fix) -> Self {
        self.finding.fix = Some(fix);
        self
    }

    /// The same, as a consequence of what a static check finds; see [`Finding::follows_from`].
    pub(crate) fn follows_from(mut self, check: &str, target: Option<&str>) -> Self {
        self.finding = self.finding.follows_from(check, target);
        self
    }

    pub(crate) fn advise(mut self, advice: Advice) -> Self {
        self.advice.push(advice);
        self
    }

    pub(crate) fn evidence(mut self, evidence: impl IntoIterator<Item = Evidence>) -> Self {
        for mut evidence in evidence {
            evidence.value = line(&evidence.value, VALUE);
            for text in [&mut evidence.kind, &mut evidence.name, &mut evidence.path] {
                *text = line(text, MESSAGE);
            }
            evidence.namespace = evidence.namespace.map(|namespace| line(&namespace, MESSAGE));
            self.finding.evidence.push(evidence);
        }
        self
    }

    /// The same with evidence, cause and fix of what a static check found: where it names no cause, it is the cause.
    pub(crate) fn with_finding(mut self, finding: Finding) -> Self {
        self = self.evidence(finding.evidence).cause(finding.cause.unwrap_or(finding.message));
        match finding.fix {
            Some(fix) => self.fix(fix),
            None => self,
        }
    }

    /// What was found.
    #[must_use]
    pub const fn finding(&self) -> &Finding {
        &self.finding
    }

    /// The result, with its advice in the words of whoever asked; `None` for what cannot be tried there.
    #[must_use]
    pub fn result(mut self, word: impl Fn(&Advice) -> Option<Command>) -> CheckResult {
        let commands: Vec<Command> = self.advice.iter().filter_map(word).collect();
        if let Some(fix) = &mut self.finding.fix {
            fix.commands.extend(commands);
        }
        CheckResult::of(self.check, self.finding)
    }
}

/// A cluster's text as one line of printable characters, cut at `limit` characters.
#[must_use]
pub fn line(text: &str, limit: usize) -> String {
    let mut shown = String::new();
    let mut space = false;
    for c in text.trim().chars().take(limit) {
        // Controls, and marks that change the direction of the text after them.
        let hidden = matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        let blank = c.is_whitespace() || c.is_control() || hidden;
        if !blank {
            shown.push(c);
        } else if !space {
            shown.push(' ');
        }
        space = blank;
    }
    if text.trim().chars().nth(limit).is_some() {
        shown.push('…');
    }
    shown
}
