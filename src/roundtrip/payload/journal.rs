//! The journal of a source that is written to while it is snapshotted: a ring of numbered records, each synced before the next is
//! begun. A snapshot that is a point in time has all of them up to some number. Their content follows from seed and number, so a
//! digest tells which record a slot holds, and whether all of it.

use super::content::{Content, Phase, digest};
use super::judge::{self, unreadable};
use super::{Judgement, Layout, Payload, UnreadableReport, VERSION, WriteFault, Written};
use crate::model::DataVerdict;

/// Places on the volume, each of 4 KiB, that take records in turn.
const AREAS: u64 = 4;
/// Records of an area.
const SLOTS: u64 = 8;
const RING: u64 = AREAS * SLOTS;
/// So many records are synced before the writer reports: all slots hold one.
pub const RECORDS_BEFORE: u64 = RING;
const ID: &str = "journal-";
const BYTES: u64 = 512;
const LINES: u64 = 8;
/// How much of a digest is reported.
const SHOWN: usize = 16;
/// Nobody writes more records than that: it would take more than half a day.
const MOST: u64 = 1_000_000;

/// What the journal of a volume shows whose other data is intact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Journal {
    /// It has all records up to one.
    InOrder,
    /// It lacks a record that was synced before another that it has, or before the snapshot.
    OutOfOrder,
    /// Nothing was written while the snapshot was taken, so nothing is shown.
    NotWritten,
}

/// What a slot holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Slot {
    Record(u64),
    /// Zeros, or it cannot be read.
    Nothing,
    Other,
}

impl Payload {
    /// As [`Self::writer_script`], but with a journal, to which it goes on writing until TERM.
    #[must_use]
    pub fn recorder_script(&self) -> String {
        self.journal_script("tools\nwrite_data\nfill_journal \"$DATA\"\nhold_recording\n")
    }

    /// Reports what is there, and the journal.
    #[must_use]
    pub fn journal_reader_script(&self) -> String {
        self.journal_script("tell_end\ntools\nreport read measure_journal\n")
    }

    pub(super) fn journal_script(&self, end: &str) -> String {
        let part = match &self.layout {
            Layout::Filesystem(_) => String::new(),
            Layout::Block(layout) => format!("PART={}\n", layout.part),
        };
        let variables = format!("AREAS={AREAS}\nSLOTS={SLOTS}\nFILLED={RECORDS_BEFORE}\n{part}");
        self.script(&format!("{variables}{}\n{end}", include_str!("scripts/journal.sh")))
    }

    /// As [`Self::judge_written`], for a report of [`Self::recorder_script`].
    pub fn judge_recorded(&self, message: &str) -> Result<Written, WriteFault> {
        judge::failed(message)?;
        let unreadable = || WriteFault::Unreadable { text: judge::cut(message) };
        let overwrote = format!("\n{VERSION} overwrote {}", self.content.seed);
        let (report, recorded) = message
            .strip_suffix(&overwrote)
            .and_then(|rest| rest.rsplit_once(&format!("\n{VERSION} recorded ")))
            .ok_or_else(unreadable)?;
        let recorded = number(recorded).filter(|number| (RECORDS_BEFORE..=MOST).contains(number));
        let report = report.strip_suffix(&format!("\n{VERSION} confirmed")).ok_or_else(unreadable)?;
        let (rest, journal) = split(report).ok_or_else(unreadable)?;
        let written = self.judge_filled(&rest)?;
        if journal != self.filled_ring() {
            return Err(WriteFault::Measured { what: "the records of the journal are others".to_owned() });
        }
        Ok(Written { recorded: Some(recorded.ok_or_else(unreadable)?), ..written })
    }

    /// As [`Self::judge_read`], for a report of [`Self::journal_reader_script`]; and what the journal shows, if the other data is
    /// intact.
    pub fn judge_journal(
        &self,
        written: &Written,
        message: &str,
    ) -> Result<(Judgement, Option<Journal>), UnreadableReport> {
        let unreadable = |why: &str| unreadable(why, message);
        let Some((rest, journal)) = split(message) else {
            // Another fault has precedence.
            self.judge_read(written, message)?;
            return Err(unreadable("it does not say which records there are"));
        };
        let judgement = self.judge_read(written, &rest)?;
        if judgement.verdict != DataVerdict::Intact {
            return Ok((judgement, None));
        }
        let recorded = written.recorded.ok_or_else(|| unreadable("nobody knows how many records were written"))?;
        let ring = self.ring(journal, recorded).ok_or_else(|| unreadable("its journal is not one"))?;
        let (judgement, journal) = judged(&ring, recorded);
        Ok((judgement, Some(journal)))
    }

