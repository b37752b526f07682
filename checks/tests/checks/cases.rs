//! Runs the cases of all checks: objects in, findings out.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;
use snapready_checks::catalogue;
use snapready_checks::model::check::{Check, How};
use snapready_checks::model::facts::Facts;
use snapready_checks::model::finding::{Finding, Findings, Status};
use snapready_checks::model::probe::Missing;

use crate::objects::{Cluster, read};

/// A file of `cases/`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    cluster: Cluster,
    expect: Vec<Expected>,
}

/// A finding; words are parts of the text, in any case.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    status: Status,
    target: Option<String>,
    #[serde(default)]
    message: Vec<String>,
    #[serde(default)]
    cause: Vec<String>,
    #[serde(default)]
    fix: Vec<String>,
    /// What must not stand in the fix.
    #[serde(default)]
    without: Vec<String>,
}

fn folder(check: &Check) -> PathBuf {
    let slug = check.slug.replace('-', "_");
    Path::new(env!("CARGO_MANIFEST_DIR")).join(check.group.word()).join(slug)
}

fn files(check: &Check) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder(check).join("cases")) else {
        return Vec::new();
    };
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

fn case(file: &Path) -> Case {
    let text = std::fs::read_to_string(file).unwrap();
    serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

/// What a check finds; as the program does it, a need that could not be met keeps it from looking.
fn look(check: &Check, facts: &Facts) -> (Vec<Finding>, bool) {
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

fn looking() -> impl Iterator<Item = &'static Check> {
    catalogue().into_iter().filter(|check| matches!(check.how, How::Looking(_)))
}

#[test]
fn every_case_gives_its_findings() {
    let mut wrong = Vec::new();
    for check in looking() {
        for file in files(check) {
            let case = case(&file);
            let (found, _) = look(check, &read(case.cluster.facts()));
            let fits = found.len() == case.expect.len()
                && found.iter().zip(&case.expect).all(|(found, expected)| fits(found, expected));
            if !fits {
                wrong.push(format!("{}\n  found {found:#?}\n  expected {:#?}", file.display(), case.expect));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// The program shows a check only what it declares, as a check that is selected alone has nothing else. Whoever reads more
/// gives two answers.
#[test]
fn a_check_declares_all_that_it_reads() {
    let healthy = read(serde_json::from_str(include_str!("healthy-cluster.json")).unwrap());
    let mut clusters: Vec<(PathBuf, Facts)> = looking()
        .flat_map(files)
        .map(|file| {
            let facts = read(case(&file).cluster.facts());
            (file, facts)
        })
        .collect();
    clusters.push((PathBuf::from("healthy-cluster.json"), healthy));
    let mut wrong = BTreeSet::new();
    for (file, facts) in &clusters {
        for check in looking() {
            let (all, _) = look(check, facts);
            let (declared, _) = look(check, &facts.only(&check.sees().collect()));
            if all != declared {
                wrong.insert(format!("{} in {}: {declared:#?}\ninstead of {all:#?}", check.id, file.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", Vec::from_iter(wrong).join("\n\n"));
}

fn fits(found: &Finding, expected: &Expected) -> bool {
    let has =
        |text: &str, words: &[String]| words.iter().all(|word| text.to_lowercase().contains(&word.to_lowercase()));
    let fix = found.fix.as_ref().map_or_else(String::new, |fix| {
        [fix.text.clone(), fix.commands.join("\n"), fix.manifest.clone().unwrap_or_default()].join("\n")
    });
    found.status == expected.status
        && found.target == expected.target
        && has(&found.message, &expected.message)
        && has(found.cause.as_deref().unwrap_or_default(), &expected.cause)
        && has(&fix, &expected.fix)
        && !expected.without.iter().any(|word| fix.contains(word.as_str()))
}

#[test]
fn every_check_has_a_passing_a_failing_and_a_could_not_look_case() {
    let mut lacking = Vec::new();
    for check in looking() {
        let mut seen = BTreeSet::new();
        for file in files(check) {
            let (found, looked) = look(check, &read(case(&file).cluster.facts()));
            for finding in found {
                seen.insert(match (looked, finding.status) {
                    (false, _) => "could not look",
                    (true, Status::Pass) => "pass",
                    (true, Status::Warn | Status::Fail) => "warn or fail",
                    (true, Status::Skip | Status::Unknown) => "skip or unknown",
                });
            }
        }
        for kind in ["pass", "warn or fail", "could not look"] {
            if !seen.contains(kind) {
                lacking.push(format!("{} has no case: {kind}", folder(check).display()));
            }
        }
    }
    assert!(lacking.is_empty(), "{}", lacking.join("\n"));
}

#[test]
fn a_check_says_something_and_gives_evidence_and_a_fix_with_what_is_wrong() {
    for file in looking().flat_map(files) {
        let facts = read(case(&file).cluster.facts());
        for check in looking() {
            let (found, _) = look(check, &facts);
            assert!(!found.is_empty(), "{} finds nothing in {}", check.id, file.display());
            let mut targets = BTreeSet::new();
            for finding in found {
                let about = format!("{} in {}: {finding:#?}", check.id, file.display());
                assert!(targets.insert(finding.target.clone()), "a target twice: {about}");
                assert!(!finding.message.is_empty() && !finding.message.contains('\n'), "{about}");
                if matches!(finding.status, Status::Warn | Status::Fail) {
                    assert!(!finding.evidence.is_empty(), "no evidence: {about}");
                    assert!(finding.fix.is_some_and(|fix| !fix.text.is_empty()), "no fix: {about}");
                }
            }
        }
    }
}

/// What a shell would run, if it stood in a command.
const HOSTILE: &str = ";$(reboot)\u{1b}[2J";

fn make_hostile(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (field, value) in fields {
                let named = ["name", "namespace", "driver", "provisioner", "image", "holderIdentity", "message"];
                match value {
                    Value::String(text) if named.contains(&field.as_str()) => {
                        text.push_str(HOSTILE);
                    }
                    _ => make_hostile(value),
                }
            }
        }
        Value::Array(values) => values.iter_mut().for_each(make_hostile),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[test]
fn no_text_from_the_cluster_gets_into_a_command_unless_it_is_a_name() {
    for check in looking() {
        for file in files(check) {
            let mut facts = case(&file).cluster.facts();
            make_hostile(&mut facts);
            for finding in look(check, &read(facts)).0 {
                let fix = finding.fix.unwrap_or_default();
                for text in fix.commands.iter().chain(&fix.manifest) {
                    assert!(!text.contains("reboot"), "{}: {text}", file.display());
                }
            }
        }
    }
}
