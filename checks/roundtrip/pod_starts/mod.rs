//! The pods of the round trip start.

use crate::model::check::Check;
use crate::roundtrip::check;

/// See `doc.md`.
pub const CHECK: Check = check("SR310", "pod-starts", "The pods of the round trip start", include_str!("doc.md"));

mod container;
pub(crate) mod ended;
mod image;
mod mount;
pub(crate) mod scheduling;

pub(crate) use container::not_created;
pub(crate) use image::{image_not_pulled, invalid_image_name};
pub(crate) use mount::{not_attached, not_mounted};
pub(crate) use scheduling::unschedulable;

use crate::model::finding::Evidence;
use crate::model::kubernetes::{ContainerStatus, ContainerWaiting, Pod};
use crate::moment::{Explanation, Moment};

/// The states of a pod's containers, and of init containers, which a service mesh adds to those of others.
pub(crate) fn statuses(pod: &Pod) -> impl Iterator<Item = &ContainerStatus> {
    pod.status.init_container_statuses.iter().chain(&pod.status.container_statuses)
}

/// The containers of the step's pod that wait for a reason.
fn waiting<'a>(moment: &Moment<'a>) -> impl Iterator<Item = (&'a Pod, &'a ContainerStatus, &'a ContainerWaiting)> {
    moment
        .pod()
        .into_iter()
        .flat_map(|pod| statuses(pod).filter_map(move |status| Some((pod, status, status.state.waiting.as_ref()?))))
}

const WAITING: &str = "status.containerStatuses[].state.waiting";

fn fail(moment: &Moment<'_>, pod: &Pod, what: &str, path: &str, value: &str) -> Explanation {
    let name = pod.metadata.name.as_str();
    Explanation::fail(&CHECK, &format!("pod {name} {what}")).about(moment.subject).evidence([Evidence::namespaced(
        "Pod",
        moment.namespace(),
        name,
        path,
        value,
    )])
}
