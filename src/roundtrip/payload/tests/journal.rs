//! The journal: what the shells write, and what is made of it.

use super::*;
use crate::roundtrip::payload::journal::{Journal, RECORDS_BEFORE};

/// What a writer leaves that has begun so many records.
fn written(volume: &Volume, payload: &Payload, records: u64) -> Written {
    let more = format!(
        "tools\nwrite_data\nfill_journal \"$DATA\"\nreport wrote measure_journal\nwhile [ $recorded -lt {records} ]; do\n\
         recorded=$((recorded + 1))\nrecord $recorded \"$DATA\"\ndone\n"
    );
    let message = volume.run(&payload.journal_script(&more));
    let message = format!("{message}{CONFIRMED}\n{VERSION} recorded {records}{}", overwrote(payload));
    payload.judge_recorded(&message).unwrap_or_else(|fault| panic!("{fault:?}\n{message}"))
}

fn read(volume: &Volume, payload: &Payload, written: &Written) -> (Judgement, Option<Journal>) {
    let message = volume.run(&payload.journal_reader_script());
    payload.judge_journal(written, &message).unwrap_or_else(|error| panic!("{error:?}\n{message}"))
}

/// The slot of a record: a file or device, and an offset.
fn slot(volume: &Volume, record: u64) -> (PathBuf, u64) {
    let (area, offset) = (record % 4, record / 4 % 8 * 512);
    if volume.data().is_dir() {
        (volume.data().join("snapready-journal").join(area.to_string()), offset)
    } else {
        (volume.data(), (SIZE / 4096 / 16 * (4 * area + 2) + 1) * 4096 + offset)
    }
}

/// Puts something into the slot of a record.
fn put(volume: &Volume, record: u64, bytes: &[u8]) {
    let (path, offset) = slot(volume, record);
    fs::OpenOptions::new().write(true).open(path).unwrap().write_all_at(bytes, offset).unwrap();
}

/// A record as it is written.
fn record(payload: &Payload, number: u64) -> Vec<u8> {
    payload.content.make(content::Phase::Before, "journal-", 512, number * 8)
}

#[test]
fn a_writer_goes_on_writing_records_until_term() {
    for shell in SHELLS {
        for mode in [Filesystem, Block] {
            let (volume, payload) = (Volume::new(mode, shell), payload(mode));
            let pause = "sleep 0.1 2>/dev/null || sleep 1";
            let script = payload.recorder_script();
            assert_eq!(script.matches(pause).count(), 1);
            // It says when it has written some, so that no test waits for time to pass.
            let script =
                script.replace(pause, "[ $recorded -lt 37 ] || { echo ready; sleep 60 >/dev/null & wait $!; }");
            let mut writer = volume.command(&script).stdout(Stdio::piped()).spawn().unwrap();
            let mut ready = [0; 6];
            std::io::Read::read_exact(writer.stdout.as_mut().unwrap(), &mut ready).unwrap();
            assert!(volume.command(WRITTEN_HOOK).status().unwrap().success());
            // What a snapshot would hold.
            let snapshot = Volume::new(mode, shell);
            let copy = ["-af", "--sparse=always", "--no-target-directory"];
            assert!(Command::new("cp").args(copy).args([volume.data(), snapshot.data()]).status().unwrap().success());
            assert!(end(writer), "{shell:?} {mode:?}");
            let message = fs::read_to_string(volume.log()).unwrap();
            let written = payload.judge_recorded(&message).unwrap_or_else(|fault| panic!("{fault:?}\n{message}"));
            assert_eq!(written.recorded, Some(37));
            let (judgement, journal) = read(&snapshot, &payload, &written);
            assert_eq!((judgement.verdict, journal), (DataVerdict::Intact, Some(Journal::InOrder)), "{judgement:?}");
            assert!(judgement.message.contains("up to number 37 (32 were"), "{}", judgement.message);
            assert_eq!(read(&volume, &payload, &written).0.verdict, LiveData);
        }
    }
}

#[test]
fn a_record_that_is_lost_damaged_or_late_is_seen() {
    type Damage = fn(&Volume, &Payload);
    let begun = RECORDS_BEFORE + 8;
    let damages: [(Damage, &str); 8] = [
        (|volume, payload| put(volume, 38, &record(payload, 6)), "lacks record 38 although it has record 40"),
        (|volume, payload| put(volume, 20, &record(payload, 21)), "lacks record 20 although it has record 40"),
        (|volume, _| put(volume, 39, &[b'x'; 100]), "lacks record 39 although it has record 40"),
        (|volume, _| put(volume, 30, &[0; 512]), "lacks record 30 although it has record 40"),
        (
            |volume, payload| (37..39).for_each(|lost| put(volume, lost, &record(payload, lost - 32))),
            "lacks 2 records from number 37 on although it has record 40",
        ),
        (
            |volume, payload| (33..41).for_each(|lost| put(volume, lost, &record(payload, lost - 32))),
            "all up to number 32",
        ),
        (
            |volume, payload| {
                (33..41).for_each(|lost| put(volume, lost, &record(payload, lost - 32)));
                (31..33).for_each(|lost| put(volume, lost, &[0; 512]));
            },
            "the last record of the restored volume is number 30, although 32 were synced",
        ),
        (|volume, _| (1..33).for_each(|lost| put(volume, lost, &[0; 512])), "holds none of the 32 records"),
    ];
    for mode in [Filesystem, Block] {
        let (volume, payload) = (Volume::new(mode, SHELLS[0]), payload(mode));
        let written = written(&volume, &payload, begun);
        for (damage, message) in damages {
            (begun - RECORDS_BEFORE + 1..=begun).for_each(|whole| put(&volume, whole, &record(&payload, whole)));
            damage(&volume, &payload);
            let (judgement, journal) = read(&volume, &payload, &written);
            assert!(judgement.message.contains(message), "{message}: {judgement:?}");
            let is_whole = message.starts_with("all");
            assert_eq!(judgement.verdict == DataVerdict::Intact, is_whole, "{judgement:?}");
            assert_eq!(journal == Some(Journal::InOrder), is_whole, "{judgement:?}");
        }
    }
}

