//! Advice in the words of a round trip: which flags of `snapready` it comes to.

use snapready_checks::model::command::{Command, snapready};
use snapready_checks::moment::Advice;
use snapready_checks::text::names::safe;

use crate::model::VolumeMode;
use crate::roundtrip::existing::{Existing, Given, Reference};
use crate::roundtrip::modes::plain;
use crate::roundtrip::plan::Target;

/// The command for an advice about a round trip.
pub(crate) fn command(advice: &Advice, target: &Target) -> Command {
    let storage_class = || snapready("roundtrip --storage-class").word(safe(&target.storage_class, "CLASS"));
    let named =
        |class: Option<&str>| storage_class().words("--snapshot-class").word(safe(class.unwrap_or_default(), "CLASS"));
    let in_mode = |command: Command| {
        if *target.mode == plain::MODE { command } else { command.words("--mode").word(target.mode.name) }
    };
    let again = || {
        if let Some(existing) = &target.existing {
            let command = snapready("roundtrip").words(existing.reference.given.flag()).word(of(&existing.reference));
            return match target.snapshot_class.as_deref().filter(|_| target.needs_name && is_claim(existing)) {
                None => command,
                Some(class) => command.words("--snapshot-class").word(safe(class, "CLASS")),
            };
        }
        in_mode(match target.snapshot_class.as_deref().filter(|_| target.needs_name) {
            None => storage_class(),
            class => named(class),
        })
    };
    match advice {
        Advice::Again if target.existing.is_some() => again().words("--keep on-failure"),
        // It lies where it lies, and is as large as it is.
        Advice::Namespace | Advice::Size if target.existing.is_some() => again(),
        Advice::SnapshotClass(class) if target.existing.is_some() => {
            again().words("--snapshot-class").word(safe(class.as_deref().unwrap_or_default(), "CLASS"))
        }
        Advice::Again => {
            let sized = |command: Command| match target.named_size() {
                Some(size) => command.words("--size").word(size.to_string()),
                None => command,
            };
            let mode = match target.volume_mode {
                VolumeMode::Filesystem => "filesystem",
                VolumeMode::Block => "block",
            };
            sized(again().words("--volume-mode").word(mode)).words("--keep on-failure")
        }
        Advice::Size => again().words("--size 10Gi"),
        Advice::Image => again().words("--image REGISTRY/busybox:1.36"),
        Advice::StorageClass => snapready("roundtrip --storage-class CLASS"),
        Advice::SnapshotClass(snapshot_class) => in_mode(named(snapshot_class.as_deref())),
        Advice::Namespace => again().words("--namespace NAMESPACE"),
        Advice::SnapshotTime => again().words("--step-timeout snapshot=10m"),
        Advice::OneAtATime => snapready("roundtrip --parallel 1"),
        Advice::Rights => match &target.existing {
            Some(existing) => snapready("rbac").words(existing.reference.given.flag()).word(of(&existing.reference)),
            None => snapready("rbac"),
        },
        Advice::Force => again().words("--force"),
        Advice::CleanUp => snapready("cleanup --expired"),
    }
}

fn of(reference: &Reference) -> String {
    format!("{}/{}", reference.named.namespace, reference.named.name)
}

fn is_claim(existing: &Existing) -> bool {
    existing.reference.given == Given::Claim
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::roundtrip::modes::source_gone;

    #[test]
    fn a_class_is_named_where_the_same_call_would_try_another() {
        let target = |needs_name| Target {
            index: 0,
            storage_class: "fast".to_owned(),
            driver: None,
            binding_mode: None,
            reclaim_policy: None,
            snapshot_class: Some("gold".to_owned()),
            needs_name,
            defaults: None,
            snapshot_driver: None,
            deletion_policy: None,
            volume_mode: VolumeMode::Block,
            mode: &plain::MODE,
            size_bytes: 1 << 30,
            existing: None,
            is_one_of_several_sizes: false,
        };
        let call = |advice, needs_name| command(&advice, &target(needs_name)).to_string();
        assert_eq!(call(Advice::Size, false), "snapready roundtrip --storage-class fast --size 10Gi");
        assert_eq!(
            call(Advice::Size, true),
            "snapready roundtrip --storage-class fast --snapshot-class gold --size 10Gi"
        );
        let sized = Target { is_one_of_several_sizes: true, ..target(false) };
        assert_eq!(
            command(&Advice::Again, &sized).to_string(),
            "snapready roundtrip --storage-class fast --volume-mode block --size 1Gi --keep on-failure"
        );
        let in_mode = Target { mode: &source_gone::MODE, ..target(false) };
        assert_eq!(
            command(&Advice::Size, &in_mode).to_string(),
            "snapready roundtrip --storage-class fast --mode source-gone --size 10Gi"
        );
        let other = Advice::SnapshotClass(Some("silver".to_owned()));
        assert_eq!(call(other, true), "snapready roundtrip --storage-class fast --snapshot-class silver");
    }
}
