//! What the cluster says of a snapshot: errors in status, and warnings.

use std::time::Duration;

use crate::model::check::Check;
use crate::model::finding::Evidence;
use crate::moment::grpc::Code;
use crate::moment::{Explanation, Moment};

/// A lister may lag behind the API server by so much.
pub(crate) const LAG: Duration = Duration::from_secs(2);

/// A text, and where it stands.
pub(crate) struct Answer {
    pub(crate) text: String,
    pub(crate) evidence: Evidence,
}

impl Answer {
    /// Whether it stands at the content, where the csi-snapshotter writes.
    pub(crate) fn is_of_content(&self) -> bool {
        self.evidence.kind == "VolumeSnapshotContent"
    }
}

/// All that is said of a snapshot that is not ready, the last word first.
pub(crate) fn answers(moment: &Moment<'_>) -> Vec<Answer> {
    let Some(snapshot) = moment.waiting_snapshot() else {
        return Vec::new();
    };
    let mut answers = Vec::new();
    let path = "status.error.message";
    if let Some(content) = moment.volume_snapshot_content()
        && let Some(text) = content.status.error.as_ref().and_then(|error| error.message.clone())
    {
        let evidence = Evidence::cluster("VolumeSnapshotContent", &content.metadata.name, path, text.as_str());
        answers.push(Answer { text, evidence });
    }
    if let Some(text) = snapshot.status.error.as_ref().and_then(|error| error.message.clone()) {
        let name = snapshot.metadata.name.as_str();
        let evidence = Evidence::namespaced("VolumeSnapshot", moment.namespace(), name, path, text.as_str());
        answers.push(Answer { text, evidence });
    }
    let about = ["VolumeSnapshot", "VolumeSnapshotContent"];
    let events = moment.events.iter().rev();
    for event in events.filter(|event| event.warns() && about.contains(&event.involved_object.kind.as_str())) {
        let text = format!("{}: {}", event.reason, event.message);
        answers.push(Answer { text, evidence: moment.event_evidence(event) });
    }
    answers
}

/// Whether a controller or sidecar says that its account lacks a right. The driver's own answers may say so of the
/// storage; the first refusal may be of an account that is being set up.
pub(crate) fn lacks_right(moment: &Moment<'_>, answer: &Answer) -> bool {
    answer.text.contains("is forbidden: User ") && Code::find(&answer.text).is_none() && moment.elapsed >= LAG * 2
}

/// A failure of the step's snapshot.
pub(crate) fn about(check: &'static Check, moment: &Moment<'_>, message: &str) -> Explanation {
    let name = moment.volume_snapshot().map(|snapshot| snapshot.metadata.name.as_str()).unwrap_or_default();
    Explanation::fail(check, &format!("VolumeSnapshot {name}: {message}")).about(moment.subject)
}
