//! Data comes back from a snapshot.

use crate::model::check::Check;
use crate::roundtrip::check;

/// See `doc.md`.
pub const CHECK: Check = check("SR301", "round-trip", "Data comes back from a snapshot", include_str!("doc.md"));

mod groups;
mod skipped;

pub use groups::no_group;
pub(crate) use groups::no_groups_offered;
pub(crate) use skipped::beyond_the_driver;
pub use skipped::{keeps_snapshots, no_other_node, skipped};

use crate::model::finding::{Evidence, Fix, Status};
use crate::model::object::{Kind, ObjectName};
use crate::model::round_trip::StepId;
use crate::moment::{Advice, Explanation, Subject};

/// An object that the round trip needs was deleted, and not by snapready. It says nothing about snapshots.
#[must_use]
pub fn vanished(subject: &Subject, step: StepId, object: &ObjectName) -> Explanation {
    if step == StepId::Overwrite && object.kind == Kind::POD.name {
        return unproven(subject, object);
    }
    let evidence = Evidence {
        kind: object.kind.clone(),
        namespace: object.namespace.clone(),
        name: object.name.clone(),
        path: "metadata".to_owned(),
        value: "deleted by somebody else".to_owned(),
    };
    Explanation::new(&CHECK, Status::Unknown, &format!("{object} was deleted while it was needed"))
        .about(subject)
        .evidence([evidence])
        .cause("somebody, a node that is drained, or a controller that cleans up, deleted it; snapready did not")
        .fix(Fix::text("Try again, in a namespace where nothing else deletes objects."))
        .advise(Advice::Again)
}

/// The writer was asked to overwrite the source and to exit. Without its word for it a restore could not be told from a
/// copy of the live volume.
fn unproven(subject: &Subject, object: &ObjectName) -> Explanation {
    let message = format!("{object} was removed before it confirmed that the source was overwritten");
    Explanation::new(&CHECK, Status::Unknown, &message)
        .about(subject)
        .cause("its last status was not seen: it was removed by force, or the API server could not be watched")
        .fix(Fix::text("Try again."))
        .advise(Advice::Again)
}

#[cfg(test)]
mod tests {
    use super::Subject;
    use crate::model::round_trip::{Origin, VolumeMode};

    pub(super) const DRIVER: &str = "csi.example.org";

    pub(super) fn subject() -> Subject {
        Subject {
            label: "a".to_owned(),
            storage_class: "a".to_owned(),
            driver: Some(DRIVER.to_owned()),
            snapshot_class: None,
            volume_mode: VolumeMode::Filesystem,
            origin: Origin::VolumeSnapshot,
        }
    }
}
