//! Text from a cluster is hostile until it has been through here: it may hold escape sequences, characters that no XML
//! parser accepts, marks that turn the reading direction, or a megabyte. Each function names the place that its result
//! is safe for.

use std::borrow::Cow;

/// How many characters a text for a screen may have.
pub const SCREEN_LIMIT: usize = 2_000;
/// How many characters a text in `JUnit` XML may have.
pub const XML_LIMIT: usize = 64 * 1024;
/// How many characters an XML attribute may have.
pub const ATTRIBUTE_LIMIT: usize = 1_000;
/// How many bytes a command to copy may have.
const COMMAND_LIMIT: usize = 4_096;

/// Begins a control sequence, in one character; ESC `[` is the same in two.
const CSI: char = '\u{9b}';
const ESC: char = '\u{1b}';
/// Ends a control string, in one character.
const ST: char = '\u{9c}';
const BELL: char = '\u{7}';

/// One line for a terminal: without escape sequences, with whitespace collapsed, with every other invisible character
/// spelled out as `\u{…}`, and not longer than `limit` characters plus a note of what was left out.
pub fn line(text: &str, limit: usize) -> String {
    spell_out_hidden(&shorten(text, limit, on_one_line))
}

/// Lines for a terminal: as [`line()`], with line breaks and indentation kept.
pub fn lines(text: &str, limit: usize) -> Vec<String> {
    shorten(text, limit, with_line_breaks)
        .lines()
        .map(|line| spell_out_hidden(&line.replace('\t', "  ")).trim_end().to_owned())
        .collect()
}

/// A command that may be copied into a shell as it stands, or `None` if it holds anything that a reader cannot see, or
/// is too long to be read. A changed command is never offered: it would do something else.
pub fn command(text: &str) -> Option<&str> {
    let readable = text.len() <= COMMAND_LIMIT && !text.chars().any(is_hidden);
    (readable && !text.trim().is_empty()).then_some(text)
}

/// The lines of a manifest that may be copied as they stand, or `None` if one holds anything that a reader cannot see.
#[must_use]
pub fn manifest(text: &str) -> Option<Vec<&str>> {
    let readable = text.len() <= XML_LIMIT && text.lines().all(|line| !line.chars().any(is_hidden));
    (readable && !text.trim().is_empty()).then(|| text.lines().collect())
}

/// Text for an element of XML 1.0: without escape sequences, with U+FFFD for what XML cannot hold, with other invisible
/// characters spelled out, and not longer than [`XML_LIMIT`]. The XML writer still has to escape it.
pub fn xml_text(text: &str) -> String {
    spell_out_for_xml(&shorten(text, XML_LIMIT, with_line_breaks))
}

/// Text for a CDATA section: as [`xml_text`], with `]]>` split over two sections.
#[must_use]
pub fn cdata(text: &str) -> String {
    xml_text(text).replace("]]>", "]]]]><![CDATA[>")
}

/// Text for an XML attribute: as [`xml_text`], on one line and not longer than [`ATTRIBUTE_LIMIT`].
pub fn attribute(text: &str) -> String {
    spell_out_for_xml(&shorten(text, ATTRIBUTE_LIMIT, on_one_line))
}

/// One line of Markdown that shows the text and formats nothing, also in a cell of a table.
#[must_use]
pub fn markdown(text: &str) -> String {
    let mut escaped = String::new();
    for character in line(text, SCREEN_LIMIT).chars() {
        if "\\`*_{}[]<>()#+!|~&@$".contains(character) {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    escaped
}

/// The same text in ASCII: signs that have an ASCII equivalent get it, others are spelled out.
#[must_use]
pub fn ascii(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            _ if character.is_ascii() => plain.push(character),
            '…' => plain.push_str("..."),
            '→' => plain.push_str("->"),
            '≤' => plain.push_str("<="),
            '≥' => plain.push_str(">="),
            '×' => plain.push('x'),
            '·' | '–' | '—' | '‑' | '−' => plain.push('-'),
            '‘' | '’' => plain.push('\''),
            '“' | '”' | '„' => plain.push('"'),
            '\u{a0}' => plain.push(' '),
            _ => plain.extend(character.escape_unicode()),
        }
    }
    plain
}

/// Whether a character cannot be seen, or changes how others are seen: controls, marks of reading direction,
/// characters without width, tags, and code points that are no characters.
#[must_use]
pub fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{ad}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{180b}'..='\u{180f}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{fe00}'..='\u{fe0f}' | '\u{fdd0}'..='\u{fdef}' | '\u{fff0}'..='\u{fffb}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
        || u32::from(character) & 0xfffe == 0xfffe
}

