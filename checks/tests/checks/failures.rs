//! Which case shows which of the known failures of snapshots (`tests/failures.tsv`). A failure without a case is one that nothing
//! finds yet, or that nobody has shown.

use std::collections::BTreeSet;
use std::path::Path;

/// The failures that can be seen without a round trip, by their numbers.
const STATIC: &[&str] = &[
    "A1", "A2", "A3", "A4", "A5", "A6", "A7", "A8", "A9", "A10", "A11", "B12", "B13", "B14", "B15", "B16", "B17",
    "B18", "B19", "B20", "B21", "B24", "B25", "B28", "C30", "C36", "C37", "C37b", "C39", "C41", "C42",
];

/// The failures, each with a case or an empty text.
fn rows() -> Vec<(&'static str, &'static str)> {
    let rows = include_str!("../failures.tsv").lines().skip(1);
    rows.map(|row| {
        let cells: Vec<&str> = row.split('\t').collect();
        let [failure, what, case] = *cells.as_slice() else { panic!("{row:?} has not three cells") };
        assert!(!what.is_empty(), "{row:?}");
        (failure, case)
    })
    .collect()
}

fn text_of(case: &str) -> String {
    let path = match case.split('/').collect::<Vec<_>>().as_slice() {
        ["reports", name] => format!("tests/reports/{name}.yaml"),
        [group, check, name] => format!("{group}/{check}/cases/{name}.yaml"),
        _ => panic!("{case} is neither GROUP/CHECK/CASE nor reports/NAME"),
    };
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(&path));
    text.unwrap_or_else(|error| panic!("tests/failures.tsv names {case}, but {path}: {error}"))
}

#[test]
fn every_failure_is_listed_and_no_other() {
    let listed: BTreeSet<&str> = rows().iter().map(|(failure, _)| *failure).collect();
    assert_eq!(listed, STATIC.iter().copied().collect());
    let unique: BTreeSet<_> = rows().into_iter().collect();
    assert_eq!(unique.len(), rows().len(), "a case is listed twice for a failure");
}

#[test]
fn the_cases_of_failures_exist_and_find_something() {
    for (failure, case) in rows().into_iter().filter(|(_, case)| !case.is_empty()) {
        let text = text_of(case);
        let finds = ["status: fail", "status: warn", "status: unknown", "cause: ["];
        assert!(finds.iter().any(|found| text.contains(found)), "{case} does not show {failure}: it finds nothing");
    }
}

#[test]
fn a_failure_that_is_shown_is_shown_with_its_evidence() {
    for failure in STATIC {
        let cases: Vec<_> = rows().into_iter().filter(|(of, case)| of == failure && !case.is_empty()).collect();
        let open = rows().iter().any(|(of, case)| of == failure && case.is_empty());
        assert!(open == cases.is_empty(), "{failure} has cases and is listed as one that has none");
        let of_a_run = |case: &str| case.starts_with("roundtrip/");
        let asserted = cases.iter().any(|(_, case)| of_a_run(case) || text_of(case).contains("evidence: ["));
        assert!(open || asserted, "no case of {failure} says what its evidence is");
    }
}
