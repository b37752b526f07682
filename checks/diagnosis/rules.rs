//! The order in which rules are asked.

use crate::model::round_trip::StepId;
use crate::moment::{Explanation, Moment};
use crate::roundtrip::{
    admission_allows as admission, pod_starts as pod, provisioning_succeeds as claim, restore_succeeds as restore,
    round_trip as trip, snapshot_class_usable as class, snapshot_controller_works as controller,
    snapshot_driver_matches as driver, snapshot_sidecar_works as sidecar, snapshot_succeeds as snapshot,
};

/// A rule: from what was seen follows, for certain, that a wait is over, and why.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    /// Its name; in cases, too.
    pub name: &'static str,
    /// The steps that it is about.
    pub steps: &'static [StepId],
    /// Why it is over; `None` if that does not follow.
    pub explains: fn(&Moment<'_>) -> Option<Explanation>,
}

const CLAIM: &[StepId] = &[StepId::Provision, StepId::Restore];
const POD: &[StepId] = &[StepId::Provision, StepId::Write, StepId::Overwrite, StepId::Restore, StepId::Verify];
/// The pod that holds the source while it is snapshotted, too.
const ENDED: &[StepId] =
    &[StepId::Provision, StepId::Write, StepId::Snapshot, StepId::Overwrite, StepId::Restore, StepId::Verify];
const SNAPSHOT: &[StepId] = &[StepId::Snapshot];

macro_rules! rules {
    ($($steps:ident: $($module:ident)::+ as $name:literal;)+) => {
        /// All rules, in the order in which they are asked: the first that holds is the cause. An object's own error comes
        /// before what is missing in the control plane, and that before what two looks found out of service.
        pub const RULES: &[Rule] = &[$(Rule { name: $name, steps: $steps, explains: $($module)::+ }),+];
    };
}

rules! {
    CLAIM: claim::lost as "claim-lost";
    CLAIM: trip::beyond_the_driver as "beyond-the-driver";
    CLAIM: claim::refused_for_good as "provisioner-refuses-for-good";
    CLAIM: claim::missing_right as "provisioner-lacks-right";
    CLAIM: claim::driver_refuses as "driver-refuses-volume";
    CLAIM: claim::no_driver as "no-driver";
    CLAIM: claim::no_provisioner as "no-provisioner";
    CLAIM: claim::provisioner_silenced as "provisioner-silenced";
    CLAIM: claim::provisioner_out_of_service as "provisioner-out-of-service";
    POD: pod::invalid_image_name as "invalid-image-name";
    POD: pod::image_not_pulled as "image-not-pulled";
    POD: pod::not_created as "container-not-created";
    ENDED: pod::ended::evicted as "pod-evicted";
    ENDED: pod::ended::not_started as "shell-cannot-be-run";
    ENDED: pod::ended::out_of_memory as "out-of-memory";
    ENDED: pod::ended::ended_badly as "pod-ended-badly";
    POD: pod::unschedulable as "unschedulable";
    POD: pod::not_attached as "volume-not-attached";
    POD: pod::not_mounted as "volume-not-mounted";
    SNAPSHOT: driver::other_driver as "other-driver";
    SNAPSHOT: class::default_class_not_noticed as "default-class-not-noticed";
    SNAPSHOT: class::no_default_class as "no-default-class";
    SNAPSHOT: class::several_default_classes as "several-default-classes";
    SNAPSHOT: class::class_missing as "class-missing";
    SNAPSHOT: class::secret_missing as "secret-missing";
    SNAPSHOT: class::wrong_parameters as "wrong-parameters";
    SNAPSHOT: class::secret_forbidden as "secret-forbidden";
    SNAPSHOT: class::credentials_unreadable as "credentials-unreadable";
    SNAPSHOT: sidecar::sidecar_too_old as "sidecar-too-old";
    SNAPSHOT: sidecar::sidecar_lacks_right as "sidecar-lacks-right";
    SNAPSHOT: controller::controller_lacks_right as "controller-lacks-right";
    SNAPSHOT: controller::server_too_old as "server-too-old";
    SNAPSHOT: admission::webhook_refuses as "webhook-refuses-content";
    SNAPSHOT: snapshot::source_missing as "source-missing";
    SNAPSHOT: snapshot::source_not_bound as "source-not-bound";
    SNAPSHOT: snapshot::source_without_snapshots as "source-without-snapshots";
    SNAPSHOT: snapshot::malformed as "snapshot-malformed";
    SNAPSHOT: snapshot::misbound as "content-of-another-snapshot";
    SNAPSHOT: restore::handle_not_found as "handle-not-found";
    SNAPSHOT: trip::no_groups_offered as "group-not-offered";
    SNAPSHOT: snapshot::driver_refuses as "driver-refuses-snapshot";
    SNAPSHOT: controller::no_controller as "no-controller";
    SNAPSHOT: controller::controller_scaled_to_zero as "controller-scaled-to-zero";
    SNAPSHOT: sidecar::no_sidecar as "no-sidecar";
    SNAPSHOT: controller::controller_silenced as "controller-silenced";
    SNAPSHOT: sidecar::sidecar_silenced as "sidecar-silenced";
    SNAPSHOT: controller::controller_out_of_service as "controller-out-of-service";
    SNAPSHOT: sidecar::sidecar_out_of_service as "sidecar-out-of-service";
}
