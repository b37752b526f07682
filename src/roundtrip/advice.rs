//! Advice in the words of a round trip: which flags of `snapready` it comes to.

use snapready_checks::model::command::{Command, snapready};
use snapready_checks::moment::Advice;
use snapready_checks::text::names::safe;

use crate::model::VolumeMode;
use crate::roundtrip::plan::Target;

/// The command for an advice about a round trip.
pub(crate) fn command(advice: &Advice, target: &Target) -> Command {
    let with_class = || snapready("roundtrip --storage-class").word(safe(&target.storage_class, "CLASS"));
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
            with_class().words("--snapshot-class").word(safe(snapshot_class.as_deref().unwrap_or_default(), "CLASS"))
        }
        Advice::Namespace => with_class().words("--namespace NAMESPACE"),
        Advice::SnapshotTime => with_class().words("--step-timeout snapshot=10m"),
        Advice::OneAtATime => snapready("roundtrip --parallel 1"),
        Advice::Rights => snapready("rbac"),
        Advice::Force => with_class().words("--force"),
        Advice::CleanUp => snapready("cleanup --expired"),
    }
}
