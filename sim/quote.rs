//! Text as Go's `%q` quotes it: csi-snapshotter does so with what its driver answers.

use std::fmt::Write as _;

/// The text in quotes, on one line.
pub(super) fn quote(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => {
                quoted.push('\\');
                quoted.push(c);
            }
            '\u{7}' => quoted.push_str("\\a"),
            '\u{8}' => quoted.push_str("\\b"),
            '\t' => quoted.push_str("\\t"),
            '\n' => quoted.push_str("\\n"),
            '\u{b}' => quoted.push_str("\\v"),
            '\u{c}' => quoted.push_str("\\f"),
            '\r' => quoted.push_str("\\r"),
            // Writing to a string does not fail.
            c if c.is_ascii_control() => _ = write!(quoted, "\\x{:02x}", u32::from(c)),
            c if is_unprintable(c) => _ = write!(quoted, "\\u{:04x}", u32::from(c)),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

/// What Go does not print, beyond ASCII: controls, spaces and marks that are not seen.
fn is_unprintable(c: char) -> bool {
    let unseen = matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
    c != ' ' && (c.is_control() || c.is_whitespace() || unseen)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_as_go_does() {
        // What strconv.Quote makes of these.
        assert_eq!(quote("a \"b\"\n\tc\\d\u{1b}[31m\u{7f}"), "\"a \\\"b\\\"\\n\\tc\\\\d\\x1b[31m\\x7f\"");
        assert_eq!(quote("é 日本\u{a0}\u{202e}'"), "\"é 日本\\u00a0\\u202e'\"");
        assert_eq!(quote(""), "\"\"");
    }
}
