//! Verdicts from reports. A report is hostile text; one that is exactly the expected report is intact, one that is well
//! formed tells how the data went wrong, any other tells nothing.

use std::collections::BTreeSet;

use super::content::{Content, Phase};
use super::filesystem::File;
use super::{Judgement, Layout, MESSAGE_LIMIT, Payload, UnreadableReport, VERSION, WriteFault, Written};
use super::{block, filesystem};
use crate::report::document::DataVerdict;

/// At most so many characters of a report are shown.
const SHOWN: usize = 300;

pub(super) fn written(payload: &Payload, message: &str) -> Result<Written, WriteFault> {
    let unreadable = || WriteFault::Unreadable { text: cut(message) };
    if message.len() > MESSAGE_LIMIT {
        return Err(unreadable());
    }
    if let Some((blame, what, text)) = failure(message) {
        let (what, text) = (cut(what), cut(text));
        return Err(match blame {
            "image" => WriteFault::Image { what, text },
            "volume" => WriteFault::Volume { what, text },
            _ => unreadable(),
        });
    }
    let lines = body(payload, "wrote", message).map_err(|_| unreadable())?;
    let written = match &payload.layout {
        Layout::Filesystem(layout) => layout.written(message).unwrap_or_default(),
        Layout::Block(_) => Written::default(),
    };
    let expected = payload.expected_report("wrote", &written);
    if message == expected {
        return Ok(written);
    }
    let wanted: Vec<&str> = expected.lines().skip(1).collect();
    let differing = lines.iter().zip(&wanted).find(|(line, wanted)| line != wanted);
    let what = match differing {
        Some((line, wanted)) => format!("measured {:?}, expected {wanted:?}", cut(line)),
        None => format!("{} lines instead of {}", lines.len(), wanted.len().saturating_sub(1)),
    };
    Err(WriteFault::Measured { what })
}

pub(super) fn read(payload: &Payload, written: &Written, message: &str) -> Result<Judgement, UnreadableReport> {
    let unreadable = |why: &str| UnreadableReport { why: why.to_owned(), text: cut(message) };
    if message == payload.expected_report("read", written) {
        return Ok(Judgement::new(
            DataVerdict::Intact,
            "the restored data is what was written before the snapshot",
            vec![],
        ));
    }
    if message.is_empty() {
        return Err(unreadable("it is empty"));
    }
    if message.len() > MESSAGE_LIMIT {
        return Err(unreadable("it is too long"));
    }
    if let Some((_, what, text)) = failure(message) {
        return Err(unreadable(&format!("the reader failed: {}: {}", cut(what), cut(text))));
    }
    let lines = body(payload, "read", message).map_err(unreadable)?;
    let judgement = match &payload.layout {
        Layout::Filesystem(layout) => filesystem_report(layout, &payload.content, written, &lines),
        Layout::Block(layout) => block_report(layout, &payload.content, &lines),
    };
    judgement.ok_or_else(|| unreadable("its lines are not those of a report"))
}

/// The lines between the first and the last.
fn body<'a>(payload: &Payload, verb: &str, message: &'a str) -> Result<Vec<&'a str>, &'static str> {
    let first = format!("{VERSION} {verb} {}\n", payload.content.seed);
    let rest = message.strip_prefix(&first).ok_or("it does not begin as this run's report does")?;
    let rest = rest.strip_suffix("\nend").ok_or("it is cut: its last line is missing")?;
    Ok(rest.split('\n').collect())
}

/// `snapready/1 failed BLAME WHAT: TEXT`.
fn failure(message: &str) -> Option<(&str, &str, &str)> {
    let rest = message.strip_prefix(VERSION)?.strip_prefix(" failed ")?;
    let (head, text) = rest.split_once(": ")?;
    let (blame, what) = head.split_once(' ')?;
    Some((blame, what, text))
}

/// One line of printable characters, cut.
fn cut(text: &str) -> String {
    let printable = |c: char| if c.is_control() { ' ' } else { c };
    let mut shown: String = text.trim().chars().take(SHOWN).map(printable).collect();
    if text.trim().chars().count() > SHOWN {
        shown.push('…');
    }
    shown
}

/// Whose data a file or block begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Begins<'a> {
    Ours(Phase),
    /// Of another seed.
    Other(&'a str),
    Unknown,
}

fn begins<'a>(content: &Content, text: &'a str) -> Begins<'a> {
    for phase in [Phase::Before, Phase::After] {
        if text == content.begins(phase) {
            return Begins::Ours(phase);
        }
    }
    let Some((seed, phase)) = text.split_once('?') else {
        return Begins::Unknown;
    };
    let is_seed = seed.len() == 16
        && seed.starts_with('s')
        && seed.bytes().skip(1).all(|c| c.is_ascii_digit() || (b'a'..=b'f').contains(&c));
    let is_phase = [Phase::Before, Phase::After].iter().any(|known| known.word() == phase);
    if is_seed && is_phase && seed != content.seed { Begins::Other(seed) } else { Begins::Unknown }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Before,
    After,
    Missing,
    /// Shorter than it was; or, for blocks, only zeros or nothing.
    Short,
    Other,
}

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

