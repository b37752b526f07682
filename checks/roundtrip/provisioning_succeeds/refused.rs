//! Claims for which csi-provisioner, or the driver behind it, gives no volume.

use super::{check_of, not_bound};
use crate::knowledge::tables::rows;
use crate::model::chain::Event;
use crate::model::command::kubectl;
use crate::model::finding::{Evidence, Fix};
use crate::model::round_trip::StepId;
use crate::moment::grpc::Code;
use crate::moment::{Advice, Explanation, Moment, times, with_sidecar_log};
use crate::roundtrip::restore_succeeds;
use crate::text::names::safe;

/// How newer releases of csi-provisioner introduce an `InvalidArgument`: they ask again only after minutes.
const INFEASIBLE: &str = "failed with infeasible error";

/// A claim whose volume is gone.
pub(crate) fn lost(moment: &Moment<'_>) -> Option<Explanation> {
    let claim = moment.claim().filter(|claim| claim.status.phase == "Lost")?;
    let name = claim.metadata.name.as_str();
    let evidence = Evidence::namespaced("PersistentVolumeClaim", moment.namespace(), name, "status.phase", "Lost");
    Some(
        Explanation::fail(check_of(moment), &format!("claim {name} has lost its volume"))
            .about(moment.subject)
            .evidence([evidence])
            .cause("the PersistentVolume of the claim was deleted or is bound to another one")
            .fix(Fix::text("Find out who deletes PersistentVolumes, then try again.")),
    )
}

/// A refusal of csi-provisioner itself that only a change of class, claim or rights ends.
pub(crate) fn refused_for_good(moment: &Moment<'_>) -> Option<Explanation> {
    let event = failures(moment).last()?;
    rows(include_str!("../../data/provisioner.tsv")).find_map(|row| {
        let [contains, and, cause, text, offer, _source] = *row else {
            return None;
        };
        // Some of the texts are common English: they count only in csi-provisioner's own sentences.
        if !event.message.contains(contains) || !event.message.contains(and) {
            return None;
        }
        if contains == "is being deleted" && Code::find(&event.message).is_some() {
            return None;
        }
        let explanation = failed(moment, event, cause, Fix::text(text));
        Some(match offer {
            "size" => explanation.advise(Advice::Size),
            "storage-class" => explanation.advise(Advice::StorageClass),
            _ => explanation,
        })
    })
}

/// A csi-provisioner whose account lacks a right. One refusal may be of an account that is being set up; with a gRPC code it
/// is of the driver's account.
pub(crate) fn missing_right(moment: &Moment<'_>) -> Option<Explanation> {
    let event = failures(moment).last()?;
    let own = event.message.contains(" is forbidden: User ") && Code::find(&event.message).is_none();
    if !own || times(failures(moment)) < 2 {
        return None;
    }
    let text = "Give the driver's provisioner account the rights of upstream's external-provisioner-runner role.";
    Some(failed(moment, event, "csi-provisioner's account lacks a right that it needs", Fix::text(text)))
}

/// The driver's own answer.
pub(crate) fn driver_refuses(moment: &Moment<'_>) -> Option<Explanation> {
    let event = failures(moment).last()?;
    let code = Code::at(&event.message, moment.step)?;
    if !event.message.contains(INFEASIBLE) {
        let (often, long) = code.patience?;
        let same = failures(moment).filter(|event| Code::at(&event.message, moment.step) == Some(code));
        // Without a count in the events time alone has to do, and more of it.
        let enough = (times(same) >= often && moment.elapsed >= long) || moment.elapsed >= long * 4;
        if !enough {
            return None;
        }
    }
    let elsewhere = restore_succeeds::on_another_node(moment);
    if let Some((cause, seen)) = elsewhere.or_else(|| restore_succeeds::named_node(moment, &event.message)) {
        return Some(failed(moment, event, &cause, Fix::text(restore_succeeds::STAY)).evidence(seen));
    }
    let parameter = code.fault.is_none() && matches!(code.word, "InvalidArgument" | "OutOfRange");
    let sized = parameter && moment.step == StepId::Provision;
    let text = if sized {
        "Choose a size that the driver offers; if the message is not about the size, correct the StorageClass's parameters."
    } else {
        code.advice
    };
    let class = safe(&moment.subject.storage_class, "CLASS");
    let fix = Fix::text(text);
    let fix = if parameter { fix.command(kubectl("get storageclass").word(class).words("-o yaml")) } else { fix };
    let explanation = failed(moment, event, code.meaning, fix);
    Some(if sized { explanation.advise(Advice::Size) } else { explanation })
}

/// The failures of the claim, as long as it is not bound: what failed before that is of no interest.
pub(crate) fn failures<'a>(moment: &Moment<'a>) -> impl Iterator<Item = &'a Event> + use<'a> {
    moment.unbound_claim().into_iter().flat_map({
        let moment = *moment;
        move |_| moment.claim_events(&["ProvisioningFailed"])
    })
}

fn failed(moment: &Moment<'_>, event: &Event, cause: &str, fix: Fix) -> Explanation {
    let explanation = not_bound(moment, &event.involved_object.name, &event.message)
        .evidence([moment.event_evidence(event)])
        .cause(cause);
    with_sidecar_log(explanation, moment, fix)
}
