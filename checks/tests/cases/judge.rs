//! What holds for a case: the check finds what the case expects, and every check keeps its promises on the case's facts. Each
//! function gives what is wrong.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::Value;
use snapready_checks::find;
use snapready_checks::model::check::{Check, How};
use snapready_checks::model::facts::Facts;
use snapready_checks::model::finding::{Finding, Findings, Fix, Status};
use snapready_checks::model::probe::Missing;

use crate::case::Case;
use crate::looking;

/// Where a check's files lie, seen from the crate.
pub(crate) fn folder(check: &Check) -> String {
    format!("{}/{}", check.group.word(), check.slug.replace('-', "_"))
}

pub(crate) fn read(facts: Value) -> Facts {
    serde_json::from_value(facts).unwrap()
}

/// What a check finds; as the program does it, a need that could not be met keeps it from looking.
pub(crate) fn look(check: &Check, facts: &Facts) -> (Vec<Finding>, bool) {
    let missing = check.needs.iter().find_map(|need| facts.missing(*need));
    let How::Looking(run) = check.how else { panic!("{} does not look", check.id) };
    let mut findings = Findings::default();
    match missing {
        Some(Missing::NotServed) => findings.skip("not served"),
        Some(_) => findings.unknown("could not look"),
        None => {
            run(facts, &mut findings);
            return (findings.into_vec(), true);
        }
    }
    (findings.into_vec(), false)
}

/// All that has to hold for a case of a check.
pub(crate) fn case(check: &Check, file: &Path) -> Vec<String> {
    let case = Case::read(file);
    let facts = case.cluster.facts();
    let mut wrong = any_cluster(&read(facts.clone()));
    wrong.extend(text_of_the_cluster_in_commands(check, facts.clone()));
    let (found, _) = look(check, &read(facts));
    let fits = found.len() == case.expect.len()
        && found.iter().zip(&case.expect).all(|(found, expected)| expected.fits(found));
    if !fits {
        wrong.push(format!("found {found:#?}\nexpected {:#?}", case.expect));
    }
    wrong
}

/// What holds for every check, whatever the facts.
pub(crate) fn any_cluster(facts: &Facts) -> Vec<String> {
    looking().flat_map(|check| [undeclared_reads(check, facts), ill_formed_findings(check, facts)].concat()).collect()
}

/// The program shows a check only what it declares, as a check that is selected alone has nothing else. Whoever reads more
/// gives two answers.
fn undeclared_reads(check: &Check, facts: &Facts) -> Vec<String> {
    let (all, _) = look(check, facts);
    let (declared, _) = look(check, &facts.only(&check.sees().collect()));
    if all == declared {
        return Vec::new();
    }
    vec![format!("{} reads what it does not declare: {declared:#?}\ninstead of {all:#?}", check.id)]
}

/// A check says something, once about each target, and gives evidence and a fix with what is wrong.
fn ill_formed_findings(check: &Check, facts: &Facts) -> Vec<String> {
    let (found, _) = look(check, facts);
    let mut wrong = Vec::new();
    if found.is_empty() {
        wrong.push(format!("{} finds nothing", check.id));
    }
    let mut targets = BTreeSet::new();
    for finding in &found {
        let is_wrong = matches!(finding.status, Status::Warn | Status::Fail);
        let fixed = finding.fix.as_ref().is_some_and(|fix| !fix.text.is_empty());
        for (holds, rule) in [
            (targets.insert(&finding.target), "a target twice"),
            (!finding.message.is_empty() && !finding.message.contains('\n'), "no message of one line"),
            (!is_wrong || !finding.evidence.is_empty(), "no evidence"),
            (!is_wrong || fixed, "no fix"),
            (finding.status != Status::Fail || has_command(finding), "no command and no manifest"),
            (
                finding.follows_from.iter().all(|from| from.id != check.id && find(&from.id).is_some()),
                "a root that is no check",
            ),
        ] {
            if !holds {
                wrong.push(format!("{}: {rule}: {finding:#?}", check.id));
            }
        }
    }
    wrong
}

/// Whether there is something to copy: a name from the cluster that is no Kubernetes name stands in no command.
fn has_command(finding: &Finding) -> bool {
    finding.fix.as_ref().is_some_and(|fix| !fix.commands.is_empty() || fix.manifest.is_some())
}

/// The kinds of cases that a check lacks.
pub(crate) fn kinds_that_are_missing(check: &Check, files: &[PathBuf]) -> Vec<String> {
    let mut seen = BTreeSet::new();
    for file in files {
        let (found, looked) = look(check, &read(Case::read(file).cluster.facts()));
        for finding in found {
            seen.insert(match (looked, finding.status) {
                (false, _) => "could not look",
                (true, Status::Pass) => "pass",
                (true, Status::Warn | Status::Fail) => "warn or fail",
                (true, Status::Skip | Status::Unknown) => "skip or unknown",
            });
        }
    }
    let kinds = ["pass", "warn or fail", "could not look"];
    kinds.into_iter().filter(|kind| !seen.contains(kind)).map(|kind| format!("no case: {kind}")).collect()
}

/// What a shell would run, if it stood in a command.
const HOSTILE: &str = ";$(reboot)\u{1b}[2J";

/// The texts that name something, or are somebody's message.
fn texts<'a>(value: &'a mut Value, found: &mut Vec<&'a mut String>) {
    match value {
        Value::Object(fields) => {
            for (field, value) in fields {
                let named = ["name", "namespace", "driver", "provisioner", "image", "holderIdentity", "message"];
                match value {
                    Value::String(text) => found.extend(named.contains(&field.as_str()).then_some(text)),
                    _ => texts(value, found),
                }
            }
        }
        Value::Array(values) => values.iter_mut().for_each(|value| texts(value, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn make_hostile(value: &mut Value) {
    let mut found = Vec::new();
    texts(value, &mut found);
    for text in found {
        text.push_str(HOSTILE);
    }
}

/// The same value, each time with another of its texts made hostile: what belongs together by name then mostly still does.
pub(crate) fn with_one_hostile_text(value: &Value) -> Vec<Value> {
    let hostile = |index: usize| {
        let mut value = value.clone();
        let mut found = Vec::new();
        texts(&mut value, &mut found);
        found.get_mut(index)?.push_str(HOSTILE);
        Some(value)
    };
    (0..).map_while(hostile).collect()
}

/// No text from the cluster gets into a command unless it is a name.
fn text_of_the_cluster_in_commands(check: &Check, mut facts: Value) -> Vec<String> {
    make_hostile(&mut facts);
    look(check, &read(facts)).0.into_iter().filter_map(|finding| finding.fix).flat_map(hostile_commands).collect()
}

/// What a shell would read of hostile text, in a fix.
pub(crate) fn hostile_commands(fix: Fix) -> Vec<String> {
    let texts = fix.commands.iter().map(ToString::to_string).chain(fix.manifest);
    texts.filter(|text| text.contains("reboot")).map(|text| format!("hostile text in a command: {text}")).collect()
}
