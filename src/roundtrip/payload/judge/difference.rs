//! What of a report about a file system is not as expected, for people.

use std::collections::BTreeSet;

/// What a line of a report says, and what it should.
pub(super) fn difference(line: &str, expected: &str) -> String {
    let (seen, expected) = (in_words(line), in_words(expected));
    let what = seen.split_inclusive(": ").next().filter(|what| what.len() < seen.len()).unwrap_or_default();
    format!("{seen}; expected: {}", expected.strip_prefix(what).unwrap_or(&expected))
}

/// A line of a report for people.
fn in_words(line: &str) -> String {
    let short = |digest: &str| digest.chars().take(12).collect::<String>();
    match line.split(' ').collect::<Vec<_>>().as_slice() {
        ["f", name, "-", ..] => format!("file {name}: not there"),
        ["f", name, bytes, mode, digest] => {
            let unit = if *bytes == "1" { "byte" } else { "bytes" };
            format!("file {name}: {bytes} {unit}, mode {mode}, sha256 {}...", short(digest))
        }
        ["m", number, digest] => format!("{number} small files, sha256 {}... in a row", short(digest)),
        ["l", ""] => "no symbolic link".to_owned(),
        ["l", target] => format!("symbolic link to {target}"),
        ["n", number] => format!("{number} files and folders"),
        ["h", odd, large] => format!("files that begin with {odd:?} and {large:?}"),
        ["v", state] => format!("folder: {state}"),
        ["a", beside @ ..] => format!("beside the folder: {:?}", beside.join(" ")),
        _ => format!("{line:?}"),
    }
}

/// Which lines of a report differ beside the content of files, in words.
pub(super) fn beside(lines: &[&str], expected: &[String]) -> String {
    let kinds: BTreeSet<&str> = lines
        .iter()
        .zip(expected)
        .filter(|(line, expected)| *line != *expected)
        .map(|(_, expected)| match expected.get(..2) {
            Some("f ") => "the mode of a file",
            Some("l ") => "the symbolic link",
            Some("n ") => "the number of files and folders",
            Some("a ") => "what lies beside them on the volume",
            _ => "how files begin",
        })
        .collect();
    kinds.into_iter().collect::<Vec<_>>().join(", ")
}
