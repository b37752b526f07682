//! The restored data is what was snapshotted.

mod looked_at;

use crate::model::check::Check;
use crate::roundtrip::check;

pub use looked_at::{looked_at, nothing_seen};

/// See `doc.md`.
pub const CHECK: Check =
    check("SR302", "data-intact", "The restored data is what was snapshotted", include_str!("doc.md"));

use crate::model::finding::{Evidence, Fix, Status};
use crate::model::object::ObjectName;
use crate::model::round_trip::{DataVerdict, Origin};
use crate::moment::{Advice, Explanation, Subject};

/// At most so many differences are shown.
const SHOWN: usize = 12;
/// What to do about all clones that are none.
const NO_CLONES: &str = "Do not rely on clones of this driver; its snapshots are another matter, and other modes show it. Update the driver, and report it to its maker.";

/// The result of comparing the restored data: `message` and `evidence` say what was measured.
#[must_use]
pub fn compared(
    subject: &Subject,
    verdict: DataVerdict,
    message: &str,
    evidence: impl IntoIterator<Item = Evidence>,
) -> Explanation {
    let status = if verdict.is_good() { Status::Pass } else { Status::Fail };
    let explanation =
        Explanation::new(&CHECK, status, message).about(subject).evidence(evidence.into_iter().take(SHOWN));
    let driver = subject.driver.as_deref().unwrap_or("the driver");
    let (cause, text) = match (verdict, subject.origin) {
        (DataVerdict::Intact | DataVerdict::Readable, _) => return explanation,
        (verdict, Origin::Volume) => (of_clone(driver, verdict), NO_CLONES),
        (verdict, Origin::VolumeSnapshot) => of_snapshot(driver, verdict),
    };
    explanation.cause(cause).fix(Fix::text(text)).advise(Advice::Again)
}

/// Why a restore is none, and what to do.
fn of_snapshot(driver: &str, verdict: DataVerdict) -> (String, &'static str) {
    match verdict {
        DataVerdict::Intact | DataVerdict::Readable => (String::new(), ""),
        DataVerdict::LiveData => (
            format!("{driver} copied the live volume instead of the snapshot, or its snapshot is not a point in time"),
            "Do not rely on this driver's snapshots: restores hold newer data than the backup. Update the driver, and report it to its maker.",
        ),
        DataVerdict::Empty => (
            format!("{driver} created a new volume and restored nothing into it"),
            "Do not rely on this driver's snapshots: restores are empty. Update the driver, and check the snapshot on the storage's side.",
        ),
        DataVerdict::FreshlyFormatted => (
            format!("{driver} formatted the restored volume instead of keeping its file system"),
            "Do not rely on this driver's snapshots: restores are empty. Update the driver's node plugin: it takes a restored volume for a new one.",
        ),
        DataVerdict::Truncated => (
            format!(
                "{driver} restored only the beginning of the data, or the snapshot was taken before it was on the disk"
            ),
            "Do not rely on this driver's snapshots: restores are incomplete. Check for failed copies on the storage's side, and update the driver.",
        ),
        DataVerdict::Corrupted => (
            "the snapshot or its restore changed the data".to_owned(),
            "Do not rely on this driver's snapshots. Check the storage's health, update the driver, and report it to its maker.",
        ),
        DataVerdict::WrongVolume => (
            format!("{driver} restored another volume's data"),
            "Do not rely on this driver's snapshots: a restore shows data of somebody else. Report it to the driver's maker.",
        ),
    }
}

/// Why a clone is none.
fn of_clone(driver: &str, verdict: DataVerdict) -> String {
    match verdict {
        DataVerdict::Intact | DataVerdict::Readable => String::new(),
        DataVerdict::LiveData => {
            format!("{driver} made a clone that changes with its source, or copied the source later")
        }
        DataVerdict::Empty => format!("{driver} created a new volume and copied nothing into it"),
        DataVerdict::FreshlyFormatted => format!("{driver} formatted the clone instead of keeping its file system"),
        DataVerdict::Truncated => {
            format!("{driver} copied only the beginning of the data, or what was on the disk before it was written")
        }
        DataVerdict::Corrupted => format!("{driver} changed the data when it copied the volume"),
        DataVerdict::WrongVolume => format!("{driver} cloned another volume"),
    }
}

/// The result of records that a source in use got one after the other, and of which the restored volume lacks one that was synced
/// before another that it has, or before the snapshot: `message` and `evidence` say which.
#[must_use]
pub fn out_of_order(subject: &Subject, message: &str, evidence: impl IntoIterator<Item = Evidence>) -> Explanation {
    let driver = subject.driver_in_words();
    Explanation::fail(&CHECK, message)
        .about(subject)
        .evidence(evidence.into_iter().take(SHOWN))
        .cause(format!(
            "a snapshot of {driver} is not what the volume held at one moment: it was taken piece by piece, or lacks what was still in a cache, while the volume was written to"
        ))
        .fix(Fix::text(
            "Do not snapshot volumes of this driver while they are written to: databases do not survive such a restore. Stop the workload or freeze its file system before (hooks of the backup product). Update the driver, and report it to its maker.",
        ))
        .advise(Advice::Again)
}

/// The result of a snapshot during which the source was not written to, although it should have been: the order of writes is not
/// shown.
#[must_use]
pub fn not_written_meanwhile(subject: &Subject) -> Explanation {
    Explanation::new(&CHECK, Status::Unknown, "the data is intact, but nothing was written while the snapshot was taken")
        .about(subject)
        .cause("the pod that writes did not come to write a record between its report and the end of the snapshot, so nothing is shown about writes under way")
        .fix(Fix::text("Try again, on a node that is less busy."))
        .advise(Advice::Again)
}

/// The result of a reader without a report: nothing is known about the data, so it is neither pass nor fail. `text` is
/// what it left.
#[must_use]
pub fn not_measured(subject: &Subject, reader: &ObjectName, message: &str, text: &str) -> Explanation {
    let namespace = reader.namespace.as_deref().unwrap_or_default();
    Explanation::new(&CHECK, Status::Unknown, message)
        .about(subject)
        .evidence([Evidence::namespaced(&reader.kind, namespace, &reader.name, "termination message", text)])
        .cause("the restored data was not measured, so nothing is known about it")
        .fix(Fix::text("Try again; if it still fails, name another image, for example busybox."))
        .advise(Advice::Image)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::round_trip::VolumeMode;

    /// What shows nothing about writes under way is no pass, and no fault of the driver.
    #[test]
    fn a_source_that_was_not_written_to_is_unknown_and_one_out_of_order_a_failure() {
        let subject = Subject {
            label: "fast → gold, Block".to_owned(),
            storage_class: "fast".to_owned(),
            driver: Some("csi.example.org".to_owned()),
            snapshot_class: Some("gold".to_owned()),
            volume_mode: VolumeMode::Block,
            origin: Origin::VolumeSnapshot,
        };
        let unknown = not_written_meanwhile(&subject);
        assert_eq!(unknown.finding().status, Status::Unknown);
        let failed = out_of_order(&subject, "lacks record 33 although it has record 34", []);
        assert_eq!(failed.finding().status, Status::Fail);
        assert!(failed.finding().cause.as_deref().unwrap().contains("driver csi.example.org"));
    }
}
