//! Advice in the words of a round trip: which flags of `snapready` it comes to.

use snapready_checks::diagnosis::Advice;
use snapready_checks::model::command::{Command, snapready};
use snapready_checks::names::is_object_name;

use crate::model::VolumeMode;
use crate::roundtrip::plan::Target;

/// The command for an advice about a round trip.
pub(crate) fn command(advice: &Advice, target: &Target) -> Command {
    let with_class = || snapready("roundtrip --storage-class").word(name(&target.storage_class));
    match advice {
        Advice::Again => {
            let mode = match target.volume_mode {
                VolumeMode::Filesystem => "filesystem",
                VolumeMode::Block => "block",
            };
            with_class().words("--volume-mode").word(mode).words("--keep on-failure")
        }
        Advice::Size => with_class().words("--size 10Gi"),
        Advice::Image => with_class().words("--image REGISTRY/busybox:1.36"),
        Advice::StorageClass => snapready("roundtrip --storage-class CLASS"),
        Advice::SnapshotClass(snapshot_class) => {
            with_class().words("--snapshot-class").word(name(snapshot_class.as_deref().unwrap_or_default()))
        }
        Advice::Namespace => with_class().words("--namespace NAMESPACE"),
        Advice::SnapshotTime => with_class().words("--step-timeout snapshot=10m"),
        Advice::OneAtATime => snapready("roundtrip --parallel 1"),
        Advice::Rights => snapready("rbac"),
        Advice::CleanUp => snapready("cleanup --expired"),
    }
}

/// A name that a shell takes as one word, or a placeholder.
fn name(name: &str) -> &str {
    if is_object_name(name) { name } else { "CLASS" }
}
