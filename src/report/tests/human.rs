use snapready_checks::model::command::kubectl;
use snapready_checks::model::finding::{Fix, Status};
use unicode_width::UnicodeWidthStr;

use super::samples;
use crate::report::format::{Format, render};
use crate::report::options::{RenderOptions, Verbosity};
use crate::report::style::Styles;
use crate::report::words;

fn screen(report: &crate::model::Report, options: RenderOptions) -> String {
    render(Format::Human, report, &options)
}

fn wide(width: usize) -> RenderOptions {
    RenderOptions { width: Some(width), ..RenderOptions::default() }
}

#[test]
fn samples_on_a_terminal_of_100_columns() {
    for (name, report) in samples::all() {
        insta::assert_snapshot!(name, screen(&report, wide(100)));
    }
}

#[test]
fn one_report_in_every_look() {
    let report = samples::mixed();
    for width in [60, 80, 120] {
        insta::assert_snapshot!(format!("mixed_{width}"), screen(&report, wide(width)));
    }
    assert_eq!(screen(&report, wide(40)), screen(&report, wide(60)), "narrower than 60 is shown as 60");
    assert_eq!(screen(&report, wide(500)), screen(&report, wide(120)), "wider than 120 is shown as 120");
    insta::assert_snapshot!("mixed_not_a_terminal", screen(&report, RenderOptions::default()));
    insta::assert_snapshot!("mixed_ascii", screen(&report, RenderOptions { ascii: true, ..wide(80) }));
    insta::assert_snapshot!("mixed_quiet", screen(&report, RenderOptions { verbosity: Verbosity::Quiet, ..wide(80) }));
    insta::assert_snapshot!(
        "mixed_verbose",
        screen(&report, RenderOptions { verbosity: Verbosity::Verbose, ..wide(80) })
    );
    let colored = screen(&report, RenderOptions { styles: Styles::colored(), ..wide(80) });
    insta::assert_snapshot!("mixed_colored", colored.replace('\u{1b}', "^"));
    assert_eq!(screen(&report, RenderOptions { verbosity: Verbosity::Silent, ..wide(80) }), "");
}

#[test]
fn nothing_but_the_verdict_when_all_is_well_and_quiet() {
    let quiet = screen(&samples::ready(), RenderOptions { verbosity: Verbosity::Quiet, ..wide(80) });
    assert_eq!(quiet, "READY   3 passed     31.0s\n");
}

#[test]
fn only_what_is_to_be_copied_is_wider_than_the_terminal() {
    for (name, report) in samples::all() {
        let fixes: Vec<&Fix> = report.results.iter().filter_map(|result| result.fix.as_ref()).collect();
        let manifests: Vec<&str> =
            fixes.iter().filter_map(|fix| fix.manifest.as_deref()).flat_map(str::lines).collect();
        for width in [60, 80, 120] {
            let text = screen(&report, wide(width));
            for line in text.lines().filter(|line| line.width() > width) {
                let allowed = line.contains("kubectl ")
                    || line.contains("  snapready ")
                    || report.kept.iter().any(|kept| line.ends_with(&kept.name))
                    || report.leftovers.iter().any(|left| line.ends_with(&words::leftover(left)))
                    || manifests.iter().any(|manifest| manifest.trim() == line.trim())
                    || text.trim_end().ends_with(line);
                assert!(allowed, "{name} at {width}: {line}");
            }
        }
    }
}

#[test]
fn all_round_trips_in_one_table_that_fits() {
    let table = |options| {
        let text = screen(&samples::matrix(), options);
        let (_, table) = text.split_once("All round trips").unwrap();
        table.split_once("\n\n").unwrap().0.to_owned()
    };
    for width in [60, 80, 120] {
        insta::assert_snapshot!(format!("matrix_{width}"), table(wide(width)));
    }
    insta::assert_snapshot!("matrix_ascii", table(RenderOptions { ascii: true, ..wide(80) }));
    let few = samples::mixed();
    assert!(!screen(&few, wide(80)).contains("All round trips"), "{} are few", few.round_trips.len());
}

#[test]
fn the_verdict_is_the_last_line() {
    for (name, report) in samples::all() {
        let text = screen(&report, wide(80));
        let last = text.lines().last().unwrap();
        let verdicts = ["READY", "NOT READY", "INCONCLUSIVE"];
        assert!(verdicts.iter().any(|verdict| last.starts_with(verdict)), "{name}: {last}");
    }
}

#[test]
fn failures_stand_near_the_verdict_however_long_the_screen() {
    let mut report = samples::mixed();
    let passes = report.results.clone().into_iter().filter(|result| result.status.word() == "pass").cycle().take(200);
    report.results.extend(passes);
    let text = screen(&report, wide(80));
    let end: Vec<_> = text.lines().rev().take(20).collect();
    for id in ["SR112", "SR201", "SR309"] {
        assert!(end.iter().any(|line| line.contains(id)), "{id} is not among {end:#?}");
    }
}

#[test]
fn a_command_with_hidden_characters_is_not_offered() {
    let mut report = samples::mixed();
    let fix = report.results[3].fix.as_mut().unwrap();
    fix.commands = vec![kubectl("get pods").word("\nrm -rf ~")];
    let text = screen(&report, wide(80));
    assert!(!text.contains("rm -rf"), "{text}");
    assert!(text.contains("cannot be shown safely"), "{text}");
}

/// What is left undone at the end is not why the data did not come back.
#[test]
fn a_failed_clean_up_does_not_take_the_blame() {
    let mut report = samples::mixed();
    // A restore that failed, after it a clean-up that did too; and the clean-up first, as no run has it.
    report.round_trips[0].steps[7].status = Status::Fail;
    report.round_trips[0].steps.rotate_right(1);
    let text = screen(&report, RenderOptions::default());
    let line = |wanted: &str| text.lines().position(|line| line.contains(wanted)).unwrap();
    assert_eq!(line("event ProvisioningFailed"), line("✗ restore") + 1, "{text}");
}

#[test]
fn a_round_trip_without_a_failed_step_still_shows_its_failure() {
    let mut report = samples::foreseen();
    report.round_trips[0].steps.iter_mut().for_each(|step| step.status = Status::Skip);
    let text = screen(&report, RenderOptions { verbosity: Verbosity::Quiet, ..wide(120) });
    let words: Vec<&str> = text.split_whitespace().collect();
    assert!(words.join(" ").contains("✗ FAIL VolumeSnapshotClass standard-snapshots uses driver"), "{text}");
    assert!(text.contains("more  snapready explain SR306"), "{text}");
}
