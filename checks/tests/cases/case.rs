//! What a case file says: objects in, findings out.

use std::path::Path;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use snapready_checks::model::finding::{Evidence, Finding, Fix, Status};

use crate::cluster::Cluster;

/// A file of `cases/`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Case {
    pub(crate) cluster: Cluster,
    pub(crate) expect: Vec<Expected>,
}

impl Case {
    pub(crate) fn read(file: &Path) -> Self {
        read(file)
    }
}

/// Reads a case of either sort.
pub(crate) fn read<T: DeserializeOwned>(file: &Path) -> T {
    let text = std::fs::read_to_string(file).unwrap();
    serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

/// All of a fix, in lines; empty if there is none.
pub(crate) fn in_lines(fix: Option<&Fix>) -> String {
    fix.map_or_else(String::new, |fix| {
        let commands: Vec<String> = fix.commands.iter().map(ToString::to_string).collect();
        [fix.text.clone(), commands.join("\n"), fix.manifest.clone().unwrap_or_default()].join("\n")
    })
}

fn shown(evidence: &Evidence) -> String {
    let Evidence { kind, namespace, name, path, value } = evidence;
    format!("{kind} {}/{name} {path}: {value}", namespace.as_deref().unwrap_or_default())
}

/// A finding, to be read by people.
pub(crate) fn in_short(found: &Finding) -> String {
    let evidence: Vec<String> = found.evidence.iter().map(|evidence| format!("  {}", shown(evidence))).collect();
    let (target, cause) = (found.target.as_deref().unwrap_or("-"), found.cause.as_deref().unwrap_or("-"));
    let fix = in_lines(found.fix.as_ref());
    format!("{:?} {target}: {}\n{}\n  because: {cause}\n  {fix}", found.status, found.message, evidence.join("\n"))
}

/// A finding; words are parts of the text, in any case.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Expected {
    status: Status,
    target: Option<String>,
    #[serde(default)]
    message: Vec<String>,
    /// Parts of what the evidence shows, `Kind namespace/name path: value` in lines.
    #[serde(default)]
    evidence: Vec<String>,
    #[serde(default)]
    cause: Vec<String>,
    #[serde(default)]
    fix: Vec<String>,
    /// The check whose finding it follows from, if the report holds that.
    follows_from: Option<String>,
    /// All that it follows from, in order: a check, or a check and its target.
    roots: Option<Vec<String>>,
    /// The drivers that it is about, besides its target.
    drivers: Option<Vec<String>>,
    /// How many pieces of evidence there are.
    shown: Option<usize>,
    /// Whether a round trip would leave its objects as long as it holds.
    strands: Option<bool>,
    /// What must not stand in message, cause and fix.
    #[serde(default)]
    without: Vec<String>,
}

impl Expected {
    /// Whether a finding says what is expected.
    pub(crate) fn fits(&self, found: &Finding) -> bool {
        let has =
            |text: &str, words: &[String]| words.iter().all(|word| text.to_lowercase().contains(&word.to_lowercase()));
        let fix = in_lines(found.fix.as_ref());
        let evidence: Vec<String> = found.evidence.iter().map(shown).collect();
        let said = [found.message.as_str(), found.cause.as_deref().unwrap_or_default(), &fix].join("\n");
        let roots = found.follows_from.iter().map(|from| match &from.target {
            Some(target) => format!("{} {target}", from.id),
            None => from.id.clone(),
        });
        found.status == self.status
            && found.target == self.target
            && has(&found.message, &self.message)
            && has(&evidence.join("\n"), &self.evidence)
            && has(found.cause.as_deref().unwrap_or_default(), &self.cause)
            && has(&fix, &self.fix)
            && self.strands.is_none_or(|strands| strands == found.strands)
            && self.follows_from.as_ref().is_none_or(|id| found.follows_from.iter().any(|from| from.id == *id))
            && self.roots.as_ref().is_none_or(|wanted| roots.eq(wanted.iter().cloned()))
            && self.drivers.as_ref().is_none_or(|drivers| *drivers == found.drivers)
            && self.shown.is_none_or(|shown| shown == found.evidence.len())
            && !self.without.iter().any(|word| said.contains(word.as_str()))
    }
}
