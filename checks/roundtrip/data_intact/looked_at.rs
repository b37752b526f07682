//! Data that the run has not written: nobody knows what it should be, so that only a restore that is none shows.

use crate::model::finding::{Evidence, Fix, Status};
use crate::model::object::ObjectName;
use crate::model::round_trip::{Contents, DataVerdict};
use crate::moment::{Advice, Explanation, Subject};

use super::{CHECK, compared};

/// The result of a look at restored data. `source` is what was restored from. A volume without data is a failed restore where
/// pods use the source (`is_used`); where none does, the source may be as empty, and nobody knows.
#[must_use]
pub fn looked_at(
    subject: &Subject,
    verdict: DataVerdict,
    message: &str,
    source: &ObjectName,
    is_used: bool,
    evidence: impl IntoIterator<Item = Evidence>,
) -> Explanation {
    let is_empty = matches!(verdict, DataVerdict::Empty | DataVerdict::FreshlyFormatted);
    if is_empty && !is_used {
        return Explanation::new(&CHECK, Status::Unknown, message)
            .about(subject)
            .evidence(evidence)
            .cause(format!(
                "either the restore gave nothing back, or there was nothing in {source}: no pod is seen to use its volume, and snapready does not look into that"
            ))
            .fix(Fix::text("Look whether the source holds data. If it does, do not rely on this snapshot: its restore is empty."))
            .advise(Advice::Again);
    }
    let message =
        if is_empty { format!("{message}, although pods use the volume of {source}") } else { message.to_owned() };
    compared(subject, verdict, &message, evidence)
}

/// The result of a look at restored data that has shown nothing of it: neither pass nor fail.
#[must_use]
pub fn nothing_seen(subject: &Subject, claim: &ObjectName, contents: &Contents) -> Explanation {
    let namespace = claim.namespace.as_deref().unwrap_or_default();
    let evidence = |value: String| Evidence::namespaced(&claim.kind, namespace, &claim.name, "data", value);
    if contents.closed == 0 {
        return Explanation::new(&CHECK, Status::Unknown, "the restored data was not read far enough to tell anything")
            .about(subject)
            .evidence([evidence(format!("read: {} bytes, all of them 0", contents.read))])
            .cause("the time of the step was up before the reader came to any data")
            .fix(Fix::text("Give the step more time, for example --step-timeout verify=2h."))
            .advise(Advice::Again);
    }
    Explanation::new(&CHECK, Status::Unknown, "the pod's user may open nothing in the restored volume")
        .about(subject)
        .evidence([evidence(format!("files and folders that could not be opened: {}", contents.closed))])
        .cause("the files belong to another user, whom the pod that looks has no right to stand in for; the restore is not to blame")
        .fix(Fix::text(
            "Keep the restored volume (--keep always), and look at it with a pod that runs as the user of your workload.",
        ))
        .advise(Advice::Again)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::round_trip::{Origin, VolumeMode};

    fn subject() -> Subject {
        Subject {
            label: "fast → gold, Filesystem".to_owned(),
            storage_class: "fast".to_owned(),
            driver: Some("csi.example.org".to_owned()),
            snapshot_class: Some("gold".to_owned()),
            volume_mode: VolumeMode::Filesystem,
            origin: Origin::VolumeSnapshot,
        }
    }

    fn object(name: &str) -> ObjectName {
        ObjectName {
            kind: "PersistentVolumeClaim".to_owned(),
            namespace: Some("team".to_owned()),
            name: name.to_owned(),
        }
    }

    #[test]
    fn what_came_back_empty_has_failed_only_if_there_was_something() {
        for (verdict, is_used, wanted) in [
            (DataVerdict::Readable, false, Status::Pass),
            (DataVerdict::Empty, true, Status::Fail),
            (DataVerdict::Empty, false, Status::Unknown),
            (DataVerdict::FreshlyFormatted, true, Status::Fail),
            (DataVerdict::FreshlyFormatted, false, Status::Unknown),
            (DataVerdict::Corrupted, false, Status::Fail),
            (DataVerdict::Truncated, false, Status::Fail),
        ] {
            let explanation = looked_at(&subject(), verdict, "what was seen", &object("data"), is_used, []);
            let found = explanation.finding();
            assert_eq!(found.status, wanted, "{verdict:?} {is_used}");
            assert_eq!(found.cause.is_some(), wanted != Status::Pass, "{verdict:?} {is_used}");
            let names_source = format!("{} {:?}", found.message, found.cause).contains("team/data");
            let is_empty = matches!(verdict, DataVerdict::Empty | DataVerdict::FreshlyFormatted);
            assert_eq!(names_source, is_empty, "{verdict:?} {is_used}");
        }
    }

    #[test]
    fn what_could_not_be_seen_is_unknown() {
        let contents = |closed| Contents {
            size: 1 << 30,
            files: Some(0),
            folders: Some(0),
            bytes: 0,
            read: 0,
            read_to_end: closed > 0,
            closed,
        };
        for (closed, word) in [(0, "time of the step"), (3, "belong to another user")] {
            let explanation = nothing_seen(&subject(), &object("restored"), &contents(closed));
            let found = explanation.finding();
            assert_eq!(found.status, Status::Unknown);
            assert!(found.cause.as_deref().unwrap().contains(word), "{found:?}");
        }
    }
}
