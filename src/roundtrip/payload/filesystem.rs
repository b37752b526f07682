//! What is written to a volume with a file system: sizes at which drivers and file systems go wrong, a deep path, a
//! name with spaces, mode bits, a link, holes.

use std::fmt::Write as _;

use super::content::{Content, Phase, digest};
use super::{VERSION, Written};

/// Files that one call of awk makes: id, path below the folder, bytes. Without its dashes the id is the name in reports.
const FILES: [(&str, &str, u64); 6] = [
    ("one-----", "one", 1),
    ("odd-----", "odd", 12_345),
    ("program-", "program", 65),
    ("large---", "large", LARGE),
    ("leaf----", "deep/a/b/c/d/e/leaf", 4_097),
    ("spaced--", "a name with spaces", 777),
];
const LARGE: u64 = 1 << 20;
/// Number of small files.
pub(super) const MANY: u64 = 40;
/// The sparse file has data in its first and in this 4 KiB block.
const LAST_SPARSE_BLOCK: u64 = 255;
const FOLDERS: &str = "deep/a/b/c/d/e\nmany";
/// The folder, what is in it without the link, and its folders' folders: everything that `find` counts.
const ENTRIES: u64 = 1 + 6 + 1 + FILES.len() as u64 + 2 + MANY;
/// How the link reads.
const LINK: &str = "deep/a/b/c/d/e/leaf";

/// A file as the scripts report it, and what it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct File {
    /// Its name in reports.
    pub(super) name: &'static str,
    /// Bytes before the snapshot; `None` if it is not there then.
    pub(super) bytes: Option<u64>,
    /// Its digest before the snapshot.
    pub(super) before: String,
    /// Its digest after the overwriting, if it is still there and differs.
    pub(super) after: Option<String>,
}

/// Everything that is written, with its digests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Layout {
    /// In the order of the report.
    pub(super) files: Vec<File>,
    /// The digest of the many small files in a row.
    pub(super) many: String,
    /// All lines of the table for the scripts.
    table: Vec<String>,
}

impl Layout {
    pub(super) fn new(content: &Content) -> Self {
        let empty = File { name: "empty", bytes: Some(0), before: digest(&[]), after: None };
        let made = FILES.iter().map(|(id, _, bytes)| File {
            name: id.trim_end_matches('-'),
            bytes: Some(*bytes),
            before: content.digest(Phase::Before, id, *bytes, 0),
            // One byte is the same in both phases, so that file is deleted instead; the large one tells by how it begins.
            after: (*bytes > 1 && *bytes < LARGE).then(|| content.digest(Phase::After, id, *bytes, 0)),
        });
        let sparse = File {
            name: "sparse",
            bytes: Some((LAST_SPARSE_BLOCK + 1) * 4096),
            before: digest(&sparse(content, Phase::Before)),
            after: Some(digest(&sparse(content, Phase::After))),
        };
        let late = File {
            name: "late",
            bytes: None,
            before: "-".to_owned(),
            after: Some(content.digest(Phase::After, "late----", 100, 0)),
        };
        let files = std::iter::once(empty).chain(made).chain([sparse, late]).collect();
        let many: Vec<u8> =
            (0..MANY).flat_map(|n| content.make(Phase::Before, &many_id(n), many_bytes(n), 0)).collect();
        let mut table: Vec<String> = FILES.iter().map(|(id, path, bytes)| format!("{id} {bytes} 0 {path}")).collect();
        table.extend((0..MANY).map(|n| format!("{} {} 0 many/{n:03}", many_id(n), many_bytes(n))));
        Self { files, many: digest(&many), table }
    }

    /// The shell variables that the scripts need for it. No name has a quote in it.
    pub(super) fn variables(&self) -> String {
        let is_large = |line: &&String| line.ends_with(" large");
        let others: Vec<&str> = self.table.iter().filter(|line| !is_large(line)).map(String::as_str).collect();
        let mut text = String::new();
        for (name, value) in [
            ("FILES", self.table.join("\n")),
            ("OTHERS", others.join("\n")),
            // Without a path: to standard output.
            ("LARGE", format!("large--- {LARGE} 0")),
            ("FOLDERS", FOLDERS.to_owned()),
            ("SPARSE", format!("sparse-- 0\nsparse-- {LAST_SPARSE_BLOCK}")),
        ] {
            let _ = writeln!(text, "{name}='{value}'");
        }
        text
    }

    /// The lines between the first and the last of a report about intact data.
    pub(super) fn expected(&self, content: &Content, written: &Written) -> Vec<String> {
        let mut modes = written.modes.iter();
        let mut lines: Vec<String> = self
            .files
            .iter()
            .map(|file| match file.bytes {
                // A file without a known mode gives a line that no report has.
                Some(bytes) => {
                    let mode = modes.next().map_or("", String::as_str);
                    format!("f {} {bytes} {mode} {}", file.name, file.before)
                }
                None => format!("f {} - - -", file.name),
            })
            .collect();
        lines.push(format!("m {MANY} {}", self.many));
        lines.push(format!("l {}", if written.link { LINK } else { "" }));
        lines.push(format!("n {ENTRIES}"));
        let begins = content.begins(Phase::Before);
        lines.push(format!("h {begins} {begins}"));
        lines.push("v present".to_owned());
        lines.push(format!("a {}", written.around));
        lines
    }

    /// What the writer's report says about the file system; `None` if it is not a report. It is not compared here.
    pub(super) fn written(&self, message: &str) -> Option<Written> {
        let mut written = Written::default();
        for line in message.lines() {
            let (kind, rest) = line.split_once(' ').unwrap_or((line, ""));
            match kind {
                "f" => {
                    let mode = rest.split(' ').nth(2)?;
                    if mode.len() >= 3 && mode.len() <= 4 && mode.bytes().all(|digit| (b'0'..=b'7').contains(&digit)) {
                        written.modes.push(mode.to_owned());
                    }
                }
                "l" => written.link = rest == LINK,
                "a" => rest.clone_into(&mut written.around),
                VERSION | "m" | "n" | "h" | "v" | "end" => {}
                _ => return None,
            }
        }
        let files = self.files.iter().filter(|file| file.bytes.is_some()).count();
        (written.modes.len() == files).then_some(written)
    }
}

/// Both blocks of the sparse file and the hole between them.
fn sparse(content: &Content, phase: Phase) -> Vec<u8> {
    let mut bytes = content.make(phase, "sparse--", 4096, 0);
    bytes.resize(usize::try_from(LAST_SPARSE_BLOCK * 4096).unwrap_or(0), 0);
    bytes.extend(content.make(phase, "sparse--", 4096, LAST_SPARSE_BLOCK * 64));
    bytes
}

fn many_id(n: u64) -> String {
    format!("many{n:04}")
}

fn many_bytes(n: u64) -> u64 {
    100 + 37 * n
}