fn is_xml_character(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\r' | '\u{20}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..='\u{10ffff}')
}

fn spell_out_hidden(text: &str) -> String {
    let mut visible = String::with_capacity(text.len());
    for character in text.chars() {
        if is_hidden(character) {
            visible.extend(character.escape_unicode());
        } else {
            visible.push(character);
        }
    }
    visible
}

fn spell_out_for_xml(text: &str) -> String {
    let mut visible = String::with_capacity(text.len());
    for character in text.chars() {
        if matches!(character, '\t' | '\n') {
            visible.push(character);
        } else if !is_xml_character(character) {
            visible.push('\u{fffd}');
        } else if is_hidden(character) {
            visible.extend(character.escape_unicode());
        } else {
            visible.push(character);
        }
    }
    visible
}

/// Without escape sequences, and with whitespace collapsed.
fn on_one_line(text: &str) -> String {
    strip_escape_sequences(text).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Without escape sequences, and with `\n` for every line break.
fn with_line_breaks(text: &str) -> String {
    strip_escape_sequences(text).replace("\r\n", "\n").replace('\r', "\n")
}

/// The text cleaned, and not longer than `limit` characters plus a note. Beginning and end are kept: an error's cause
/// often stands last. Of a very long text only both ends are looked at.
fn shorten(text: &str, limit: usize, clean: impl Fn(&str) -> String) -> String {
    let tail = limit / 4;
    let head = limit - tail;
    let reach = limit.saturating_mul(8);
    let (beginning, end, length) = if text.len() / 2 > reach {
        let mut from = text.len() - reach;
        while !text.is_char_boundary(from) {
            from += 1;
        }
        let mut until = reach;
        while !text.is_char_boundary(until) {
            until -= 1;
        }
        let part = |range: Option<&str>| clean(range.unwrap_or_default());
        (part(text.get(..until)), part(text.get(from..)), text.chars().count())
    } else {
        let cleaned = clean(text);
        let length = cleaned.chars().count();
        if length <= limit {
            return cleaned;
        }
        (cleaned.clone(), cleaned, length)
    };
    let beginning: String = beginning.chars().take(head).collect();
    let end: String = end.chars().skip(end.chars().count().saturating_sub(tail)).collect();
    let shown = beginning.chars().count() + end.chars().count();
    format!("{beginning} … [{} characters left out] … {end}", length.saturating_sub(shown))
}

/// Removes complete ANSI escape sequences. A sequence that is not complete stays, so that it hides nothing; its
/// introducer has to be made visible afterwards. What is left may form a new sequence: never print it as it is.
fn strip_escape_sequences(text: &str) -> Cow<'_, str> {
    if !text.contains(is_introducer) {
        return Cow::Borrowed(text);
    }
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(is_introducer) {
        let (before, sequence) = rest.split_at(start);
        clean.push_str(before);
        rest = if let Some(after) = after_sequence(sequence) {
            after
        } else {
            let mut characters = sequence.chars();
            clean.extend(characters.next());
            characters.as_str()
        };
    }
    clean.push_str(rest);
    Cow::Owned(clean)
}

/// ESC, and the C1 controls that are short for ESC and a letter and have parameters.
fn is_introducer(character: char) -> bool {
    matches!(character, ESC | CSI | '\u{90}' | '\u{98}' | '\u{9d}' | '\u{9e}' | '\u{9f}')
}

/// What follows the escape sequence that `text` begins with, or `None` if it is not complete.
fn after_sequence(text: &str) -> Option<&str> {
    let mut characters = text.chars();
    let first = characters.next()?;
    let kind = if first == ESC { characters.next()? } else { first };
    match kind {
        '[' | CSI => after_control_sequence(characters.as_str()),
        ']' | 'P' | 'X' | '^' | '_' => after_control_string(characters.as_str()),
        _ if first != ESC => after_control_string(characters.as_str()),
        ' '..='/' => after_intermediates(characters.as_str(), '0'..='~'),
        '0'..='~' => Some(characters.as_str()),
        _ => None,
    }
}

fn after_control_sequence(text: &str) -> Option<&str> {
    after_intermediates(text.trim_start_matches(|character| matches!(character, '0'..='?')), '@'..='~')
}

fn after_intermediates(text: &str, last: std::ops::RangeInclusive<char>) -> Option<&str> {
    text.trim_start_matches(|character| matches!(character, ' '..='/'))
        .strip_prefix(|character| last.contains(&character))
}

