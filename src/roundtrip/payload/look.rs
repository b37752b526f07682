//! A look at data that the run has not written: how much there is, and whether it can be read.

use super::judge::{body, cut, failure, unreadable};
use super::{Judgement, Layout, MESSAGE_LIMIT, Payload, UnreadableReport};
use crate::model::{Contents, DataVerdict};
use snapready_checks::roundtrip::device_denied::Device;

/// What a look at restored data shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    /// What is there.
    pub contents: Contents,
    /// What follows from it; `None` if nothing could be seen, because all of it is closed to the pod.
    pub judgement: Option<Judgement>,
}

/// What a report says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Report<'a> {
    size: u64,
    /// Files, folders with that of the volume, bytes.
    counted: Option<(u64, u64, u64)>,
    all_counted: bool,
    read: u64,
    to_end: bool,
    /// Bytes of a device that are not zero.
    data: u64,
    has_lost_and_found: bool,
    closed: u64,
    wrong: u64,
    first_wrong: &'a str,
}

/// What the report of [`Payload::look_script`] shows. `least` is what the volume has to have, if that is known.
pub(super) fn judged(payload: &Payload, least: u64, message: &str) -> Result<Look, UnreadableReport> {
    if message.len() > MESSAGE_LIMIT {
        return Err(unreadable("it is too long", message));
    }
    if let Some((blame, what, text)) = failure(message) {
        let device = Device::read(text).filter(|_| blame == "device");
        let why = format!("the reader failed: {}: {}", cut(what), cut(text));
        return Err(UnreadableReport { device, ..unreadable(&why, message) });
    }
    let lines = body(payload, "looked", message).map_err(|why| unreadable(why, message))?;
    let look = match (&payload.layout, lines.as_slice()) {
        (Layout::Filesystem(_), [size, counted, read, seen, said]) => {
            filesystem([size, counted, read, seen, said]).map(|report| of_filesystem(&report))
        }
        (Layout::Block(_), [read, said]) => block(read, said).map(|report| of_block(&report, least)),
        _ => None,
    };
    look.ok_or_else(|| unreadable("its lines are not those of a report", message))
}

fn filesystem([size, counted, read, seen, said]: [&str; 5]) -> Option<Report<'_>> {
    let (size, lost) = size.strip_prefix("s ")?.split_once(' ')?;
    let (counted, all_counted) = counted.strip_prefix("c ")?.rsplit_once(' ')?;
    let mut counts = counted.split(' ').map(number);
    let counted = (counts.next()??, counts.next()??, counts.next()??);
    let (read, end) = read.strip_prefix("r ")?.split_once(' ')?;
    let (closed_folders, wrong_seen, first_seen) = faults(seen.strip_prefix("w ")?)?;
    let (closed, wrong_read, first_read) = faults(said.strip_prefix("x ")?)?;
    // What could not be looked at was tried a second time when it was read.
    let (wrong, first_wrong) =
        if wrong_seen > 0 { (wrong_seen.max(wrong_read), first_seen) } else { (wrong_read, first_read) };
    Some(Report {
        size: number(size)?,
        counted: Some(counted),
        read: number(read)?,
        all_counted: to_end(all_counted)?,
        to_end: to_end(end)?,
        has_lost_and_found: lost == "formatted",
        closed: closed.max(closed_folders),
        wrong,
        first_wrong,
        ..Report::default()
    })
}

fn block<'a>(read: &'a str, said: &'a str) -> Option<Report<'a>> {
    let mut words = read.strip_prefix("d ")?.split(' ');
    let (read, end, data) = (number(words.next()?)?, to_end(words.next()?)?, number(words.next()?)?);
    let first_wrong = said.strip_prefix("x ").or_else(|| said.strip_prefix('x'))?;
    let wrong = u64::from(!first_wrong.is_empty());
    Some(Report { size: read, read, to_end: end, data, wrong, first_wrong, ..Report::default() })
}

/// Of what somebody complained: how often something was closed, how often something else was wrong, and the first of that.
fn faults(text: &str) -> Option<(u64, u64, &str)> {
    let (closed, rest) = text.split_once(' ')?;
    let (wrong, first) = rest.split_once(' ').unwrap_or((rest, ""));
    Some((number(closed)?, number(wrong)?, first))
}

fn number(text: &str) -> Option<u64> {
    text.parse().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()))
}

