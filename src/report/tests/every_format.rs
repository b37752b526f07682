use proptest::prelude::*;

use super::samples;
use crate::report::format::{Format, render};
use crate::report::options::{RenderOptions, Verbosity};
use crate::report::sanitize::is_hidden;
use crate::report::style::Styles;

fn verbose() -> RenderOptions {
    RenderOptions { verbosity: Verbosity::Verbose, ..RenderOptions::default() }
}

#[test]
fn samples_in_every_format_but_human() {
    for (name, report) in samples::all() {
        for format in [Format::Junit, Format::Markdown, Format::Prometheus] {
            let text = render(format, &report, &RenderOptions::default());
            insta::assert_snapshot!(format!("{format}__{name}"), text);
        }
    }
}

#[test]
fn same_report_same_text() {
    for (name, report) in samples::all() {
        for format in Format::ALL {
            assert_eq!(render(format, &report, &verbose()), render(format, &report, &verbose()), "{name} {format}");
        }
    }
}

#[test]
fn every_format_but_gauges_says_simulated_and_so_do_they() {
    for format in Format::ALL {
        let text = render(format, &samples::simulated(), &RenderOptions::default());
        assert!(text.contains("simulated"), "{format}: {text}");
        assert!(!render(format, &samples::ready(), &RenderOptions::default()).contains("simulated"), "{format}");
    }
}

/// What a run in the plain mode alone reports is what it always was; another mode is named.
#[test]
fn a_mode_is_named_unless_it_is_the_plain_one() {
    let plain = samples::live_data();
    let mut other = plain.clone();
    other.round_trips[0].mode = "upside-down".to_owned();
    for format in Format::ALL {
        let text = render(format, &other, &verbose());
        assert!(text.contains("upside-down"), "{format}: {text}");
        assert!(!text.contains("modeupside"), "{format}: {text}");
        let text = render(format, &plain, &verbose());
        assert!(![" plain", "\"plain\"", ",mode=\""].iter().any(|word| text.contains(word)), "{format}: {text}");
    }
}

#[test]
fn a_megabyte_in_every_field() {
    let report = samples::filled(&"\u{1b}]0;x".repeat(1 << 18));
    for format in [Format::Human, Format::Junit, Format::Markdown, Format::Prometheus] {
        let text = render(format, &report, &verbose());
        assert!(!text.chars().any(|c| c != '\n' && is_hidden(c)), "{format}");
        assert!(text.len() < 16 << 20, "{format}: {} bytes", text.len());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn nothing_acts_on_a_terminal(text in samples::hostile_text(), width in prop::option::of(0_usize..200), ascii in any::<bool>()) {
        let report = samples::filled(&text);
        let options = RenderOptions { ascii, width, ..verbose() };
        for format in Format::ALL {
            let text = render(format, &report, &options);
            // A tab may stand in a text of JUnit.
            let hidden = text.chars().find(|&c| is_hidden(c) && c != '\n' && (c != '\t' || format != Format::Junit));
            prop_assert!(hidden.is_none(), "{} has {:?}", format, hidden);
            prop_assert!(text.ends_with('\n'));
        }
        if ascii {
            prop_assert!(render(Format::Human, &report, &options).is_ascii());
        }
    }

    #[test]
    fn colour_adds_nothing_but_colour(text in samples::hostile_text(), width in prop::option::of(60_usize..120)) {
        let report = samples::filled(&text);
        let plain = RenderOptions { width, ..verbose() };
        let colored = RenderOptions { styles: Styles::colored(), ..plain };
        let text = render(Format::Human, &report, &colored);
        let escapes = text.matches('\u{1b}').count();
        prop_assert!(escapes > 0);
        prop_assert_eq!(without_styles(&text), render(Format::Human, &report, &plain));
    }
}

/// Removes `ESC [ … m`, and nothing else.
fn without_styles(text: &str) -> String {
    let mut parts = text.split("\u{1b}[");
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        plain.push_str(part.split_once('m').unwrap().1);
    }
    plain
}
