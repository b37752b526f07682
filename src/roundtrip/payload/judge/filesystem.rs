//! What a report about a file system tells.

use super::super::content::{Content, Phase};
use super::super::filesystem::{File, Layout, MANY};
use super::super::{Judgement, Written};
use super::difference::{beside, difference};
use super::{Begins, State, begins, cut};
use crate::model::DataVerdict;

/// The state of a file from its line `f NAME SIZE MODE DIGEST`.
fn file_state(file: &File, line: &str) -> Option<State> {
    let rest = line.strip_prefix("f ")?.strip_prefix(file.name)?.strip_prefix(' ')?;
    let [size, _mode, digest] = rest.split(' ').collect::<Vec<_>>().try_into().ok()?;
    if size == "-" {
        return Some(if file.bytes.is_some() { State::Missing } else { State::Before });
    }
    if file.after.as_deref() == Some(digest) {
        return Some(State::After);
    }
    let Some(bytes) = file.bytes else {
        return Some(State::Other);
    };
    let size = size.parse::<u64>().ok();
    Some(match size {
        Some(size) if size == bytes && digest == file.before => State::Before,
        Some(size) if size < bytes => State::Short,
        _ => State::Other,
    })
}

pub(super) fn report(layout: &Layout, content: &Content, written: &Written, lines: &[&str]) -> Option<Judgement> {
    let expected = layout.expected(content, written);
    if lines.len() != expected.len() {
        return None;
    }
    let (file_lines, rest) = lines.split_at_checked(layout.files.len())?;
    let states: Vec<State> =
        layout.files.iter().zip(file_lines).map(|(file, line)| file_state(file, line)).collect::<Option<_>>()?;
    let [many, link, entries, heads, volume, around] = rest.try_into().ok()?;
    let (many_count, many_digest) = many.strip_prefix("m ")?.split_once(' ')?;
    let (_, _) = (link.strip_prefix("l ")?, entries.strip_prefix("n ")?);
    let (odd, large) = heads.strip_prefix("h ")?.split_once(' ').unwrap_or_default();
    let heads = [begins(content, odd), begins(content, large)];
    let volume = volume.strip_prefix("v ")?;
    let around = around.strip_prefix("a ")?;

    let differences: Vec<String> = lines
        .iter()
        .zip(&expected)
        .filter(|(line, expected)| *line != *expected)
        .map(|(line, expected)| difference(&cut(line), expected))
        .collect();
    let is = |state: State| states.contains(&state);
    let count = |state: State| states.iter().filter(|seen| **seen == state).count();

    if is(State::After) || heads.contains(&Begins::Ours(Phase::After)) {
        let message =
            "the restored volume holds what the source was overwritten with later: the live volume was copied";
        return Some(Judgement::new(DataVerdict::LiveData, message, differences));
    }
    if volume != "present" {
        let (verdict, message) = match volume.split_once(' ')? {
            _ if around != written.around => (
                DataVerdict::WrongVolume,
                format!("the restored volume holds other entries ({}) and nothing of what was written", cut(around)),
            ),
            (_, "formatted") => (
                DataVerdict::FreshlyFormatted,
                "the restored volume is a new file system without any file: it was formatted, not restored".to_owned(),
            ),
            _ => (DataVerdict::Empty, "the restored volume is empty".to_owned()),
        };
        return Some(Judgement::new(verdict, message, differences));
    }
    // Files that say whose they are.
    let ours = states.iter().zip(&layout.files).any(|(state, file)| *state == State::Before && file.bytes > Some(1));
    let foreign = heads.iter().find_map(|head| match head {
        Begins::Other(seed) => Some(*seed),
        Begins::Ours(_) | Begins::Unknown => None,
    });
    if let (Some(seed), false) = (foreign, ours) {
        let message = format!("the restored volume holds the data of another round trip (seed {seed})");
        return Some(Judgement::new(DataVerdict::WrongVolume, message, differences));
    }
    let files = layout.files.iter().filter(|file| file.bytes.is_some()).count();
    if count(State::Missing) == files && many_count == "0" {
        return Some(Judgement::new(
            DataVerdict::Empty,
            "the restored volume holds no file of what was written",
            differences,
        ));
    }
    if is(State::Short) && !is(State::Other) && !is(State::Missing) {
        let message = format!("{} shorter than they were", of(count(State::Short), files));
        return Some(Judgement::new(DataVerdict::Truncated, message, differences));
    }
    // The late file is not among them: it is right where it is not.
    let late = |file: &File| file.bytes.is_none();
    let missing = count(State::Missing);
    let not_before = |of: bool| {
        states.iter().zip(&layout.files).filter(|(state, file)| late(file) == of && **state != State::Before).count()
    };
    let changed = not_before(false) - missing;
    let mut parts = Vec::new();
    if missing > 0 {
        parts.push(format!("{} missing", of(missing, files)));
    }
    if changed > 0 {
        parts.push(format!("{} not what was written", of(changed, files)));
    }
    if not_before(true) > 0 {
        parts.push("a file is there that was written to the source later".to_owned());
    }
    if many_count != MANY.to_string() {
        parts.push(format!("of {} small files {} are there", MANY, cut(many_count)));
    } else if many_digest != layout.many {
        parts.push("some of the small files are not what was written".to_owned());
    }
    if parts.is_empty() {
        // Every byte of every file is right.
        parts.push(format!("the content of all files is what was written, but not {}", beside(lines, &expected)));
    }
    let message = parts.join("; ");
    Some(Judgement::new(DataVerdict::Corrupted, message, differences))
}

/// `1 of 8 files is`, `2 of 8 files are`.
fn of(number: usize, files: usize) -> String {
    format!("{number} of {files} files {}", if number == 1 { "is" } else { "are" })
}
