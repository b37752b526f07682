//! Advice in the words of a round trip: which flags of `snapready` it comes to.

use snapready_checks::diagnosis::Advice;
use snapready_checks::names::is_object_name;

use crate::model::VolumeMode;
use crate::roundtrip::plan::Target;

/// The command for an advice about a round trip.
pub(crate) fn command(advice: &Advice, target: &Target) -> String {
    let class = name(&target.storage_class);
    match advice {
        Advice::Again => {
            let mode = match target.volume_mode {
                VolumeMode::Filesystem => "filesystem",
                VolumeMode::Block => "block",
            };
            format!("snapready roundtrip --storage-class {class} --volume-mode {mode} --keep on-failure")
        }
        Advice::Size => format!("snapready roundtrip --storage-class {class} --size 10Gi"),
        Advice::Image => format!("snapready roundtrip --storage-class {class} --image REGISTRY/busybox:1.36"),
        Advice::StorageClass => "snapready roundtrip --storage-class CLASS".to_owned(),
        Advice::SnapshotClass(snapshot_class) => {
            let snapshot_class = name(snapshot_class.as_deref().unwrap_or_default());
            format!("snapready roundtrip --storage-class {class} --snapshot-class {snapshot_class}")
        }
        Advice::Namespace => format!("snapready roundtrip --storage-class {class} --namespace NAMESPACE"),
        Advice::SnapshotTime => format!("snapready roundtrip --storage-class {class} --step-timeout snapshot=10m"),
        Advice::OneAtATime => "snapready roundtrip --parallel 1".to_owned(),
        Advice::Rights => "snapready rbac".to_owned(),
        Advice::CleanUp => "snapready cleanup --expired".to_owned(),
    }
}

/// A name that a shell takes as one word, or a placeholder.
fn name(name: &str) -> &str {
    if is_object_name(name) { name } else { "CLASS" }
}
