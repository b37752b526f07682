//! What the cluster says of a snapshot: errors in status, and warnings.

use std::borrow::Cow;
use std::time::Duration;

use crate::model::chain::Event;
use crate::model::check::Check;
use crate::model::command::kubectl;
use crate::model::finding::{Evidence, Fix};
use crate::model::kubernetes::SnapshotError;
use crate::model::object::Kind;
use crate::moment::grpc::Code;
use crate::moment::{Explanation, Moment};

/// A lister may lag behind the API server by so much.
pub(crate) const LAG: Duration = Duration::from_secs(2);

/// A text, and where it stands.
pub(crate) struct Answer<'a> {
    pub(crate) text: Cow<'a, str>,
    place: Place<'a>,
}

enum Place<'a> {
    /// In the status of the content or of the snapshot, by name.
    Content(&'a str),
    Snapshot(&'a str),
    Event(&'a Event),
}

impl<'a> Answer<'a> {
    fn of_status(error: Option<&'a SnapshotError>, place: Place<'a>) -> Option<Self> {
        Some(Self { text: error?.message.as_deref()?.into(), place })
    }

    fn of_event(event: &'a Event) -> Option<Self> {
        let kind = event.involved_object.kind.as_str();
        let about = [Kind::VOLUME_SNAPSHOT, Kind::VOLUME_SNAPSHOT_CONTENT, Kind::VOLUME_GROUP_SNAPSHOT];
        let about = about.iter().any(|about| about.name == kind);
        let text = || format!("{}: {}", event.reason, event.message);
        (event.warns() && about).then(|| Self { text: text().into(), place: Place::Event(event) })
    }

    /// Whether it stands at the content, where the csi-snapshotter writes.
    fn is_of_content(&self) -> bool {
        match self.place {
            Place::Content(_) => true,
            Place::Snapshot(_) => false,
            Place::Event(event) => event.involved_object.kind == Kind::VOLUME_SNAPSHOT_CONTENT.name,
        }
    }

    pub(crate) fn evidence(&self, moment: &Moment<'_>) -> Evidence {
        let path = "status.error.message";
        match self.place {
            Place::Content(name) => {
                Evidence::cluster(Kind::VOLUME_SNAPSHOT_CONTENT.name, name, path, self.text.as_ref())
            }
            Place::Snapshot(name) => {
                Evidence::namespaced(moment.snapshot_kind(), moment.namespace(), name, path, self.text.as_ref())
            }
            Place::Event(event) => moment.event_evidence(event),
        }
    }
}

/// All that is said of a snapshot that is not ready, the last word first.
pub(crate) fn answers<'a>(moment: &Moment<'a>) -> impl Iterator<Item = Answer<'a>> + use<'a> {
    let (content, events) = (moment.volume_snapshot_content(), moment.events);
    moment.waiting_snapshot().into_iter().flat_map(move |snapshot| {
        let of_content = content.and_then(|content| {
            Answer::of_status(content.status.error.as_ref(), Place::Content(&content.metadata.name))
        });
        let of_snapshot = Answer::of_status(snapshot.status.error.as_ref(), Place::Snapshot(&snapshot.metadata.name));
        of_content.into_iter().chain(of_snapshot).chain(events.iter().rev().filter_map(Answer::of_event))
    })
}

/// A failure of the step's snapshot.
pub(crate) fn about(check: &'static Check, moment: &Moment<'_>, message: &str) -> Explanation {
    let name = moment.volume_snapshot().map(|snapshot| snapshot.metadata.name.as_str()).unwrap_or_default();
    Explanation::fail(check, &format!("{} {name}: {message}", moment.snapshot_kind())).about(moment.subject)
}

/// The same, as an answer shows it.
pub(crate) fn shown_by(answer: &Answer<'_>, check: &'static Check, moment: &Moment<'_>, message: &str) -> Explanation {
    about(check, moment, message).evidence([answer.evidence(moment)])
}

/// A controller or sidecar, and the upstream role that has its rights.
pub(crate) struct Worker {
    pub(crate) check: &'static Check,
    pub(crate) name: &'static str,
    pub(crate) role: &'static str,
    /// Whether it writes to the content.
    pub(crate) writes_content: bool,
}

/// A worker that says that its account lacks a right. The driver's own answers may say so of the storage; the first
/// refusal may be of an account that is being set up.
pub(crate) fn lacks_right(moment: &Moment<'_>, worker: &Worker) -> Option<Explanation> {
    let Worker { check, name, role, writes_content } = *worker;
    let says = |answer: &Answer<'_>| {
        answer.is_of_content() == writes_content
            && answer.text.contains("is forbidden: User ")
            && Code::find(&answer.text).is_none()
    };
    if moment.elapsed < LAG * 2 {
        return None;
    }
    let answer = answers(moment).find(says)?;
    let fix =
        Fix::text(format!("Give the account the rights of upstream's ClusterRole {role} of the {name}'s release."));
    Some(
        shown_by(&answer, check, moment, &format!("the {name} lacks a right: {}", answer.text))
            .cause(format!("the {name}'s account has fewer rights than upstream's role {role} gives"))
            .fix(fix.command(kubectl("get clusterrole").word(role).words("-o yaml"))),
    )
}
