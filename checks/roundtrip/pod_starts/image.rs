//! Images that do not come.

use std::time::Duration;

use super::{WAITING, fail, waiting};
use crate::knowledge::tables::rows;
use crate::model::chain::Event;
use crate::model::finding::Fix;
use crate::moment::{Advice, Explanation, Moment, times};

/// An image name that the kubelet cannot read.
pub(crate) fn invalid_image_name(moment: &Moment<'_>) -> Option<Explanation> {
    let (pod, status, state) = waiting(moment).find(|(_, _, state)| state.reason == "InvalidImageName")?;
    let what = format!("cannot start: {:?} is not an image name", status.image);
    let explanation = fail(moment, pod, &what, WAITING, &format!("{}: {}", state.reason, state.message));
    Some(with_another_image(explanation.cause("the kubelet cannot read the image's name")))
}

/// An image that the registry does not give out, or that several attempts could not pull.
pub(crate) fn image_not_pulled(moment: &Moment<'_>) -> Option<Explanation> {
    waiting(moment).find_map(|(pod, status, state)| {
        if !matches!(
            state.reason.as_str(),
            "ErrImagePull" | "ImagePullBackOff" | "ErrImageNeverPull" | "RegistryUnavailable"
        ) {
            return None;
        }
        let pulls: Vec<&Event> =
            moment.pod_events(&["Failed"]).filter(|event| event.message.contains("pull")).collect();
        // The kubelet's back-off says nothing about why; the registry's answer stands in the event before.
        let says = |part: &str| state.message.contains(part) || pulls.iter().any(|event| event.message.contains(part));
        let mut answers = rows(include_str!("../../data/registries.tsv")).filter_map(|row| row.first().copied());
        let gone = state.reason == "ErrImageNeverPull" || answers.any(says);
        let refused_often = times(pulls.iter().copied()) >= 3 && moment.pod_elapsed >= Duration::from_secs(30);
        if !gone && !refused_often {
            return None;
        }
        let cause = if gone {
            "the registry does not give out this image, or cannot be found"
        } else {
            "the registry has refused or not answered several times"
        };
        let what = format!("cannot start: image {} cannot be pulled", status.image);
        let explanation = fail(moment, pod, &what, WAITING, &format!("{}: {}", state.reason, state.message))
            .evidence(pulls.iter().rev().take(2).map(|event| moment.event_evidence(event)))
            .cause(cause);
        Some(with_another_image(explanation))
    })
}

fn with_another_image(explanation: Explanation) -> Explanation {
    let text = "Name an image with a shell that the nodes can pull, for example a copy of busybox in your registry.";
    explanation.fix(Fix::text(text)).advise(Advice::Image)
}
