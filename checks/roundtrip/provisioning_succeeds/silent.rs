//! Claims that no provisioner has picked up.

use std::time::Duration;

use super::not_bound;
use crate::knowledge::control_plane::containers::is_csi_provisioner;
use crate::knowledge::control_plane::out_of_service::csi_provisioner;
use crate::knowledge::control_plane::presence::without_provisioner;
use crate::knowledge::control_plane::sidecars::surely_of;
use crate::knowledge::drivers::registered::is_surely_unregistered;
use crate::knowledge::rights::judge::silenced;
use crate::knowledge::version::Component;
use crate::model::chain::Event;
use crate::model::command::kubectl;
use crate::model::finding::{Evidence, Fix};
use crate::moment::grpc::Code;
use crate::moment::{Explanation, Moment};
use crate::text::names::safe;

/// A provisioner says that it begins within a second; so long after the claim was made, none has heard of it.
const UNHEARD: Duration = Duration::from_secs(8);

/// Kubernetes waits for the provisioner, which has reported nothing.
pub(crate) fn is_unheard(moment: &Moment<'_>) -> bool {
    const HEARD: [&str; 3] = ["Provisioning", "ProvisioningFailed", "ProvisioningSucceeded"];
    moment.elapsed >= UNHEARD
        && moment.claim_events(&HEARD).next().is_none()
        && moment.claim_events(&["ExternalProvisioning"]).next().is_some()
}

/// A provisioner has begun, and the driver has given no answer that is one: it was not reached, or not heard of again.
fn is_unanswered(moment: &Moment<'_>) -> bool {
    let answer = moment.claim_events(&["ProvisioningFailed"]).last();
    let is_no_answer =
        |event: &Event| Code::at(&event.message, moment.step).is_some_and(|code| code.patience.is_none());
    moment.elapsed >= UNHEARD
        && moment.claim_events(&["Provisioning"]).next().is_some()
        && answer.is_none_or(is_no_answer)
}

/// No driver of this name is installed.
pub(crate) fn no_driver(moment: &Moment<'_>) -> Option<Explanation> {
    let driver = moment.subject.driver.as_deref()?;
    let explanation = silent(moment, &format!("no driver {driver} is installed"))?;
    if !is_surely_unregistered(moment.facts, driver) {
        return None;
    }
    let class = safe(&moment.subject.storage_class, "CLASS");
    Some(
        explanation
            .evidence([Evidence::cluster("CSIDriver", driver, "metadata.name", "not found")])
            .cause("the StorageClass names a provisioner that is neither registered as a CSIDriver nor on any node")
            .fix(
                Fix::text("Install the driver, or correct the StorageClass's provisioner.")
                    .command(kubectl("get csidrivers"))
                    .command(kubectl("get storageclass").word(class).words("-o yaml")),
            ),
    )
}

/// The driver's controller is visible, without a csi-provisioner.
pub(crate) fn no_provisioner(moment: &Moment<'_>) -> Option<Explanation> {
    let driver = moment.subject.driver.as_deref()?;
    let explanation = silent(moment, &format!("no csi-provisioner of driver {driver} works on it"))?;
    let part = without_provisioner(moment.facts, driver)?;
    let containers: Vec<&str> = part.spec.containers.iter().map(|container| container.name.as_str()).collect();
    Some(
        explanation
            .evidence([part.evidence("spec.template.spec.containers", containers.join(", "))])
            .cause(format!("the driver's controller runs in {} without csi-provisioner", part.place()))
            .fix(Fix::text("Install the driver's controller as its vendor does, with the csi-provisioner sidecar.")),
    )
}

/// RBAC does not grant the csi-provisioner what it takes to work, or to say that it cannot.
pub(crate) fn provisioner_silenced(moment: &Moment<'_>) -> Option<Explanation> {
    let claim = moment.unbound_claim()?;
    let driver = moment.subject.driver.as_deref()?;
    let has_failed = moment.claim_events(&["ProvisioningFailed"]).next().is_some();
    if has_failed || !(is_unheard(moment) || is_unanswered(moment)) {
        return None;
    }
    let provisioners = surely_of(moment.facts, driver, is_csi_provisioner);
    let found = silenced(moment.facts, Component::CsiProvisioner, &provisioners, &[driver.to_owned()])?;
    let explanation = not_bound(moment, &claim.metadata.name, &found.message).with_finding(found);
    Some(explanation.follows_from("SR127", None))
}

/// The csi-provisioner was out of service in two looks.
pub(crate) fn provisioner_out_of_service(moment: &Moment<'_>) -> Option<Explanation> {
    let claim = moment.unbound_claim()?;
    let driver = moment.subject.driver.as_deref()?;
    if !is_unheard(moment) && !is_unanswered(moment) {
        return None;
    }
    let found = csi_provisioner(moment.facts, moment.earlier?, driver)?;
    if moment.elapsed < found.patience() {
        return None;
    }
    Some(not_bound(moment, &claim.metadata.name, &found.finding.message).with_finding(found.finding))
}

fn silent(moment: &Moment<'_>, what: &str) -> Option<Explanation> {
    let claim = moment.unbound_claim()?;
    let driver = moment.subject.driver.as_deref()?;
    let event = moment.claim_events(&["ExternalProvisioning"]).last()?;
    if !is_unheard(moment) {
        return None;
    }
    let class = &moment.subject.storage_class;
    Some(
        not_bound(moment, &claim.metadata.name, what)
            .evidence([Evidence::cluster("StorageClass", class, "provisioner", driver), moment.event_evidence(event)]),
    )
}
