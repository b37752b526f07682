use std::collections::BTreeSet;

use proptest::prelude::*;
use quick_junit::{NonSuccessKind, Report as Read, TestCaseStatus};

use super::samples;
use crate::model::Report;
use crate::report::format::{Format, render};
use crate::report::options::{RenderOptions, Verbosity};
use crate::report::sanitize;

fn read(report: &Report, options: RenderOptions) -> Read {
    let xml = render(Format::Junit, report, &options);
    Read::deserialize_from_str(&xml).unwrap_or_else(|error| panic!("{error}\n{xml}"))
}

fn kind(case: &quick_junit::TestCase) -> &'static str {
    match &case.status {
        TestCaseStatus::Success { .. } => "pass",
        TestCaseStatus::NonSuccess { kind: NonSuccessKind::Failure, .. } => "fail",
        TestCaseStatus::NonSuccess { kind: NonSuccessKind::Error, .. } => "error",
        TestCaseStatus::Skipped { .. } => "skip",
    }
}

/// Cases that the summary counts: checks, and round trips by their verdicts.
fn summarized(read: &Read, wanted: &str) -> usize {
    let cases =
        read.test_suites.iter().filter(|suite| suite.name.as_str() != "run").flat_map(|suite| &suite.test_cases);
    let counted = cases.filter(|case| {
        let is_step = case.classname.as_ref().unwrap().as_str().starts_with("snapready.roundtrip.");
        !is_step || case.name.as_str().starts_with("verdict ")
    });
    counted.filter(|case| kind(case) == wanted).count()
}

#[test]
fn counts_agree_with_the_summary() {
    for (name, report) in samples::all().into_iter().filter(|(name, _)| *name != "hostile") {
        let summary = report.summary;
        let read_back = read(&report, RenderOptions::default());
        assert_eq!(summarized(&read_back, "pass"), summary.pass + summary.warn, "{name}");
        assert_eq!(summarized(&read_back, "fail"), summary.fail, "{name}");
        assert_eq!(summarized(&read_back, "error"), summary.unknown, "{name}");
        assert_eq!(summarized(&read_back, "skip"), summary.skip + summary.follows, "{name}");
        let strict = read(&report, RenderOptions { warnings_fail: true, ..RenderOptions::default() });
        assert_eq!(summarized(&strict, "fail"), summary.fail + summary.warn, "{name}");
    }
}

/// What the reading program computes from the cases is what the attributes say.
fn totals_hold(read: &Read) {
    let mut all = [0; 4];
    for suite in &read.test_suites {
        let count = |wanted| suite.test_cases.iter().filter(|case| kind(case) == wanted).count();
        let counts = [suite.test_cases.len(), count("fail"), count("error"), count("skip")];
        assert_eq!([suite.tests, suite.failures, suite.errors, suite.skipped], counts, "{}", suite.name.as_str());
        for (sum, number) in all.iter_mut().zip(counts) {
            *sum += number;
        }
        assert!(!suite.test_cases.is_empty(), "Jenkins drops empty suites");
    }
    assert_eq!([read.tests, read.failures, read.errors, read.skipped], all);
    assert!(!read.test_suites.is_empty());
}

/// GitLab keeps the first of two cases with the same name and class, and drops the other.
fn names_are_unique(read: &Read) {
    let mut seen = BTreeSet::new();
    for case in read.test_suites.iter().flat_map(|suite| &suite.test_cases) {
        let class = case.classname.as_ref().unwrap().as_str();
        assert!(seen.insert((class, case.name.as_str())), "{class} {}", case.name.as_str());
    }
    let suites: BTreeSet<_> = read.test_suites.iter().map(|suite| suite.name.as_str()).collect();
    assert_eq!(suites.len(), read.test_suites.len());
}

#[test]
fn totals_and_names_of_samples() {
    for (_, report) in samples::all() {
        let read_back = read(&report, RenderOptions::default());
        totals_hold(&read_back);
        names_are_unique(&read_back);
    }
}

