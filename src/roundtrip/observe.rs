//! What an object, as the API server shows it, means for the machine. Driver and clean-up read objects by it.

use serde_json::Value;
use snapready_checks::model::object::Kind;
use snapready_checks::model::round_trip::{FILL_CONTAINER, OVERWRITE_CONTAINER, READ_CONTAINER, WRITE_CONTAINER};

use crate::api::Place;
use crate::model::Leftover;
use crate::roundtrip::kinds::{MANAGED_BY, RUN_LABEL};
use crate::roundtrip::ledger::{Progress, Uid};
use crate::roundtrip::machine::Sight;
use crate::roundtrip::members::belongs_to;
use crate::roundtrip::payload::FAILED;
use crate::roundtrip::program::{By, Object, Policy, Task};

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

/// An annotation of an object.
pub(crate) fn annotation<'a>(object: &'a Value, key: &str) -> Option<&'a str> {
    object.pointer("/metadata/annotations")?.get(key)?.as_str()
}

/// Whether an object was made by this run.
pub(crate) fn of_run(object: &Value, run: &str) -> bool {
    label(object, RUN_LABEL) == Some(run) && label(object, MANAGED_BY.0) == Some(MANAGED_BY.1)
}

/// Whether an object was asked to go.
pub(crate) fn is_deleting(object: &Value) -> bool {
    object.pointer("/metadata/deletionTimestamp").is_some_and(|time| !time.is_null())
}

/// What is seen of an object. `maker` is the UID of what a controller's object was made for; `known` that of the run's own
/// object, whose labels somebody may have changed.
pub(crate) fn sight(
    what: &Object,
    object: &Value,
    run: &str,
    maker: Option<&str>,
    known: Option<&Uid>,
    progress: Progress,
) -> Sight {
    let Some(uid) = uid(object) else {
        return Sight::Unreadable;
    };
    let (ours, policy) = match what.by {
        By::Run => (of_run(object, run) || known == Some(&uid), None),
        By::Controller { policy, .. } => {
            let made_for = tie(what.kind).and_then(|tie| text(object, tie.made_for));
            (maker.is_some() && made_for == maker, text(object, policy.pointer()))
        }
        By::Group { .. } => (maker.is_some_and(|group| belongs_to(object, group)), None),
    };
    if !ours {
        return Sight::Foreign { uid };
    }
    let deleting = is_deleting(object);
    let retained = if policy == Some("Retain") {
        // What the run has taken over does not go with anything: the run deletes it.
        !of_run(object, run)
    } else {
        // snapshot-controller deletes a content before it lets go of the snapshot, and none that it still takes for retained: a change of
        // the policy that has just been made is not in its cache yet.
        matches!(what.by, By::Controller { policy: Policy::Deletion, .. }) && !deleting
    };
    Sight::Ours { uid, progress, deleting, retained }
}

/// An object that is left behind, with what the storage calls the volume or snapshot that it stands for, as it was last seen.
pub(crate) fn leftover(place: &Place, seen: Option<&Value>) -> Leftover {
    let handles = ["/spec/csi/volumeHandle", "/status/snapshotHandle", "/spec/source/snapshotHandle"];
    let handle = seen.and_then(|object| handles.into_iter().find_map(|pointer| text(object, pointer)));
    Leftover { object: place.object(), storage_handle: handle.map(str::to_owned) }
}

/// How an object that a controller makes is tied to what it was made for.
struct Tie {
    /// Where it says for what it was made.
    made_for: &'static str,
    /// Where that says how it is called.
    named: &'static str,
    /// How its name begins, before the UID of that.
    prefix: &'static str,
}

/// The tie of a kind; `None` for kinds that no controller makes for the run, or that it does not name after anything.
fn tie(kind: Kind) -> Option<Tie> {
    match kind {
        Kind::PERSISTENT_VOLUME => {
            Some(Tie { made_for: "/spec/claimRef/uid", named: "/spec/volumeName", prefix: "pvc" })
        }
        Kind::VOLUME_SNAPSHOT_CONTENT => Some(Tie {
            made_for: "/spec/volumeSnapshotRef/uid",
            named: "/status/boundVolumeSnapshotContentName",
            prefix: "snapcontent",
        }),
        Kind::VOLUME_GROUP_SNAPSHOT_CONTENT => Some(Tie {
            made_for: "/spec/volumeGroupSnapshotRef/uid",
            named: "/status/boundVolumeGroupSnapshotContentName",
            prefix: "groupsnapcontent",
        }),
        _ => None,
    }
}

