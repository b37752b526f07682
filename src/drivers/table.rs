//! What drivers can do, for people.

use std::fmt::Write as _;

use snapready_checks::knowledge::drivers::capabilities::Ability;
use snapready_checks::text::words::plural;
use unicode_width::UnicodeWidthStr;

use crate::drivers::Document;
use crate::report::options::Verbosity;
use crate::report::{sanitize, words};

/// Longest name.
const NAME: usize = 60;
/// Longest line of a reason.
const REASON: usize = 300;

/// Longest line of answers.
const LINE: usize = 100;

/// A driver on two lines, if they are long enough; with `-v` what each answer rests on.
#[must_use]
pub fn table(document: &Document, verbosity: Verbosity) -> String {
    if verbosity == Verbosity::Silent {
        return String::new();
    }
    let mut text = String::new();
    let name = |driver: &str| sanitize::line(driver, NAME);
    let width = document.drivers.iter().map(|one| name(&one.driver).width()).max().unwrap_or_default();
    for one in &document.drivers {
        let shown = name(&one.driver);
        let padding = " ".repeat(width.saturating_sub(shown.width()));
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "{shown}{padding}  {}, {}, {}",
            plural(one.claims, "claim"),
            plural(one.storage_classes, "StorageClass"),
            plural(one.snapshot_classes, "VolumeSnapshotClass")
        );
        // In the order of the abilities, not of their words.
        let abilities: Vec<_> =
            Ability::ALL.iter().filter_map(|ability| one.abilities.get_key_value(ability.word())).collect();
        let answers: Vec<String> = abilities.iter().map(|(word, found)| format!("{word} {}", found.word())).collect();
        text.push_str(&folded(&answers));
        if verbosity == Verbosity::Verbose {
            for (word, found) in abilities {
                let _ = writeln!(text, "    {word:9} {}", sanitize::line(&found.because, REASON));
                if let Some(evidence) = &found.evidence {
                    let _ = writeln!(text, "              {}", sanitize::line(&words::evidence(evidence), REASON));
                }
            }
        }
    }
    if document.drivers.is_empty() {
        text.push_str("there are no CSI drivers\n");
    }
    if !document.not_read.is_empty() {
        let _ = writeln!(text, "could not be read, so that answers may be missing: {}", document.not_read.join(", "));
    }
    text
}

/// Answers one after the other, on as many lines as they take.
fn folded(answers: &[String]) -> String {
    let mut text = String::new();
    let mut width = 0;
    for answer in answers {
        let own = answer.width() + 2;
        if width > 0 && width + own > LINE {
            text.push('\n');
            width = 0;
        }
        width += own;
        text.push_str("  ");
        text.push_str(answer);
    }
    text.push('\n');
    text
}
