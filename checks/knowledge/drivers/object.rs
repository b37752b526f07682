//! What it means that a driver's `CSIDriver` is gone.

use crate::knowledge::control_plane::containers::is_csi_attacher;
use crate::knowledge::control_plane::sidecars::{Sidecar, controller_part_of, sidecars};
use crate::knowledge::drivers::registered::is_registered;
use crate::model::command::kubectl;
use crate::model::facts::Facts;
use crate::model::finding::{Evidence, Finding, Fix, Status};

/// The finding that nodes have registered a driver whose `CSIDriver` is gone; `None` if that is not so, or could not be seen. Kubernetes
/// then takes its volumes for such that have to be attached (`pkg/volume/csi/csi_plugin.go`, `skipAttach`), which only a csi-attacher
/// does: without one it fails.
#[must_use]
pub fn without_object(facts: &Facts, driver: &str) -> Option<Finding> {
    let mut objects = facts.csi_drivers.seen()?.iter();
    if objects.any(|known| known.metadata.name == driver) || !is_registered(facts, driver) {
        return None;
    }
    let attachers = sidecars(facts, is_csi_attacher);
    let may_be_its_own = |sidecar: &&Sidecar<'_>| sidecar.drivers.is_empty() || sidecar.serves(driver);
    let attacher = attachers.iter().find(may_be_its_own);
    let controller = controller_part_of(facts, driver);
    let message = format!("nodes have registered {driver}, but its CSIDriver object is gone");
    let finding = match (attacher, controller) {
        (Some(attacher), _) => Finding::new(Status::Warn, message)
            .evidence(attacher.running.evidence("spec.template.spec.containers", &attacher.running.container.image))
            .cause("Its csi-attacher attaches volumes all the same, but what the object says of pods, permissions and capacity is lost."),
        (None, Some(part)) => Finding::new(Status::Fail, message)
            .evidence(part.evidence("spec.template.spec.containers", "no csi-attacher"))
            .cause("Without the object Kubernetes waits until its volumes are attached, and the driver has no csi-attacher that would do it: no pod that uses its volumes starts."),
        (None, None) => Finding::new(Status::Unknown, message)
            .cause("Without the object Kubernetes waits until its volumes are attached. Whether a csi-attacher does that cannot be seen."),
    };
    let fix =
        Fix::text("Create it again through what installed the driver.").command(kubectl("get csidrivers,csinodes"));
    Some(finding.evidence(Evidence::cluster("CSIDriver", driver, "metadata.name", "does not exist")).fix(fix))
}