/// Where an object lies that a controller makes: it is named after what it was made for.
pub(crate) fn derived_place(what: &Object, maker: &Value) -> Option<Place> {
    let Tie { named, prefix, .. } = tie(what.kind)?;
    let uid = text(maker, "/metadata/uid")?;
    let name = text(maker, named).map_or_else(|| format!("{prefix}-{uid}"), str::to_owned);
    Some(Place { kind: what.kind, namespace: None, name })
}

/// Whether what it was made for names an object that a controller makes.
pub(crate) fn is_named(what: &Object, maker: &Value) -> bool {
    tie(what.kind).is_some_and(|tie| text(maker, tie.named).is_some())
}

/// What a container has done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Container<'a> {
    Waiting,
    Running,
    /// Exit code and termination message.
    Ended(i64, &'a str),
}

/// What a container of a pod, by its name, has done. The kubelet sorts statuses by name.
pub(crate) fn container<'a>(pod: &'a Value, name: &str) -> Container<'a> {
    let statuses = pod.pointer("/status/containerStatuses").and_then(Value::as_array).map(Vec::as_slice);
    let status = statuses.unwrap_or_default().iter().find(|status| text(status, "/name") == Some(name));
    let state = status.and_then(|status| status.get("state"));
    if let Some(ended) = state.and_then(|state| state.get("terminated")) {
        let code = ended.get("exitCode").and_then(Value::as_i64).unwrap_or(-1);
        return Container::Ended(code, ended.get("message").and_then(Value::as_str).unwrap_or_default());
    }
    match state.and_then(|state| state.get("running")) {
        Some(_) => Container::Running,
        None => Container::Waiting,
    }
}

/// The exit code and the termination message of a container that has ended and has something to say. One that ended
/// badly without a word was ended by something else, which its status names; it is left to the diagnosis.
pub(crate) fn said<'a>(pod: &'a Value, name: &str) -> Option<(i64, &'a str)> {
    match container(pod, name) {
        Container::Ended(code, message) if code == 0 || message.starts_with(FAILED) => Some((code, message)),
        Container::Ended(..) | Container::Running | Container::Waiting => None,
    }
}

/// The container that does a pod's work.
pub(crate) const fn container_of(task: Task) -> Option<&'static str> {
    match task {
        Task::Write | Task::Record => Some(WRITE_CONTAINER),
        Task::Fill => Some(FILL_CONTAINER),
        Task::Overwrite => Some(OVERWRITE_CONTAINER),
        Task::Read | Task::ReadSized | Task::ReadJournal | Task::Look => Some(READ_CONTAINER),
        Task::Exist | Task::Consume(_) => None,
    }
}

/// How far an object has come, as far as it can be told without judging what a pod said.
pub(crate) fn progress(what: &Object, object: &Value) -> Progress {
    let started = |seen| {
        if seen == Container::Waiting { Progress::Nothing } else { Progress::Started }
    };
    let done = |done| if done { Progress::Done } else { Progress::Nothing };
    match (what.kind, what.task) {
        (Kind::POD, Task::Write | Task::Record) => match container(object, WRITE_CONTAINER) {
            Container::Running => Progress::Written,
            seen => started(seen),
        },
        (Kind::POD, task) => match container_of(task) {
            Some(name) => started(container(object, name)),
            None => Progress::Nothing,
        },
        (Kind::VOLUME_SNAPSHOT | Kind::VOLUME_GROUP_SNAPSHOT, _) => {
            done(object.pointer("/status/readyToUse").and_then(Value::as_bool) == Some(true))
        }
        (Kind::VOLUME_SNAPSHOT_CONTENT, _) => {
            let is_retained = text(object, Policy::Deletion.pointer()) == Some("Retain");
            match text(object, "/status/snapshotHandle") {
                Some(_) if is_retained && label(object, RUN_LABEL).is_some() => Progress::Done,
                Some(_) => Progress::Started,
                None => Progress::Nothing,
            }
        }
        (Kind::PERSISTENT_VOLUME_CLAIM, _) => done(text(object, "/status/phase") == Some("Bound")),
        _ => Progress::Nothing,
    }
}
