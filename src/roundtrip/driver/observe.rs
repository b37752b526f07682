//! What an object, as the API server shows it, means for the machine.

use serde_json::Value;

use crate::roundtrip::kinds::{MANAGED_BY, RUN_LABEL};
use crate::roundtrip::ledger::{Item, Progress, Role, Uid};
use crate::roundtrip::machine::Sight;

/// A string in an object.
pub(crate) fn text<'a>(object: &'a Value, pointer: &str) -> Option<&'a str> {
    object.pointer(pointer).and_then(Value::as_str).filter(|text| !text.is_empty())
}

pub(crate) fn uid(object: &Value) -> Option<Uid> {
    text(object, "/metadata/uid").map(Uid::from)
}

/// A label of an object. JSON pointers are no help: the key has slashes.
pub(crate) fn label<'a>(object: &'a Value, key: &str) -> Option<&'a str> {
    object.pointer("/metadata/labels")?.get(key)?.as_str()
}

/// Whether an object was made by this run.
pub(crate) fn of_run(object: &Value, run: &str) -> bool {
    label(object, RUN_LABEL) == Some(run) && label(object, MANAGED_BY.0) == Some(MANAGED_BY.1)
}

/// What is seen of an object. `maker` is the UID of what a controller's object was made for.
pub(crate) fn sight(item: Item, object: &Value, run: &str, maker: Option<&str>, progress: Progress) -> Sight {
    let Some(uid) = uid(object) else {
        return Sight::Unreadable;
    };
    let role = match item {
        Item::Namespace => None,
        Item::Of(_, role) => Some(role),
    };
    let ours = match role {
        Some(Role::Content) => maker.is_some() && text(object, "/spec/volumeSnapshotRef/uid") == maker,
        Some(Role::SourceVolume | Role::RestoredVolume) => {
            maker.is_some() && text(object, "/spec/claimRef/uid") == maker
        }
        _ => of_run(object, run),
    };
    if !ours {
        return Sight::Foreign { uid };
    }
    let policy = match role {
        Some(Role::Content) => text(object, "/spec/deletionPolicy"),
        Some(Role::SourceVolume | Role::RestoredVolume) => text(object, "/spec/persistentVolumeReclaimPolicy"),
        _ => None,
    };
    Sight::Ours {
        uid,
        progress,
        deleting: object.pointer("/metadata/deletionTimestamp").is_some_and(|time| !time.is_null()),
        retained: policy == Some("Retain"),
    }
}

/// What a container has done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Container<'a> {
    Waiting,
    Running,
    /// Exit code and termination message.
    Ended(i64, &'a str),
}

/// The first init container (`initContainerStatuses`) or container (`containerStatuses`) of a pod.
pub(crate) fn container<'a>(pod: &'a Value, statuses: &str) -> Container<'a> {
    let state = pod.pointer(&format!("/status/{statuses}/0/state"));
    if let Some(ended) = state.and_then(|state| state.get("terminated")) {
        let code = ended.get("exitCode").and_then(Value::as_i64).unwrap_or(-1);
        return Container::Ended(code, ended.get("message").and_then(Value::as_str).unwrap_or_default());
    }
    if state.is_some_and(|state| state.get("running").is_some()) { Container::Running } else { Container::Waiting }
}

/// How a script's own words begin: without them a container was ended by something else, which its status names.
const REPORT: &str = "snapready/1 ";

/// The exit code and the termination message of a container that has ended and has something to say. One that failed
/// without a word is left to the diagnosis.
pub(crate) fn said<'a>(pod: &'a Value, statuses: &str) -> Option<(i64, &'a str)> {
    match container(pod, statuses) {
        Container::Ended(code, message) if code == 0 || message.starts_with(REPORT) => Some((code, message)),
        Container::Ended(..) | Container::Running | Container::Waiting => None,
    }
}

/// How far an object has come, as far as it can be told without judging what a pod said.
pub(crate) fn progress(role: Role, object: &Value) -> Progress {
    let started = |seen| {
        if seen == Container::Waiting { Progress::Nothing } else { Progress::Started }
    };
    match role {
        Role::Writer => {
            let deleting = object.pointer("/metadata/deletionTimestamp").is_some_and(|time| !time.is_null());
            let init = container(object, "initContainerStatuses");
            let main = container(object, "containerStatuses");
            match (init, main) {
                // On TERM, and only then, the main container overwrites the data and ends with 0.
                (Container::Ended(0, _), Container::Ended(0, _)) if deleting => Progress::Done,
                _ => started(init),
            }
        }
        Role::Overwriter => match container(object, "containerStatuses") {
            Container::Ended(0, _) => Progress::Done,
            seen => started(seen),
        },
        Role::Reader => started(container(object, "containerStatuses")),
        Role::Snapshot => {
            if object.pointer("/status/readyToUse").and_then(Value::as_bool) == Some(true) {
                Progress::Done
            } else {
                Progress::Nothing
            }
        }
        Role::SourceClaim | Role::RestoredClaim | Role::Content | Role::SourceVolume | Role::RestoredVolume => {
            Progress::Nothing
        }
    }
}
