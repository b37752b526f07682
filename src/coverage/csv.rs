//! The coverage as CSV: a line for each claim, for spreadsheets.

use crate::coverage::document::{Claim, Document};
use crate::report::sanitize;

const COLUMNS: [&str; 11] = [
    "namespace",
    "claim",
    "bytes",
    "storageClass",
    "volume",
    "driver",
    "snapshot",
    "snapshotClass",
    "way",
    "reason",
    "mounted",
];
/// Longest cell.
const CELL: usize = 500;

/// The document as CSV.
pub(crate) fn csv(document: &Document) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    // Writing to memory cannot fail, and every line has as many cells as the first.
    let _ = writer.write_record(COLUMNS);
    for claim in &document.claims {
        let _ = writer.write_record(cells(claim));
    }
    String::from_utf8_lossy(&writer.into_inner().unwrap_or_default()).into_owned()
}

fn cells(claim: &Claim) -> [String; 11] {
    let text = |value: &Option<String>| cell(value.as_deref().unwrap_or_default());
    [
        cell(&claim.namespace),
        cell(&claim.name),
        claim.bytes.to_string(),
        text(&claim.storage_class),
        text(&claim.volume),
        text(&claim.driver),
        claim.snapshot.word().to_owned(),
        text(&claim.snapshot_class),
        cell(&claim.way),
        text(&claim.reason),
        match claim.mounted {
            Some(true) => "yes",
            Some(false) => "no",
            None => "",
        }
        .to_owned(),
    ]
}

/// A cluster's text as a cell. A spreadsheet takes what begins with one of these for a formula (OWASP, "CSV Injection").
fn cell(text: &str) -> String {
    let line = sanitize::line(text, CELL);
    if line.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{line}") } else { line }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula() {
        assert_eq!(cell("=cmd|' /C calc'!A0"), "'=cmd|' /C calc'!A0");
        assert_eq!(cell("+1"), "'+1");
        assert_eq!(cell("data"), "data");
        assert!(!cell("a\nb\u{1b}[31m").contains(['\n', '\u{1b}']));
    }
}