fn filesystem_report(
    layout: &filesystem::Layout,
    content: &Content,
    written: &Written,
    lines: &[&str],
) -> Option<Judgement> {
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
        let message = "the restored volume holds what was written after the snapshot: the live volume was copied, not the snapshot";
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
    let not_there_before = |file: &File| file.bytes.is_none();
    let mut states_of_files = states.iter().zip(&layout.files).filter(|(_, file)| !not_there_before(file));
    let missing = count(State::Missing);
    let changed = states_of_files.by_ref().filter(|(state, _)| **state != State::Before).count() - missing;
    let mut parts = Vec::new();
    if missing > 0 {
        parts.push(format!("{} missing", of(missing, files)));
    }
    if changed > 0 {
        parts.push(format!("{} not what was written", of(changed, files)));
    }
    if states.iter().zip(&layout.files).any(|(state, file)| not_there_before(file) && *state != State::Before) {
        parts.push("a file is there that was not there before the snapshot".to_owned());
    }
    if many_count != filesystem::MANY.to_string() {
        parts.push(format!("of {} small files {} are there", filesystem::MANY, cut(many_count)));
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

/// What a line of a report says, and what it should.
fn difference(line: &str, expected: &str) -> String {
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
fn beside(lines: &[&str], expected: &[String]) -> String {
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

fn block_report(layout: &block::Layout, content: &Content, lines: &[&str]) -> Option<Judgement> {
    if lines.len() != layout.extents.len() {
        return None;
    }
    let nothing = super::content::digest(&[]);
    let mut states = Vec::new();
    let mut heads = Vec::new();
    let mut differences = Vec::new();
    for (line, extent) in lines.iter().zip(&layout.extents) {
        let rest = line.strip_prefix("b ")?.strip_prefix(&extent.first.to_string())?.strip_prefix(' ')?;
        let (digest, head) = rest.split_once(' ')?;
        let state = match digest {
            _ if digest == extent.before => State::Before,
            _ if digest == extent.after => State::After,
            _ if digest == extent.zeros => State::Short,
            _ if digest == nothing => State::Missing,
            _ => State::Other,
        };
        let seen = match state {
            State::Before => None,
            State::After => Some("what was written after the snapshot".to_owned()),
            State::Short => Some("zeros".to_owned()),
            State::Missing => Some("nothing: the device ends before it, or cannot be read".to_owned()),
            State::Other => Some(match layout.extents.iter().find(|other| other.before == digest) {
                Some(other) => format!("what belongs to block {}", other.first),
                None => format!("other content, which begins with {:?}", cut(head)),
            }),
        };
        let place = format!("blocks of 4 KiB from {}, {} of them", extent.first, extent.count);
        differences.extend(seen.map(|seen| format!("{place}: {seen}")));
        states.push(state);
        heads.push(begins(content, head));
    }
    let all = |allowed: &[State]| states.iter().all(|state| allowed.contains(state));
    let foreign = heads.iter().find_map(|head| match head {
        Begins::Other(seed) => Some(*seed),
        Begins::Ours(_) | Begins::Unknown => None,
    });
    let wrong = states.iter().filter(|state| **state != State::Before).count();
    let (verdict, message) = if states.contains(&State::After) || heads.contains(&Begins::Ours(Phase::After)) {
        let message = "the restored device holds what was written after the snapshot: the live volume was copied, not the snapshot";
        (DataVerdict::LiveData, message.to_owned())
    } else if all(&[State::Short]) {
        (DataVerdict::Empty, "the restored device holds only zeros where data was written".to_owned())
    } else if all(&[State::Missing]) {
        // A device of no size and one that cannot be read look alike, so this is no statement about its content.
        return None;
    } else if !states.contains(&State::Before) && !heads.contains(&Begins::Ours(Phase::Before)) {
        match foreign {
            Some(seed) => (
                DataVerdict::WrongVolume,
                format!("the restored device holds the data of another round trip (seed {seed})"),
            ),
            None => (
                DataVerdict::WrongVolume,
                "the restored device holds other content than any that was written".to_owned(),
            ),
        }
    } else if is_cut(&states) {
        (
            DataVerdict::Truncated,
            format!("the restored device ends early: {wrong} of {} stretches are lost at its end", states.len()),
        )
    } else {
        (DataVerdict::Corrupted, format!("{wrong} of {} stretches of blocks are not what was written", states.len()))
    };
    // A line may differ from the expected report although its digest is right: then something is wrong with the report.
    if wrong == 0 {
        return None;
    }
    Some(Judgement::new(verdict, message, differences))
}

/// Whether intact stretches are followed only by zeros or nothing; the stretch at the cut may be partly there.
fn is_cut(states: &[State]) -> bool {
    let intact = states.iter().take_while(|state| **state == State::Before).count();
    let rest = states.get(intact..).unwrap_or_default();
    let rest = rest.strip_prefix(&[State::Other]).unwrap_or(rest);
    intact > 0 && !rest.is_empty() && rest.iter().all(|state| matches!(state, State::Short | State::Missing))
}
