//! The test data is written as it was meant to be.

use crate::model::check::Check;
use crate::roundtrip::check;

/// See `doc.md`.
pub const CHECK: Check =
    check("SR313", "write-succeeds", "The test data is written as it was meant to be", include_str!("doc.md"));

use crate::model::command::kubectl;
use crate::model::finding::{Evidence, Fix};
use crate::model::object::ObjectName;
use crate::model::round_trip::VolumeMode;
use crate::moment::{Advice, Explanation, Subject};
use crate::text::names::safe;

/// What is to blame for a report of the writer that is not good enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blame {
    /// The image lacks a tool, or its tools give other results.
    Image,
    /// The volume does not take the data.
    Volume,
    /// The node did not keep the writer until it was asked to exit.
    Node,
    /// What was read back right after it was written is something else.
    Measured,
    /// There is no report, or it is not one of snapready's scripts.
    Unreadable,
}

/// The result of a writer whose report is not good enough: `message` says why, `text` is what it left.
#[must_use]
pub fn not_written(subject: &Subject, writer: &ObjectName, blame: Blame, message: &str, text: &str) -> Explanation {
    let namespace = writer.namespace.as_deref().unwrap_or_default();
    let explanation = Explanation::fail(&CHECK, message).about(subject).evidence([Evidence::namespaced(
        &writer.kind,
        namespace,
        &writer.name,
        "termination message",
        text,
    )]);
    let image = "Name an image with busybox, or with a shell, coreutils, awk and find.";
    let denied = ["Permission denied", "Operation not permitted"].iter().any(|part| text.contains(part));
    let (cause, fix, advice) = match blame {
        Blame::Image => {
            ("the image lacks tools, or has others under their names", Fix::text(image), Some(Advice::Image))
        }
        Blame::Unreadable => (
            "the script left no report: the image's shell cannot run it, or the pod was terminated",
            Fix::text(image),
            Some(Advice::Image),
        ),
        Blame::Node => (
            "the pod was terminated, or its node cannot run a command in a container, as hooks and probes need it",
            Fix::text("Try again; if it still fails, check the node's kubelet and container runtime."),
            Some(Advice::Again),
        ),
        Blame::Volume if denied && subject.volume_mode == VolumeMode::Filesystem => {
            let driver = safe(subject.driver.as_deref().unwrap_or_default(), "DRIVER");
            (
                "the volume's folder belongs to another user, and the driver does not apply the pod's fsGroup",
                Fix::text("Set fsGroupPolicy: File in the driver's CSIDriver object, or let the export squash users to one that may write.")
                    .command(kubectl("get csidriver").word(driver).words("-o yaml")),
                None,
            )
        }
        Blame::Volume if text.contains("No space left") => {
            ("the volume is smaller than the data", Fix::text("Choose a larger size."), Some(Advice::Size))
        }
        Blame::Volume | Blame::Measured => (
            "the volume itself does not keep what is written to it, before any snapshot",
            Fix::text("Check the storage and the driver's node plugin on the pod's node."),
            None,
        ),
    };
    let explanation = explanation.cause(cause).fix(fix);
    match advice {
        Some(advice) => explanation.advise(advice),
        None => explanation,
    }
}
