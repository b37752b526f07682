//! The coverage for people: a line for each namespace, why claims cannot be snapshotted, and the sum.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use snapready_checks::knowledge::volumes::coverage::Way;
use snapready_checks::knowledge::volumes::many::size;
use unicode_width::UnicodeWidthStr;

use crate::coverage::document::{Claim, Document, Group, Part, Snapshot};
use crate::report::options::Verbosity;
use crate::report::{sanitize, words};

/// Longest cell of a table.
const CELL: usize = 60;
/// Longest reason.
const REASON: usize = 300;
/// The way that reads the files through a pod.
const FILES: &str = Way::Files.word();
/// So many claims are named for each reason, unless more is asked for.
const NAMED: usize = 3;

/// The document as a screen.
pub(crate) fn table(document: &Document, verbosity: Verbosity) -> String {
    if verbosity == Verbosity::Silent {
        return String::new();
    }
    let mut text = String::new();
    if document.claims.is_empty() {
        return "there are no claims\n".to_owned();
    }
    if verbosity > Verbosity::Quiet {
        text.push_str(&groups("NAMESPACE", &document.namespaces));
        text.push('\n');
        text.push_str(&groups("DRIVER", &document.drivers));
        text.push('\n');
    }
    text.push_str(&reasons(document, verbosity == Verbosity::Verbose));
    let Group { all, snapshot, unknown, .. } = document.total;
    // Writing to a string cannot fail.
    let _ = write!(
        text,
        "{} of {} can be snapshotted, {} of {}",
        snapshot.claims,
        words::count(usize::try_from(all.claims).unwrap_or(usize::MAX), "claim"),
        size(snapshot.bytes),
        size(all.bytes)
    );
    if unknown.claims > 0 {
        let _ = write!(text, "; of {} it is unknown", unknown.claims);
    }
    text.push('\n');
    text
}

fn groups(heading: &str, groups: &BTreeMap<String, Group>) -> String {
    let part =
        |part: Part| if part.claims == 0 { "-".to_owned() } else { format!("{} {}", part.claims, size(part.bytes)) };
    let mut rows = vec![[heading, "CLAIMS", "SNAPSHOT", "OTHERWISE", "NONE", "UNKNOWN"].map(str::to_owned)];
    for (name, group) in groups {
        let name = sanitize::line(name, CELL);
        let Group { all, snapshot, otherwise, none, unknown } = *group;
        rows.push([name, part(all), part(snapshot), part(otherwise), part(none), part(unknown)]);
    }
    aligned(&rows)
}

/// Rows with columns as wide as their widest cell.
fn aligned<const N: usize>(rows: &[[String; N]]) -> String {
    let width =
        |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.width()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..N).map(width).collect();
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            let padding = " ".repeat(width - cell.width() + 2);
            line.push_str(cell);
            line.push_str(&padding);
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// The claims that cannot be snapshotted, or of which it is unknown, by reason and way.
fn reasons(document: &Document, all: bool) -> String {
    let mut reasons: BTreeMap<(&str, &str), Vec<&Claim>> = BTreeMap::new();
    for claim in document.claims.iter().filter(|claim| claim.snapshot != Snapshot::Yes) {
        reasons.entry((claim.reason.as_deref().unwrap_or_default(), &claim.way)).or_default().push(claim);
    }
    let mut text = String::new();
    for ((reason, way), claims) in &reasons {
        let bytes = claims.iter().map(|claim| claim.bytes).fold(0, u64::saturating_add);
        let number = words::count(claims.len(), "claim");
        let _ = writeln!(text, "{number} ({}): {}", size(bytes), sanitize::line(reason, REASON));
        let _ = writeln!(text, "  back up by: {way}");
        let shown = if all { claims.len() } else { NAMED };
        for claim in claims.iter().take(shown) {
            let name = format!("{}/{}", claim.namespace, claim.name);
            // What is read through a pod is not read without one.
            let idle = *way == FILES && claim.mounted == Some(false);
            let note = if idle { ", which no pod mounts" } else { "" };
            let _ = writeln!(text, "  {}  {}{note}", sanitize::line(&name, REASON), size(claim.bytes));
        }
        if claims.len() > shown {
            let _ = writeln!(text, "  and {} more (-v shows them)", claims.len() - shown);
        }
        text.push('\n');
    }
    text
}
