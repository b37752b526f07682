//! Verdicts from reports. A report is hostile text; one that is exactly the expected report is intact, one that is well
//! formed tells how the data went wrong, any other tells nothing.

mod block;
mod difference;
mod filesystem;

use super::content::{Content, Phase};
use super::{FAILED, Judgement, Layout, MESSAGE_LIMIT, Payload, UnreadableReport, VERSION, WriteFault, Written};
use crate::model::DataVerdict;
use snapready_checks::roundtrip::device_denied::Device;

/// At most so many characters of a report are shown.
const SHOWN: usize = 300;

pub(super) fn written(payload: &Payload, message: &str) -> Result<Written, WriteFault> {
    failed(message)?;
    let overwrote = format!("\n{VERSION} confirmed\n{VERSION} overwrote {}", payload.content.seed);
    match message.strip_suffix(&overwrote) {
        Some(message) => filled(payload, message),
        None => Err(WriteFault::Unreadable { text: cut(message) }),
    }
}

pub(super) fn overwritten(payload: &Payload, message: &str) -> Result<(), WriteFault> {
    failed(message)?;
    let overwrote = format!("{VERSION} overwrote {}", payload.content.seed);
    if message == overwrote { Ok(()) } else { Err(WriteFault::Unreadable { text: cut(message) }) }
}

/// What a script says that could not do its work; and what is too long for any report.
pub(super) fn failed(message: &str) -> Result<(), WriteFault> {
    let unreadable = || WriteFault::Unreadable { text: cut(message) };
    if message.len() > MESSAGE_LIMIT {
        return Err(unreadable());
    }
    let Some((blame, what, text)) = failure(message) else { return Ok(()) };
    if let ("device", Some(device)) = (blame, Device::read(text)) {
        return Err(WriteFault::Device { device, text: cut(text) });
    }
    let (what, text) = (cut(what), cut(text));
    Err(match blame {
        "image" => WriteFault::Image { what, text },
        "volume" => WriteFault::Volume { what, text },
        "node" => WriteFault::Node { text },
        _ => unreadable(),
    })
}

pub(super) fn filled(payload: &Payload, message: &str) -> Result<Written, WriteFault> {
    failed(message)?;
    let unreadable = || WriteFault::Unreadable { text: cut(message) };
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
    let unreadable = |why: &str| unreadable(why, message);
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
    if let Some((blame, what, text)) = failure(message) {
        let device = Device::read(text).filter(|_| blame == "device");
        return Err(UnreadableReport {
            device,
            ..unreadable(&format!("the reader failed: {}: {}", cut(what), cut(text)))
        });
    }
    let lines = body(payload, "read", message).map_err(unreadable)?;
    let judgement = match &payload.layout {
        Layout::Filesystem(layout) => filesystem::report(layout, &payload.content, written, &lines),
        Layout::Block(layout) => block::report(layout, &payload.content, &lines),
    };
    judgement.ok_or_else(|| unreadable("its lines are not those of a report"))
}

/// The line before the last says for how many bytes there is room.
pub(super) fn sized(payload: &Payload, written: &Written, message: &str) -> Result<(Judgement, u64), UnreadableReport> {
    let unreadable = || unreadable("it does not say how large the volume is", message);
    let Some((rest, room)) = message.strip_suffix("\nend").and_then(|rest| rest.rsplit_once("\ns ")) else {
        // Another fault has precedence.
        read(payload, written, message)?;
        return Err(unreadable());
    };
    let digits = !room.is_empty() && room.bytes().all(|digit| digit.is_ascii_digit());
    let room = room.parse::<u64>().ok().filter(|_| digits).ok_or_else(unreadable)?;
    Ok((read(payload, written, &format!("{rest}\nend"))?, room))
}

pub(super) fn unreadable(why: &str, message: &str) -> UnreadableReport {
    UnreadableReport { why: why.to_owned(), text: cut(message), device: None }
}

/// The lines between the first and the last.
pub(super) fn body<'a>(payload: &Payload, verb: &str, message: &'a str) -> Result<Vec<&'a str>, &'static str> {
    let first = format!("{VERSION} {verb} {}\n", payload.content.seed);
    let rest = message.strip_prefix(&first).ok_or("it does not begin as this run's report does")?;
    let rest = rest.strip_suffix("\nend").ok_or("it is cut: its last line is missing")?;
    Ok(rest.split('\n').collect())
}

/// `snapready/1 failed BLAME WHAT: TEXT`.
pub(super) fn failure(message: &str) -> Option<(&str, &str, &str)> {
    let rest = message.strip_prefix(FAILED)?;
    let (head, text) = rest.split_once(": ")?;
    let (blame, what) = head.split_once(' ')?;
    Some((blame, what, text))
}

/// One line of printable characters, cut.
pub(super) fn cut(text: &str) -> String {
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