fn to_end(word: &str) -> Option<bool> {
    match word {
        "end" => Some(true),
        "early" => Some(false),
        _ => None,
    }
}

fn of_filesystem(report: &Report<'_>) -> Look {
    let (files, folders, bytes) = report.counted.unwrap_or_default();
    // That of the volume itself is no content.
    let folders = folders.saturating_sub(1);
    let contents = Contents {
        size: report.size,
        files: Some(files),
        folders: Some(folders),
        bytes,
        read: report.read,
        read_to_end: report.to_end && report.all_counted,
        closed: report.closed,
    };
    let found = format!(
        "{}{} and {} with {} in a file system of {}",
        if report.all_counted { "" } else { "at least " },
        count(files, "file"),
        count(folders, "folder"),
        Bytes(bytes),
        Bytes(report.size)
    );
    let judgement = if report.wrong > 0 {
        let message = format!("the restored file system cannot be read everywhere: {}", cut(report.first_wrong));
        Some(Judgement::new(
            DataVerdict::Corrupted,
            message,
            vec![found, count(report.wrong, "error"), cut(report.first_wrong)],
        ))
    } else if files > 0 {
        let read = match (report.closed, contents.read_to_end) {
            (0, true) => "all of them were read".to_owned(),
            (closed, true) => format!("{} could not be opened by the pod's user, the rest was read", entries(closed)),
            (0, false) => format!("{} were read before the time was up", Bytes(report.read)),
            (closed, false) => format!(
                "{} were read before the time was up; {} could not be opened by the pod's user",
                Bytes(report.read),
                entries(closed)
            ),
        };
        Some(Judgement::new(DataVerdict::Readable, format!("restored, mounted, readable: {found}; {read}"), vec![]))
    } else if report.closed > 0 {
        None
    } else if folders == 0 && report.has_lost_and_found {
        let message = "the restored volume holds a new file system without files".to_owned();
        Some(Judgement::new(DataVerdict::FreshlyFormatted, message, vec![found]))
    } else {
        Some(Judgement::new(DataVerdict::Empty, "the restored volume holds no files", vec![found]))
    };
    Look { contents, judgement }
}

fn of_block(report: &Report<'_>, least: u64) -> Look {
    let contents = Contents {
        size: report.size,
        files: None,
        folders: None,
        bytes: report.data,
        read: report.read,
        read_to_end: report.to_end,
        closed: 0,
    };
    let judgement = if report.wrong > 0 {
        let message = format!("the restored device cannot be read to its end: {}", cut(report.first_wrong));
        Judgement::new(DataVerdict::Corrupted, message, vec![format!("read: {} bytes", report.read)])
    } else if report.to_end && report.size < least {
        let message =
            format!("the restored device ends after {}; its claim asked for {}", Bytes(report.size), Bytes(least));
        Judgement::new(DataVerdict::Truncated, message, vec![format!("size: {} bytes", report.size)])
    } else if report.data == 0 && report.to_end {
        let message = format!("the restored device of {} holds only zeros", Bytes(report.size));
        Judgement::new(DataVerdict::Empty, message, vec![format!("read: {} bytes, all of them 0", report.read)])
    } else if report.data == 0 {
        return Look { contents, judgement: None };
    } else {
        let read = if report.to_end { "to its end" } else { "before the time was up" };
        let message = format!(
            "restored, attached, readable: {} were read {read}, {} of them not zero",
            Bytes(report.read),
            Bytes(report.data)
        );
        Judgement::new(DataVerdict::Readable, message, vec![])
    };
    Look { contents, judgement: Some(judgement) }
}

/// A number of bytes as people read it.
struct Bytes(u64);

impl std::fmt::Display for Bytes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        const UNITS: [&str; 5] = ["KiB", "MiB", "GiB", "TiB", "PiB"];
        let mut unit = "bytes";
        let (mut whole, mut tenths) = (self.0, 0);
        for next in UNITS {
            if whole < 1024 {
                break;
            }
            (whole, tenths) = (whole / 1024, whole % 1024 * 10 / 1024);
            unit = next;
        }
        if unit == "bytes" || tenths == 0 { write!(f, "{whole} {unit}") } else { write!(f, "{whole}.{tenths} {unit}") }
    }
}

fn count(number: u64, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

fn entries(number: u64) -> String {
    if number == 1 { "1 file or folder".to_owned() } else { format!("{number} files or folders") }
}
