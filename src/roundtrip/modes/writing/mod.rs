//! Snapshots a volume that is written to: see `doc.md`. It differs from the plain mode in what two pods do.

use crate::model::StepId;
use crate::roundtrip::modes::plain::{self, READER, WRITER};
use crate::roundtrip::modes::{Making, Mode, Shape};
use crate::roundtrip::objects::{self, Manifest};
use crate::roundtrip::program::{Object, Program, Task};

/// The mode.
pub static MODE: Mode = Mode {
    name: "writing",
    doc: include_str!("doc.md"),
    program,
    manifest,
    chain: plain::chain,
    passed,
    needs: &[],
    prevented: |_, _, _| None,
    #[cfg(test)]
    nature: plain::nature::NATURE,
};

fn program(shape: Shape) -> Program {
    let plain = plain::program(shape);
    let with_journal = |object: &Object| match object.id {
        WRITER => object.clone().doing(Task::Record),
        READER => object.clone().doing(Task::ReadJournal),
        _ => object.clone(),
    };
    Program::new(plain.objects().iter().map(with_journal).collect(), plain.acts().to_vec())
}

fn manifest(making: &Making<'_>) -> Option<Manifest> {
    match making.object.id {
        WRITER => Some(objects::recorder(making, "source")),
        READER => Some(objects::journal_reader(making, "restored")),
        _ => plain::manifest(making),
    }
}

fn passed(step: StepId) -> Option<&'static str> {
    match step {
        StepId::Write => Some("data and the first records of a journal written and synced"),
        StepId::Snapshot => Some("ready to use, taken while the journal was written to"),
        _ => None,
    }
}
