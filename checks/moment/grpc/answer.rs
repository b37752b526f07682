//! A driver's answer in the texts of sidecars and kubelets.

use std::borrow::Cow;

/// How Go prints a gRPC error: `rpc error: code = C desc = D`.
const CODE: &str = "rpc error: code = ";
const DESCRIPTION: &str = " desc = ";

/// A driver's answer, as it gave it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer<'a> {
    /// The outermost code: what the sidecars act upon. An inner one is somebody's whom the driver asked.
    pub(crate) code: &'a str,
    pub(crate) description: Cow<'a, str>,
}

impl<'a> Answer<'a> {
    pub(crate) fn find(text: &'a str) -> Option<Self> {
        let (before, rest) = text.split_once(CODE)?;
        let (code, after) = rest.split_at(rest.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(rest.len()));
        // A number that gRPC does not have counts as Unknown.
        let (code, after) = match after.strip_prefix('(') {
            Some(number) if code == "Code" => ("Unknown", number.trim_start_matches(|c| c != ' ')),
            _ => (code, after),
        };
        let description = after.strip_prefix(DESCRIPTION).unwrap_or_default();
        let quoted = before.ends_with('"');
        Some(Self { code, description: if quoted { unquote(description).0.into() } else { description.into() } })
    }
}

/// A text in which the answer is quoted as by Go's `%q`, with the answer as it was given: csi-snapshotter quotes it.
pub(crate) fn unquoted(text: &str) -> Cow<'_, str> {
    match text.find(CODE).and_then(|at| text.split_at_checked(at)) {
        Some((before, rest)) if before.ends_with('"') => {
            let (answer, after) = unquote(rest);
            format!("{before}{answer}{}", if after { "\"" } else { "" }).into()
        }
        _ => text.into(),
    }
}

/// What stands before the closing quote of Go's `%q`, and whether there is one: a text may have been cut. A quote before the end
/// is one of the text's own, which somebody has unquoted already.
fn unquote(text: &str) -> (String, bool) {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        match c {
            '"' if rest.as_str().trim().is_empty() => return (plain, true),
            '\\' => match rest.next() {
                Some('n') => plain.push('\n'),
                Some('t') => plain.push('\t'),
                Some('r') => plain.push('\r'),
                Some('x') => plain.push(number(&mut rest, 2)),
                Some('u') => plain.push(number(&mut rest, 4)),
                Some('U') => plain.push(number(&mut rest, 8)),
                Some('a' | 'b' | 'f' | 'v') => plain.push(' '),
                Some(other) => plain.push(other),
                None => {}
            },
            other => plain.push(other),
        }
    }
    (plain, false)
}

/// A character by its number of so many hexadecimal digits.
fn number(text: &mut std::str::Chars<'_>, digits: usize) -> char {
    let number: String = text.by_ref().take(digits).collect();
    u32::from_str_radix(&number, 16).ok().and_then(char::from_u32).unwrap_or(char::REPLACEMENT_CHARACTER)
}

/// What a driver says, for comparison: one line in lower case, without links, colours, and the stack of a Go program.
pub(super) fn words(description: &str) -> String {
    let text = uncoloured(description).to_ascii_lowercase();
    let text = before_stack(&text);
    let mut words = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        let said = match word.find("http://").or_else(|| word.find("https://")) {
            Some(at) => {
                let (before, link) = word.split_at(at);
                let end = link.find(['"', '\'', ']', ')', '>', ',']).unwrap_or(link.len());
                format!("{before}{}", &link[end..])
            }
            None => word.to_owned(),
        };
        if said.is_empty() {
            continue;
        }
        if !words.is_empty() {
            words.push(' ');
        }
        words.push_str(&said);
    }
    if words.chars().any(char::is_alphanumeric) && words != "<nil>" { words } else { String::new() }
}

/// `goroutine 12 [running]:` and all that follows: names of functions are no words.
fn before_stack(text: &str) -> &str {
    let begins = |at: &usize| text[*at..].trim_start_matches("goroutine ").starts_with(|c: char| c.is_ascii_digit());
    let at = text.match_indices("goroutine ").map(|(at, _)| at).find(begins);
    at.map_or(text, |at| &text[..at])
}

/// A text without the sequences that colour it in a terminal.
fn uncoloured(text: &str) -> Cow<'_, str> {
    const BEGIN: &str = "\u{1b}[";
    if !text.contains(BEGIN) {
        return text.into();
    }
    let mut parts = text.split(BEGIN);
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        plain.push_str(part.trim_start_matches(|c: char| c.is_ascii_digit() || c == ';').get(1..).unwrap_or_default());
    }
    plain.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quoted_answer_is_read_as_it_was_given() {
        let text = r#"Failed to create snapshot: failed to take snapshot of the volume v: "rpc error: code = Internal desc = {\"a\": \"b\\c\"}\n\x1b[1mtwo\u00a0lines""#;
        let answer = Answer::find(text).unwrap();
        assert_eq!((answer.code, &*answer.description), ("Internal", "{\"a\": \"b\\c\"}\n\u{1b}[1mtwo\u{a0}lines"));
        assert_eq!(
            unquoted(text),
            "Failed to create snapshot: failed to take snapshot of the volume v: \"rpc error: code = Internal desc = {\"a\": \"b\\c\"}\n\u{1b}[1mtwo\u{a0}lines\""
        );
        let plain = r#"failed to provision volume with StorageClass "x": rpc error: code = NotFound desc = a "b\n""#;
        assert_eq!(Answer::find(plain).unwrap().description, r#"a "b\n""#);
        assert_eq!(unquoted(plain), plain);
        assert_eq!(Answer::find("rpc error: code = Internal desc = ").unwrap().description, "");
        assert_eq!(Answer::find("rpc error: code = Code(77) desc = x").unwrap().description, "x");
    }

    #[test]
    fn words_are_what_is_said() {
        for (text, said) in [
            ("", ""),
            (" \n\t ", ""),
            ("https://aka.ms/quota-exceeded", ""),
            ("Get \"https://10.0.0.1/api?quota\": EOF", "get \"\": eof"),
            ("a\nB\t c", "a b c"),
            ("\u{1b}[31mno \u{1b}[0mroom", "no room"),
            ("panic: x\n\ngoroutine 1 [running]:\nmain.f()", "panic: x"),
            ("...", ""),
            ("<nil>", ""),
        ] {
            assert_eq!(words(text), said, "{text:?}");
        }
    }
}
