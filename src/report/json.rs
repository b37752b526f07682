//! JSON: one document, which is the [`Report`].

use std::fmt::Write as _;

use serde::Serialize;

use crate::model::Report;
use crate::report::sanitize::{self, XML_LIMIT};

/// The report as one document with a line break at its end.
pub(crate) fn render(report: &Report) -> String {
    finish(serde_json::to_string_pretty(report))
}

/// A value on one line.
pub(crate) fn one_line<T: Serialize>(value: &T) -> String {
    finish(serde_json::to_string(value))
}

fn finish(serialized: serde_json::Result<String>) -> String {
    #[expect(
        clippy::expect_used,
        reason = "invariant: the document has string keys only, and writing to memory cannot fail"
    )]
    let text = serialized.expect("report types serialize");
    escape_hidden(&text) + "\n"
}

/// Invisible characters as escapes of JSON: the same document, and nothing in it acts on a terminal or hides from a
/// reader. Outside of strings a serialized document has none but line breaks. A string ends after [`XML_LIMIT`]
/// characters: a cluster's texts have no length that could be trusted.
fn escape_hidden(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len().min(8 * XML_LIMIT));
    let mut units = [0; 2];
    let mut in_string = false;
    // How many characters of an escape are still to come, how long the string is, and how much of it is left out.
    let (mut pending, mut length, mut left_out) = (0_u8, 0, 0_usize);
    for character in text.chars() {
        if !in_string {
            in_string = character == '"';
            (pending, length, left_out) = (0, 0, 0);
        } else if pending == 0 && character == '"' {
            in_string = false;
            if left_out > 0 {
                // Writing to a String cannot fail.
                let _ = write!(escaped, " … [{left_out} characters left out]");
            }
        } else {
            pending = match (pending, character) {
                (0, '\\') => 1,
                (1, 'u') => 4,
                (pending, _) => pending.saturating_sub(1),
            };
            let ends = usize::from(pending == 0);
            if length >= XML_LIMIT {
                left_out += ends;
                continue;
            }
            length += ends;
        }
        if character != '\n' && sanitize::is_hidden(character) {
            for unit in character.encode_utf16(&mut units) {
                let _ = write!(escaped, "\\u{unit:04x}");
            }
        } else {
            escaped.push(character);
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escaped_characters_read_back_as_they_were() {
        let text = "a\0\u{1b}[1m\u{7f}\u{9b}2J\u{202e}\u{10ffff}\u{e0041}\n\"\\é✓";
        let json = one_line(&text);
        assert!(!json.trim_end().chars().any(sanitize::is_hidden), "{json}");
        assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
    }
    #[test]
    fn long_strings_are_cut_between_characters() {
        for (unit, shown) in [("a", 1), ("\"", 1), ("\u{0}", 1), ("\\", 1), ("é\u{1f600}", 2)] {
            let text = unit.repeat(XML_LIMIT / shown + 3);
            let json = one_line(&[text.as_str(), "next"]);
            let back: Vec<String> = serde_json::from_str(&json).unwrap();
            let (kept, note) = back[0].split_at(unit.len() * XML_LIMIT / shown);
            assert_eq!(kept, &text[..kept.len()]);
            assert_eq!(note, format!(" … [{} characters left out]", 3 * shown));
            assert_eq!(back[1], "next");
        }
        let text = "\"".repeat(XML_LIMIT);
        assert_eq!(serde_json::from_str::<String>(&one_line(&text)).unwrap(), text);
    }
}
