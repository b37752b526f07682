//! JSON: one document, which is the [`Report`].

use std::fmt::Write as _;

use serde::Serialize;

use crate::report::document::Report;
use crate::report::sanitize;

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
/// reader. Outside of strings a serialized document has none but line breaks.
fn escape_hidden(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    let mut units = [0; 2];
    for character in text.chars() {
        if character != '\n' && sanitize::is_hidden(character) {
            for unit in character.encode_utf16(&mut units) {
                // Writing to a String cannot fail.
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
}
