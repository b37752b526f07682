//! What holds for the catalogue as a whole.

use std::collections::BTreeSet;
use std::path::Path;

use snapready_checks::model::check::{Check, Group, How};
use snapready_checks::{SelectError, catalogue, find, select};

#[test]
fn ids_and_slugs_are_unique_and_well_formed() {
    let checks = catalogue();
    let ids: BTreeSet<&str> = checks.iter().map(|check| check.id).collect();
    let slugs: BTreeSet<&str> = checks.iter().map(|check| check.slug).collect();
    assert_eq!((ids.len(), slugs.len()), (checks.len(), checks.len()));
    assert!(checks.is_sorted_by_key(|check| check.id));
    for check in checks {
        let number = check.id.strip_prefix("SR").unwrap();
        assert!(number.len() == 3 && number.bytes().all(|byte| byte.is_ascii_digit()), "{}", check.id);
        let hundreds = match check.group {
            Group::Api | Group::Controller | Group::Sidecars => "1",
            Group::Drivers | Group::Classes => "2",
            Group::Roundtrip => "3",
            Group::Access => "4",
            Group::Volumes | Group::Snapshots => "5",
            Group::Products => "6",
        };
        assert!(number.starts_with(hundreds), "{}", check.id);
        assert!(check.slug.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-'));
        // What a backup product makes of a round trip is told by its group.
        let by_round_trip = matches!(check.how, How::RoundTrip);
        assert!(by_round_trip || check.group != Group::Roundtrip, "{}", check.id);
        assert!(!by_round_trip || matches!(check.group, Group::Roundtrip | Group::Products), "{}", check.id);
        assert_eq!(check.needs.is_empty(), by_round_trip, "{}", check.id);
        assert!(!check.uses.iter().any(|need| check.needs.contains(need)), "{} uses what it needs", check.id);
    }
}

#[test]
fn the_ids_of_the_round_trip_are_fixed() {
    let names: Vec<String> = select(&["roundtrip".to_owned()], &[])
        .unwrap()
        .iter()
        .map(|check| format!("{} {}", check.id, check.slug))
        .collect();
    assert_eq!(
        names,
        [
            "SR301 round-trip",
            "SR302 data-intact",
            "SR303 snapshot-controller-works",
            "SR304 snapshot-sidecar-works",
            "SR305 snapshot-class-usable",
            "SR306 snapshot-driver-matches",
            "SR307 snapshot-succeeds",
            "SR308 provisioning-succeeds",
            "SR309 restore-succeeds",
            "SR310 pod-starts",
            "SR311 admission-allows",
            "SR312 everything-removed",
            "SR313 write-succeeds",
        ]
    );
}

#[test]
fn every_folder_of_a_group_is_a_check_of_the_catalogue() {
    let mut folders = BTreeSet::new();
    for group in Group::ALL {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(group.word());
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            // Backup products have folders beside the checks about them.
            if path.is_dir() && path.join("doc.md").exists() {
                let slug = path.file_name().unwrap().to_str().unwrap().replace('_', "-");
                folders.insert(format!("{}/{slug}", group.word()));
            }
        }
    }
    let listed: BTreeSet<String> =
        catalogue().iter().map(|check| format!("{}/{}", check.group.word(), check.slug)).collect();
    assert_eq!(folders, listed);
}

#[test]
fn documentation_has_the_fixed_headings() {
    for check in catalogue() {
        let headings: Vec<&str> = check.doc.lines().filter(|line| line.starts_with('#')).collect();
        let fixed = ["## What it checks", "## Why it matters", "## How to see it yourself", "## Fix", "## References"];
        assert_eq!(headings, fixed, "{}", check.id);
        for section in check.doc.split("## ").skip(1) {
            assert!(section.lines().skip(1).any(|line| !line.is_empty()), "{}: {section}", check.id);
        }
    }
}

fn ids(checks: &[&Check]) -> Vec<&'static str> {
    checks.iter().map(|check| check.id).collect()
}

fn chosen(selected: &[&str], skipped: &[&str]) -> Result<Vec<&'static str>, SelectError> {
    let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    select(&owned(selected), &owned(skipped)).map(|checks| ids(&checks))
}

#[test]
fn selectors_are_ids_slugs_groups_and_patterns() {
    let by_default: Vec<&Check> = catalogue().into_iter().filter(|check| check.group != Group::Products).collect();
    assert_eq!(chosen(&[], &[]).unwrap(), ids(&by_default), "a product is asked about by name");
    assert_eq!(chosen(&["sr101"], &[]).unwrap(), ["SR101"]);
    assert_eq!(chosen(&["default-snapshot-class"], &[]).unwrap(), ["SR212"]);
    assert_eq!(chosen(&["access"], &[]).unwrap(), ["SR401"]);
    assert_eq!(chosen(&["sr20?", "SR101"], &["*-on-nodes"]).unwrap(), ["SR101", "SR201", "SR204", "SR205", "SR206"]);
    assert_eq!(chosen(&["SR4*", "SR1*"], &["api", "controller", "sidecars"]).unwrap(), ["SR401"]);
    assert_eq!(find("SR302").unwrap().slug, "data-intact");
    assert_eq!(find("data-intact").unwrap().id, "SR302");
    assert!(find("data").is_none());
}

#[test]
fn a_selector_that_chooses_nothing_is_an_error_with_the_nearest_names() {
    let error = chosen(&["SR199"], &[]).unwrap_err().to_string();
    assert!(error.contains("\"SR199\"") && error.contains("SR10"), "{error}");
    let error = chosen(&[], &["default-class"]).unwrap_err().to_string();
    assert!(error.contains("default-snapshot-class"), "{error}");
    let error = chosen(&["clases"], &[]).unwrap_err().to_string();
    assert!(error.contains("classes"), "{error}");
    let error = chosen(&["zzzzzzzzzz*"], &[]).unwrap_err().to_string();
    assert!(error.contains("roundtrip"), "{error}");
    assert!(chosen(&[""], &[]).is_err());
    assert_eq!(chosen(&["api"], &["api"]).unwrap_err(), SelectError::Empty);
}

#[test]
fn a_hostile_selector_ends_in_time() {
    let stars = "*a".repeat(2000);
    assert!(chosen(&[&stars], &[]).is_err());
    assert!(chosen(&["x".repeat(100_000).as_str()], &[]).is_err());
}