    /// How the journal is reported when the writer has filled it.
    fn filled_ring(&self) -> String {
        let mut records: Vec<u64> = (1..=RECORDS_BEFORE).collect();
        records.sort_by_key(|record| place(*record));
        records.iter().map(|record| shown(&self.content, *record)).collect::<Vec<_>>().join(" ")
    }

    /// What the slots hold, as far as these are records up to this one.
    fn ring(&self, line: &str, recorded: u64) -> Option<Vec<Slot>> {
        let digests: Vec<&str> = line.split(' ').collect();
        let is_digest = |text: &&str| text.len() == SHOWN && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        if digests.len() as u64 != RING || !digests.iter().all(is_digest) {
            return None;
        }
        let nothing = [digest(&[0; 512]), digest(&[])];
        let empty = |digest: &&str| nothing.iter().any(|nothing| nothing.starts_with(*digest));
        let mut ring: Vec<Slot> =
            digests.iter().map(|digest| if empty(digest) { Slot::Nothing } else { Slot::Other }).collect();
        for record in 1..=recorded {
            if digests.get(place(record)) == Some(&shown(&self.content, record).as_str())
                && let Some(slot) = ring.get_mut(place(record))
            {
                *slot = Slot::Record(record);
            }
        }
        Some(ring)
    }
}

/// The report without its journal, and that.
fn split(message: &str) -> Option<(String, &str)> {
    let (rest, journal) = message.strip_suffix("\nend")?.rsplit_once("\nj ")?;
    Some((format!("{rest}\nend"), journal))
}

/// The place of a record's slot in reports.
fn place(record: u64) -> usize {
    usize::try_from(record % AREAS * SLOTS + record / AREAS % SLOTS).unwrap_or_default()
}

/// How the digest of a record begins.
fn shown(content: &Content, record: u64) -> String {
    let mut digest = content.digest(Phase::Before, ID, BYTES, record * LINES);
    digest.truncate(SHOWN);
    digest
}

fn number(text: &str) -> Option<u64> {
    text.parse().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()))
}

/// `recorded` is the last record that was begun.
fn judged(ring: &[Slot], recorded: u64) -> (Judgement, Journal) {
    let holds = |record: u64| ring.get(place(record)).copied().unwrap_or(Slot::Other);
    let records = ring.iter().filter_map(|slot| if let Slot::Record(record) = slot { Some(*record) } else { None });
    let Some(last) = records.max() else {
        let message = format!(
            "the restored volume holds none of the {RECORDS_BEFORE} records that were synced before the snapshot"
        );
        return broken(message, Vec::new());
    };
    // The next record goes into the slot of the oldest, and may be under way.
    let may_be = |record: u64| record + RING == last + 1 && last < recorded && holds(record) == Slot::Other;
    let wrong: Vec<u64> = ((last + 1).saturating_sub(RING).max(1)..=last.max(RECORDS_BEFORE))
        .filter(|record| holds(*record) != Slot::Record(*record) && !may_be(*record))
        .collect();
    let lines: Vec<String> = wrong
        .iter()
        .map(|record| match holds(*record) {
            Slot::Record(older) => format!("record {record}: its place holds record {older}"),
            Slot::Nothing => format!("record {record}: its place is empty"),
            Slot::Other => format!("record {record}: its place holds something else"),
        })
        .collect();
    let Some(first) = wrong.first() else {
        let message = format!(
            "the restored data is what was written before the snapshot, and of the records that were written meanwhile it has all \
             up to number {last} ({RECORDS_BEFORE} were synced before the snapshot, {recorded} were written in the end)"
        );
        let journal = if recorded > RECORDS_BEFORE { Journal::InOrder } else { Journal::NotWritten };
        return (Judgement::new(DataVerdict::Intact, message, Vec::new()), journal);
    };
    if last < RECORDS_BEFORE {
        return broken(
            format!(
                "the last record of the restored volume is number {last}, although {RECORDS_BEFORE} were synced before the snapshot"
            ),
            lines,
        );
    }
    let lacks = match wrong.len() {
        1 => format!("record {first}"),
        more => format!("{more} records from number {first} on"),
    };
    broken(
        format!(
            "the restored volume lacks {lacks} although it has record {last}: the snapshot did not keep the order of writes"
        ),
        lines,
    )
}

fn broken(message: String, lines: Vec<String>) -> (Judgement, Journal) {
    (Judgement::new(DataVerdict::Corrupted, message, lines), Journal::OutOfOrder)
}
