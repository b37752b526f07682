//! Containers that the kubelet cannot create.

use std::time::Duration;

use super::{WAITING, fail, waiting};
use crate::model::finding::Fix;
use crate::moment::{Advice, Explanation, Moment};

/// Secrets and mounts may be a moment late.
const LATE: Duration = Duration::from_secs(20);

/// A container that is not created.
pub(crate) fn not_created(moment: &Moment<'_>) -> Option<Explanation> {
    waiting(moment).find_map(|(pod, _, state)| {
        if !matches!(state.reason.as_str(), "CreateContainerConfigError" | "CreateContainerError" | "RunContainerError")
        {
            return None;
        }
        let (cause, text) = if state.message.contains("runAsNonRoot") {
            (
                "the image runs as root, and the pod must not",
                "Choose an image that runs as a user other than root, or let snapready set the user.",
            )
        } else if ["executable file not found", "no such file or directory"]
            .iter()
            .any(|part| state.message.contains(part))
        {
            ("the image has no shell", "Name an image with a shell and the usual tools, for example busybox.")
        } else if moment.pod_elapsed >= LATE {
            ("the kubelet refuses to create the container", "Check what the kubelet reports about the pod.")
        } else {
            return None;
        };
        let what = "cannot start: its container cannot be created";
        let value = format!("{}: {}", state.reason, state.message);
        Some(fail(moment, pod, what, WAITING, &value).cause(cause).fix(Fix::text(text)).advise(Advice::Again))
    })
}
