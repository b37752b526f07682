//! The cases of the checks, each a test with its own name: `cargo test -p snapready-checks --test cases default-class`.
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test ends where it is wrong")]
#![expect(clippy::disallowed_methods, reason = "cases are files")]

mod case;
mod cluster;
#[path = "../checks/definitions.rs"]
mod definitions;
mod judge;
mod order;
mod reports;
mod round_trip;
mod texts;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};
use snapready_checks::catalogue;
use snapready_checks::model::check::{Check, Group, How};

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let mut trials = vec![
        Trial::test("healthy-cluster", || {
            report(&judge::any_cluster(&serde_json::from_str(include_str!("../checks/healthy-cluster.json")).unwrap()))
        }),
        Trial::test("diagnosis/order", || report(&order::order())),
        Trial::test("diagnosis/every-rule-has-a-case", || report(&order::rules_without_a_case())),
    ];
    trials.push(Trial::test("texts/table", || report(&texts::table())));
    trials.extend(texts::trials());
    for group in Group::ALL {
        for folder in entries(&root().join(group.word())).into_iter().filter(|path| path.is_dir()) {
            trials.extend(of_folder(&folder));
        }
    }
    for file in entries(&root().join("tests/reports")) {
        trials.push(of_file("reports", &file, reports::report));
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// What lies in a folder; nothing if there is none.
fn entries(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

/// The tests of a check's folder. What lies in `cases` without being a case of a check fails, since nothing would run it.
fn of_folder(folder: &Path) -> Vec<Trial> {
    let name = folder.strip_prefix(root()).unwrap().to_str().unwrap().to_owned();
    let files = entries(&folder.join("cases"));
    if let Some(check) = of_round_trip().find(|check| name == judge::folder(check)) {
        if files.is_empty() {
            return vec![wrong(&name, folder, "a check has cases")];
        }
        return files.iter().map(|file| of_file(&name, file, move |file| round_trip::case(check, file))).collect();
    }
    let Some(check) = looking().find(|check| name == judge::folder(check)) else {
        // Other folders have no cases.
        return files.into_iter().map(|file| wrong(&name, &file, "no check of the catalogue reads this")).collect();
    };
    let mut trials: Vec<Trial> =
        files.iter().map(|file| of_file(&name, file, move |file| judge::case(check, file))).collect();
    trials.push(Trial::test(format!("{name}/passing-failing-and-could-not-look"), move || {
        report(&judge::kinds_that_are_missing(check, &files))
    }));
    trials
}

fn of_file(folder: &str, file: &Path, judge: impl Fn(&Path) -> Vec<String> + Send + 'static) -> Trial {
    let stem = file.file_name().unwrap().to_str().unwrap().strip_suffix(".yaml").unwrap_or_default();
    if stem.is_empty() || !stem.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-') {
        return wrong(folder, file, "a case is named words-with-dashes.yaml");
    }
    let file = file.to_owned();
    Trial::test(format!("{folder}/{stem}"), move || report(&judge(&file)))
}

fn wrong(folder: &str, file: &Path, why: &'static str) -> Trial {
    let name = format!("{folder}/{}", file.file_name().unwrap().display());
    Trial::test(name, move || Err(Failed::from(why)))
}

fn report(wrong: &[String]) -> Result<(), Failed> {
    if wrong.is_empty() { Ok(()) } else { Err(Failed::from(wrong.join("\n\n"))) }
}

/// The checks of the round trip.
fn of_round_trip() -> impl Iterator<Item = &'static Check> {
    catalogue().into_iter().filter(|check| matches!(check.how, How::RoundTrip))
}

/// The checks that judge facts; those of the round trip do not.
fn looking() -> impl Iterator<Item = &'static Check> {
    catalogue().into_iter().filter(|check| matches!(check.how, How::Looking(_)))
}