#[test]
fn names_do_not_change_from_run_to_run() {
    let names = |report: &Report| {
        let read_back = read(report, RenderOptions::default());
        let cases = read_back.test_suites.iter().flat_map(|suite| &suite.test_cases);
        cases
            .map(|case| format!("{} {}", case.classname.as_ref().unwrap().as_str(), case.name.as_str()))
            .collect::<Vec<_>>()
    };
    let mut other = samples::mixed();
    other.run.id = "000000".to_owned();
    other.run.started_at = samples::time(5_000);
    other.results[3].message = "something else".to_owned();
    other.round_trips[0] = samples::good_round_trip(crate::model::VolumeMode::Filesystem);
    assert_eq!(names(&samples::mixed()), names(&other));
}

#[test]
fn a_failure_begins_with_its_message_and_names_the_fix() {
    let read_back = read(&samples::mixed(), RenderOptions::default());
    let cases: Vec<_> = read_back.test_suites.iter().flat_map(|suite| &suite.test_cases).collect();
    let failed = cases.iter().find(|case| case.name.as_str().starts_with("SR112")).unwrap();
    let TestCaseStatus::NonSuccess { message, ty, description, .. } = &failed.status else { panic!("{failed:?}") };
    let (message, text) = (message.as_ref().unwrap().as_str(), description.as_ref().unwrap().as_str());
    assert_eq!(ty.as_ref().unwrap().as_str(), "SR112");
    assert_eq!(text.lines().next(), Some(message));
    assert!(text.contains("kubectl -n kube-system scale"), "{text}");
}

/// A `StorageClass` with dots stays one level for Jenkins, which splits at the last dot.
#[test]
fn dots_of_a_storage_class_make_no_packages() {
    let mut report = samples::ready();
    report.round_trips[0].storage_class = "fast.ssd.example".to_owned();
    let read_back = read(&report, RenderOptions::default());
    let case = &read_back.test_suites.last().unwrap().test_cases[0];
    assert_eq!(case.classname.as_ref().unwrap().as_str(), "snapready.roundtrip.fast_ssd_example");
}

#[test]
fn a_run_that_ended_early_has_an_error() {
    let read_back = read(&samples::interrupted(), RenderOptions::default());
    let case = &read_back.test_suites[0].test_cases[0];
    assert_eq!((case.name.as_str(), kind(case)), ("run completed", "error"));
    let nothing = read(&samples::empty(), RenderOptions::default());
    assert_eq!(nothing.tests, 1);
}

#[test]
fn times_are_the_steps_own() {
    let read_back = read(&samples::ready(), RenderOptions::default());
    let steps = &read_back.test_suites.last().unwrap().test_cases;
    let snapshot = steps.iter().find(|case| case.name.as_str().starts_with("snapshot ")).unwrap();
    assert_eq!(snapshot.time, Some(std::time::Duration::from_millis(11_800)));
    let mut report = samples::ready();
    report.round_trips[0].steps.iter_mut().for_each(|step| step.duration_ms = Some(u64::MAX));
    report.run.started_at = jiff::Timestamp::MIN;
    report.run.duration_ms = u64::MAX;
    let xml = render(Format::Junit, &report, &RenderOptions::default());
    assert!(xml.contains("1970-01-01T00:00:00Z"), "{xml}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn any_text_is_well_formed_and_reads_back(text in samples::hostile_text()) {
        let report = samples::filled(&text);
        let options = RenderOptions { verbosity: Verbosity::Verbose, ..RenderOptions::default() };
        let read_back = read(&report, options);
        totals_hold(&read_back);
        names_are_unique(&read_back);
        let failed = read_back.test_suites[1].test_cases.iter().find(|case| kind(case) == "fail");
        let TestCaseStatus::NonSuccess { description, .. } = &failed.unwrap().status else { unreachable!() };
        let description = description.as_ref().map_or("", |text| text.as_str());
        prop_assert!(description.contains(sanitize::xml_text(&text).trim()), "{:?} in {:?}", text, description);
    }
}