fn after_control_string(text: &str) -> Option<&str> {
    let end = text.find(char::is_control)?;
    let rest = text.get(end..)?;
    rest.strip_prefix([BELL, ST]).or_else(|| rest.strip_prefix("\u{1b}\\"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::tests::hostile_text;
    use proptest::prelude::*;

    #[test]
    fn escape_sequences_are_removed() {
        for (given, wanted) in [
            ("a\u{1b}[31mred\u{1b}[0m", "ared"),
            ("a\u{1b}[1;38;5;200mb", "ab"),
            ("\u{9b}2Jgone", "gone"),
            ("\u{1b}]0;title\u{7}text", "text"),
            ("\u{1b}]8;;http://evil\u{1b}\\link\u{1b}]8;;\u{1b}\\", "link"),
            ("\u{1b}Pdevice\u{9c}text", "text"),
            ("\u{1b}(Btext", "text"),
            ("\u{1b}ctext", "text"),
        ] {
            assert_eq!(line(given, 100), wanted, "{given:?}");
        }
    }

    #[test]
    fn incomplete_sequences_hide_nothing() {
        assert_eq!(line("a\u{1b}]0;and the rest", 100), "a\\u{1b}]0;and the rest");
        assert_eq!(line("a\u{1b}[12", 100), "a\\u{1b}[12");
        assert_eq!(line("end\u{1b}", 100), "end\\u{1b}");
        assert_eq!(line("\u{1b}\u{1b}[m[31mred", 100), "\\u{1b}[31mred");
    }

    #[test]
    fn invisible_characters_are_spelled_out() {
        assert_eq!(line("a\0b\u{85}c\u{202e}d\u{200b}e\u{fffe}", 100), "a\\u{0}b c\\u{202e}d\\u{200b}e\\u{fffe}");
        assert_eq!(line("one\n\ttwo\r\n", 100), "one two");
        assert_eq!(lines("one\r\n\ttwo\u{7}\nthree", 100), ["one", "  two\\u{7}", "three"]);
    }

    #[test]
    fn long_text_keeps_both_ends() {
        let long = format!("begin{}end", "x".repeat(1 << 20));
        let short = line(&long, 100);
        assert!(short.starts_with("begin") && short.ends_with("end"), "{short}");
        assert!(short.contains("1048484 characters left out"), "{short}");
        assert!(short.chars().count() < 150);
    }

    #[test]
    fn a_command_is_shown_unchanged_or_not_at_all() {
        assert_eq!(command("kubectl get pods"), Some("kubectl get pods"));
        for hostile in ["kubectl get\nrm -rf /", "a\u{1b}[8mb", "a\u{202e}b", "a\tb", " ", &"x".repeat(5_000)] {
            assert_eq!(command(hostile), None, "{hostile:?}");
        }
        assert_eq!(manifest("kind: Pod\nspec:\n"), Some(vec!["kind: Pod", "spec:"]));
        assert_eq!(manifest("kind: \u{202e}Pod"), None);
    }

    #[test]
    fn text_for_xml() {
        assert_eq!(xml_text("a\0\u{1b}[1mb\u{fffe}c\r\nd"), "a\u{fffd}b\u{fffd}c\nd");
        assert_eq!(cdata("a]]>b"), "a]]]]><![CDATA[>b");
        assert_eq!(attribute(" a\n  b\t"), "a b");
    }

    #[test]
    fn markdown_formats_nothing() {
        assert_eq!(markdown("a|b *c* <script>\n@me"), "a\\|b \\*c\\* \\<script\\> \\@me");
    }

    #[test]
    fn ascii_equivalents() {
        assert_eq!(ascii("gp3 → gold · 3× …é"), "gp3 -> gold - 3x ...\\u{e9}");
    }

    proptest! {
        #[test]
        fn nothing_hidden_reaches_a_screen(text in hostile_text()) {
            prop_assert!(!line(&text, 200).chars().any(is_hidden));
            prop_assert!(!lines(&text, 200).concat().chars().any(is_hidden));
            prop_assert!(!markdown(&text).chars().any(is_hidden));
            prop_assert!(ascii(&line(&text, 200)).is_ascii());
        }

        #[test]
        fn xml_text_holds_only_xml_characters(text in hostile_text()) {
            prop_assert!(xml_text(&text).chars().all(is_xml_character));
            prop_assert!(attribute(&text).chars().all(|c| is_xml_character(c) && !c.is_control()));
        }
    }
}