/// The record under way may be torn: that one alone, and only if one was.
#[test]
fn one_torn_record_is_the_one_under_way() {
    for mode in [Filesystem, Block] {
        let (volume, payload) = (Volume::new(mode, SHELLS[1]), payload(mode));
        let until_40 = written(&volume, &payload, 40);
        let until_41 = Written { recorded: Some(41), ..until_40.clone() };
        put(&volume, 41, &record(&payload, 41)[..64]);
        let journal = |written| read(&volume, &payload, written).1;
        assert_eq!((journal(&until_41), journal(&until_40)), (Some(Journal::InOrder), Some(Journal::OutOfOrder)));
        put(&volume, 42, &record(&payload, 42)[..64]);
        assert_eq!(journal(&until_41), Some(Journal::OutOfOrder));
    }
}

#[test]
fn where_nothing_was_written_meanwhile_nothing_is_shown() {
    let (volume, payload) = (Volume::new(Block, SHELLS[0]), payload(Block));
    let written = written(&volume, &payload, RECORDS_BEFORE);
    assert_eq!(read(&volume, &payload, &written).1, Some(Journal::NotWritten));
    // Other data that is not intact is told first.
    flip(&volume.data(), 0);
    let (judgement, journal) = read(&volume, &payload, &written);
    assert_eq!((judgement.verdict, journal), (Corrupted, None));
}

#[test]
fn a_record_that_the_volume_does_not_take_is_told() {
    for shell in SHELLS {
        let (volume, payload) = (Volume::new(Filesystem, shell), payload(Filesystem));
        for broken in ["make() { :; }", "area() { file=/proc/nothing; first=0; }"] {
            let script = payload.journal_script(&format!("{broken}\nrecord 7 \"$DATA\"\n"));
            fs::write(volume.log(), "").unwrap();
            assert_eq!(volume.command(&script).output().unwrap().status.code(), Some(1));
            let message = fs::read_to_string(volume.log()).unwrap();
            let fault = payload.judge_recorded(&message).unwrap_err();
            assert!(matches!(&fault, WriteFault::Volume { what, .. } if what == "write record 7"), "{fault:?}");
        }
    }
}

#[test]
fn reports_without_a_journal_say_nothing() {
    for mode in [Filesystem, Block] {
        let (volume, payload) = (Volume::new(mode, SHELLS[0]), payload(mode));
        let written = written(&volume, &payload, 33);
        let message = volume.run(&payload.journal_reader_script());
        let (rest, journal) = message.rsplit_once("\nj ").unwrap();
        let (digest, others) = journal.split_once(' ').unwrap();
        let upper = digest.to_uppercase();
        for journal in [String::new(), others.to_owned(), format!("{digest} {journal}"), format!("{upper}  {others}")] {
            assert!(payload.judge_journal(&written, &format!("{rest}\nj {journal}")).is_err(), "{journal}");
        }
        assert!(payload.judge_journal(&written, &format!("{rest}\nend")).is_err());
        assert!(payload.judge_journal(&written, &message[..message.len() - 1]).is_err());
        assert!(payload.judge_journal(&Written { recorded: None, ..written.clone() }, &message).is_err());
        // A reader that fails is told as by any reader.
        let failed = format!("{FAILED}image look for tools: awk: not found");
        assert!(payload.judge_journal(&written, &failed).unwrap_err().why.contains("the reader failed"));

        let report = volume.run(&payload.journal_script("report wrote measure_journal\n"));
        let tail = |recorded: &str| format!("{CONFIRMED}\n{VERSION} recorded {recorded}{}", overwrote(&payload));
        for recorded in ["", "31", "-1", "+40", "40 ", "99999999999999999999", "1000001"] {
            assert!(payload.judge_recorded(&format!("{report}{}", tail(recorded))).is_err(), "{recorded}");
        }
        // Record 33 is not one of those that are there before the report.
        let measured = payload.judge_recorded(&format!("{report}{}", tail("33"))).unwrap_err();
        assert!(matches!(measured, WriteFault::Measured { .. }), "{measured:?}");
        assert!(payload.judge_recorded(&format!("{report}{CONFIRMED}{}", overwrote(&payload))).is_err());
    }
}

#[test]
fn the_journal_lies_where_nothing_else_does() {
    for size in [128 << 10, 1 << 20, SIZE, (1 << 30) + 4095, 3 << 40] {
        let layout = block::Layout::new(&content::Content::new(b"x", 0), size);
        for area in 0..4 {
            let first = layout.part * (4 * area + 2) + 1;
            let taken =
                layout.extents.iter().any(|extent| (extent.first..extent.first + extent.count).contains(&first));
            assert!(!taken && first < size / 4096, "{size}: {first}");
        }
    }
}
