//! The clusters that can be simulated, as data.

use std::time::Duration;

use super::faults::{Effect, Fault};

/// A simulated cluster: what is installed, and what goes wrong.
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own; any combination makes sense")]
#[derive(Debug, Clone, Copy)]
pub struct Scenario {
    /// Name for the command line, in kebab-case.
    pub name: &'static str,
    /// One line for a list.
    pub title: &'static str,
    /// What is wrong and how it shows, in one or two sentences.
    pub description: &'static str,
    /// The snapshot CRDs.
    pub crds: Crds,
    /// How many snapshot controllers there are, each in a namespace of its own.
    pub snapshot_controllers: usize,
    /// The container csi-snapshotter of the driver's controller.
    pub snapshotter: Snapshotter,
    /// Whether the driver's controller runs at all.
    pub provisioner: bool,
    /// The `VolumeSnapshotClass` objects.
    pub snapshot_classes: &'static [SnapshotClass],
    /// Whether all classes have the policy `Retain`.
    pub retain: bool,
    /// Whether external-snapshotter's validation webhook was left behind, without its service.
    pub left_over_webhook: bool,
    /// What goes wrong with requests to the API.
    pub api: &'static [Fault],
    /// Provisioning of new volumes.
    pub provision: Driver,
    /// Cutting of snapshots.
    pub snapshot: Driver,
    /// Provisioning of volumes from snapshots.
    pub restore: Driver,
    /// Deletion of snapshots.
    pub delete_snapshot: Driver,
    /// Deletion of volumes.
    pub delete_volume: Driver,
    /// What somebody has removed.
    pub missing: Option<Missing>,
    /// What its storage does otherwise than most.
    pub quirk: Option<Quirk>,
    /// Whether no image can be pulled.
    pub image_missing: bool,
    /// Whether no node takes new pods.
    pub unschedulable: bool,
    /// Whether the provisioner forgets its finalizer on snapshots that it restored from.
    pub stuck_finalizer: bool,
    /// Whether the nodes have no udev, so that their block devices are `0600 root:root`.
    pub no_udev: bool,
    /// Whether new namespaces enforce the Pod Security level *restricted*.
    pub restricted: bool,
    /// How long new namespaces are without their service account.
    pub service_account_delay: Duration,
    /// What components say instead of doing their work: without a gRPC code, since it is not the driver that speaks.
    pub refusals: &'static [(Component, &'static str)],
}

/// Something without which nothing works and nobody says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    /// The `ClusterRole` of the snapshot-controller, which then may not even write events.
    ControllerRole,
    /// The driver's `CSIDriver`: the volumes of pods are then waited for to be attached, which nobody does.
    CsiDriver,
    /// The provisioner of the default `StorageClass`.
    Provisioner,
}

/// A component of Kubernetes that works on snapshots and volumes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Component {
    /// The snapshot-controller, about a `VolumeSnapshot` for which it is to create a content.
    SnapshotController,
    /// The csi-snapshotter, about a content, before it calls the driver.
    Snapshotter,
    /// The csi-provisioner, about a claim, before it calls the driver.
    Provisioner,
    /// The csi-provisioner, about a claim that is to be restored.
    Restorer,
    /// The kubelet, about a pod that mounts a restored volume.
    Kubelet,
}

/// Which snapshot CRDs are installed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Crds {
    /// None.
    Missing,
    /// Those of external-snapshotter 3.x, which serve v1beta1 alone.
    V1Beta1,
    /// Those of external-snapshotter 8.6, with the group CRDs.
    V1,
}

/// A driver's csi-snapshotter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Snapshotter {
    /// It does what it should.
    Works,
    /// There is none.
    Absent,
    /// It looks for the driver's socket where the driver does not put it, and waits.
    WrongSocket,
    /// It has a flag that its release does not know, and exits.
    UnknownFlag,
    /// Its account may not patch `VolumeSnapshotContents`, so it makes no snapshot and takes no finalizer off.
    WithoutPatch,
}

/// A `VolumeSnapshotClass`.
#[derive(Debug, Clone, Copy)]
pub struct SnapshotClass {
    /// Name.
    pub name: &'static str,
    /// Driver name.
    pub driver: &'static str,
    /// Whether it is annotated as default.
    pub default: bool,
    /// Name of the secret in `kube-system` that it wants for snapshots. There are no secrets.
    pub secret: Option<&'static str>,
}

/// What the driver makes of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Driver {
    /// What it should.
    Works,
    /// Nothing; it never answers.
    Hangs,
    /// It takes that much longer.
    Slow(Duration),
    /// It takes that much longer for each GiB of a new volume, as a driver does that copies.
    SlowPerGib(Duration),
    /// It answers with this gRPC code and text.
    Fails(&'static str, &'static str),
    /// Snapshots are cut, but never ready to use.
    NeverReady,
    /// Snapshots are cut, and have this size, in bytes, whatever the volume's is; 0 for none.
    Sized(u64),
    /// Snapshots lie on this node.
    KeptOn(&'static str),
    /// Something else than what was asked for.
    Bad(BadRestore),
}

impl Driver {
    /// What it makes of a call for a volume of this size.
    pub(crate) fn for_bytes(self, bytes: u64) -> Self {
        match self {
            Self::SlowPerGib(time) => {
                let milliseconds = time.as_millis() * u128::from(bytes) / (1 << 30);
                Self::Slow(Duration::from_millis(u64::try_from(milliseconds).unwrap_or(u64::MAX)))
            }
            other => other,
        }
    }
}

/// A restore that is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadRestore {
    /// A new volume.
    Empty,
    /// What the source holds now.
    Stale,
    /// Half of it.
    Truncated,
    /// All of it but one bit.
    BitFlipped,
    /// Another volume's data.
    OtherVolume,
}

/// What a storage does otherwise than most. A plain round trip does not notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quirk {
    /// Snapshots lie in their volume, and go with it.
    SnapshotsGoWithVolume,
    /// A volume that has snapshots is not deleted.
    VolumesStayWithSnapshots,
    /// A snapshot is taken only of a volume that a pod uses.
    SnapshotNeedsPod,
    /// A restored volume is as large as its snapshot, whatever was asked for.
    NotGrown,
    /// It does not find a snapshot by its handle when it is asked for it.
    SnapshotsNotListed,
    /// Sizes are rounded up to mebibytes, and nobody is told: a restore that asks for less is refused.
    RoundsSizesUp,
    /// A volume lies on the node for which it is made, its snapshots as well, and so do volumes that are made from them.
    NodeLocal,
    /// A snapshot holds what has changed since the one before, and is incomplete without that.
    ChainsSnapshots,
    /// A restored file system cannot be mounted without the right to write to it.
    NeedsRecovery,
    /// Volumes with the access mode `ReadOnlyMany` are refused.
    OneNodeOnly,
    /// A clone has the blocks of its source, and goes on to have them.
    SharesClones,
    /// A restored volume reads what it has not copied yet from its snapshot.
    RestoresNeedSnapshot,
    /// A snapshot from which volumes were restored is not deleted.
    SnapshotsStayWithRestores,
    /// A snapshot of a volume that is written to lacks a write, and has a later one.
    LosesOrder,
    /// It tells of the snapshots of a group that each is of the other's volume.
    ExchangesMembers,
}

/// The simulated driver.
pub const DRIVER: &str = "csi.simulated.snapready.dev";

const STANDARD: SnapshotClass =
    SnapshotClass { name: "standard-snapshots", driver: DRIVER, default: true, secret: None };

const HEALTHY: Scenario = Scenario {
    name: "healthy",
    title: "everything works",
    description: "Two nodes, one CSI driver with snapshots, one snapshot-controller. Ready.",
    crds: Crds::V1,
    snapshot_controllers: 1,
    snapshotter: Snapshotter::Works,
    provisioner: true,
    snapshot_classes: &[STANDARD],
    retain: false,
    left_over_webhook: false,
    api: &[],
    provision: Driver::Works,
    snapshot: Driver::Works,
    restore: Driver::Works,
    delete_snapshot: Driver::Works,
    delete_volume: Driver::Works,
    missing: None,
    quirk: None,
    image_missing: false,
    unschedulable: false,
    stuck_finalizer: false,
    no_udev: false,
    restricted: false,
    service_account_delay: Duration::ZERO,
    refusals: &[],
};

static ALL: [Scenario; 65] = [
    HEALTHY,
    Scenario {
        name: "no-crds",
        title: "the snapshot CRDs are not installed",
        description: "Neither CRDs nor snapshot-controller: a cluster as many distributions install it.",
        crds: Crds::Missing,
        snapshot_controllers: 0,
        snapshotter: Snapshotter::Absent,
        snapshot_classes: &[],
        ..HEALTHY
    },
    Scenario {
        name: "v1beta1-only",
        title: "the snapshot CRDs serve v1beta1 alone",
        description: "CRDs and controller of external-snapshotter 3.x, which no current backup product speaks to.",
        crds: Crds::V1Beta1,
        ..HEALTHY
    },
    Scenario {
        name: "no-controller",
        title: "no snapshot-controller runs",
        description: "The CRDs are there, nobody acts on them: a VolumeSnapshot gets neither status nor events.",
        snapshot_controllers: 0,
        ..HEALTHY
    },
    Scenario {
        name: "two-controllers",
        title: "two snapshot-controllers run",
        description: "In two namespaces, so that leader election does not keep them apart.",
        snapshot_controllers: 2,
        ..HEALTHY
    },
    Scenario {
        name: "no-sidecar",
        title: "the driver has no csi-snapshotter",
        description: "A VolumeSnapshotContent is made, and nobody picks it up.",
        snapshotter: Snapshotter::Absent,
        ..HEALTHY
    },
    Scenario {
        name: "wrong-socket",
        title: "the csi-snapshotter looks for its driver at a wrong path",
        description: "Its pod is ready, and it waits for a socket that nobody puts there.",
        snapshotter: Snapshotter::WrongSocket,
        ..HEALTHY
    },
    Scenario {
        name: "unknown-flag",
        title: "the csi-snapshotter has a flag of another release",
        description: "After an upgrade it exits with 2 again and again.",
        snapshotter: Snapshotter::UnknownFlag,
        ..HEALTHY
    },
    Scenario {
        name: "missing-right",
        title: "the csi-snapshotter lacks a right",
        description: "A new image with the ClusterRole of an old release: it may not patch VolumeSnapshotContents.",
        snapshotter: Snapshotter::WithoutPatch,
        ..HEALTHY
    },
    Scenario {
        name: "controller-role-gone",
        title: "the snapshot-controller has lost its ClusterRole",
        description: "It runs and renews its lease, may do nothing else, and cannot say so: a VolumeSnapshot gets neither status nor events.",
        missing: Some(Missing::ControllerRole),
        ..HEALTHY
    },
    Scenario {
        name: "csi-driver-gone",
        title: "the driver's CSIDriver object is gone",
        description: "Pods with its volumes do not start: Kubernetes waits for an attacher that the driver does not have.",
        missing: Some(Missing::CsiDriver),
        ..HEALTHY
    },
    Scenario {
        name: "class-without-provisioner",
        title: "the default StorageClass has no provisioner",
        description: "It is for volumes that are made by hand (kubernetes.io/no-provisioner). The round trip is not started.",
        missing: Some(Missing::Provisioner),
        ..HEALTHY
    },
    Scenario {
        name: "left-over-webhook",
        title: "a webhook for snapshots was left behind",
        description: "external-snapshotter's validation webhook is still called, and its service is gone.",
        left_over_webhook: true,
        api: &[Fault::always(
            &["create", "update", "patch"],
            &["volumesnapshots"],
            Effect::Refused(
                500,
                "InternalError",
                "Internal error occurred: failed calling webhook \"validation-webhook.snapshot.storage.k8s.io\": failed to call webhook: Post \"https://snapshot-validation-service.default.svc:443/volumesnapshot?timeout=2s\": service \"snapshot-validation-service\" not found",
            ),
        )],
        ..HEALTHY
    },
    Scenario {
        name: "no-class",
        title: "there is no VolumeSnapshotClass",
        description: "Everything is installed, but nothing says how to take a snapshot.",
        snapshot_classes: &[],
        ..HEALTHY
    },
    Scenario {
        name: "no-default-class",
        title: "no VolumeSnapshotClass is the default",
        description: "There is one class: a snapshot that does not name it fails, the round trip names it. Ready.",
        snapshot_classes: &[SnapshotClass { default: false, ..STANDARD }],
        ..HEALTHY
    },
    Scenario {
        name: "retain",
        title: "the classes keep snapshots and volumes when their objects go (Retain)",
        description: "What the round trip made is freed before it is deleted, so nothing stays in the storage. Ready.",
        retain: true,
        ..HEALTHY
    },
    Scenario {
        name: "two-classes",
        title: "the driver has two VolumeSnapshotClasses, and neither is the default",
        description: "A snapshot that names no class fails; the round trip tries each class. Ready.",
        snapshot_classes: &[
            SnapshotClass { default: false, ..STANDARD },
            SnapshotClass { name: "gold-snapshots", default: false, ..STANDARD },
        ],
        ..HEALTHY
    },
    Scenario {
        name: "two-defaults",
        title: "two VolumeSnapshotClasses of the driver are the default",
        description: "A snapshot that names no class fails with \"2 default snapshot classes were found\"; the round trip tries each. Ready.",
        snapshot_classes: &[STANDARD, SnapshotClass { name: "gold-snapshots", ..STANDARD }],
        ..HEALTHY
    },
    Scenario {
        name: "wrong-driver",
        title: "the VolumeSnapshotClass is for another driver",
        description: "The only class names a driver that the cluster does not have.",
        snapshot_classes: &[SnapshotClass { driver: "csi.other.example.com", ..STANDARD }],
        ..HEALTHY
    },
    Scenario {
        name: "secret-missing",
        title: "the VolumeSnapshotClass wants a secret that does not exist",
        description: "The sidecar cannot get credentials and never calls the driver.",
        snapshot_classes: &[SnapshotClass { secret: Some("snapshot-credentials"), ..STANDARD }],
        ..HEALTHY
    },
    Scenario {
        name: "quota",
        title: "a quota refuses the volume",
        description: "Every new namespace has a ResourceQuota that allows no storage.",
        api: &[Fault::always(
            &["create"],
            &["persistentvolumeclaims"],
            Effect::ExceededQuota(
                "storage, requested: persistentvolumeclaims=1, used: persistentvolumeclaims=0, limited: persistentvolumeclaims=0",
            ),
        )],
        ..HEALTHY
    },
    Scenario {
        name: "policy",
        title: "an admission policy refuses the pod",
        description: "A webhook admits images of one registry only.",
        api: &[Fault::always(
            &["create"],
            &["pods"],
            Effect::Denied("validate.policy.example.com", "images must come from registry.example.com"),
        )],
        ..HEALTHY
    },
    Scenario {
        name: "image-missing",
        title: "the image cannot be pulled",
        description: "As in a cluster without Internet access: ErrImagePull, then ImagePullBackOff.",
        image_missing: true,
        ..HEALTHY
    },
    Scenario {
        name: "unschedulable",
        title: "no node takes the pod",
        description: "All nodes are cordoned.",
        unschedulable: true,
        ..HEALTHY
    },
    Scenario {
        name: "forbidden-list",
        title: "some lists are forbidden",
        description: "The caller may not list leases, CSIDrivers and VolumeSnapshotClasses.",
        api: &[Fault::always(
            &["list", "watch"],
            &["leases", "csidrivers", "volumesnapshotclasses"],
            Effect::Forbidden,
        )],
        ..HEALTHY
    },
    Scenario {
        name: "forbidden-create",
        title: "snapshots may not be created",
        description: "The caller may look, but not create VolumeSnapshots.",
        api: &[Fault::always(&["create"], &["volumesnapshots"], Effect::Forbidden)],
        ..HEALTHY
    },
    Scenario {
        name: "no-provisioner",
        title: "the driver's controller does not run",
        description: "A claim waits for ever; its only event is ExternalProvisioning.",
        provisioner: false,
        snapshotter: Snapshotter::Absent,
        ..HEALTHY
    },
    Scenario {
        name: "provision-error",
        title: "the driver cannot make volumes",
        description: "CreateVolume answers with ResourceExhausted.",
        provision: Driver::Fails("ResourceExhausted", "no space left in pool standard"),
        ..HEALTHY
    },
    Scenario {
        name: "hung-provision",
        title: "the driver hangs while it makes a volume",
        description: "CreateVolume is never answered.",
        provision: Driver::Hangs,
        ..HEALTHY
    },
    Scenario {
        name: "hung-driver",
        title: "the driver hangs while it takes a snapshot",
        description: "CreateSnapshot is never answered; until it is, the snapshot cannot be deleted either.",
        snapshot: Driver::Hangs,
        ..HEALTHY
    },
    Scenario {
        name: "snapshot-error",
        title: "the driver cannot take snapshots",
        description: "CreateSnapshot answers with InvalidArgument.",
        snapshot: Driver::Fails("InvalidArgument", "snapshots are not enabled for pool standard"),
        ..HEALTHY
    },
    Scenario {
        name: "never-ready",
        title: "the snapshot is never ready",
        description: "It is cut, but readyToUse stays false.",
        snapshot: Driver::NeverReady,
        ..HEALTHY
    },
    Scenario {
        name: "slow-snapshot",
        title: "the snapshot takes three seconds",
        description: "As with drivers that upload snapshots. Ready.",
        snapshot: Driver::Slow(Duration::from_secs(3)),
        ..HEALTHY
    },
    Scenario {
        name: "restore-copies",
        title: "the restore copies the volume",
        description: "It takes a second for each GiB: `--size 1Gi,10Gi` shows it. Ready.",
        restore: Driver::SlowPerGib(Duration::from_secs(1)),
        ..HEALTHY
    },
    Scenario {
        name: "restore-error",
        title: "the driver cannot restore",
        description: "CreateVolume from a snapshot answers with NotFound.",
        restore: Driver::Fails("NotFound", "snapshot not found in zone b"),
        ..HEALTHY
    },
    Scenario {
        name: "hung-restore",
        title: "the driver hangs while it restores",
        description: "CreateVolume from a snapshot is never answered.",
        restore: Driver::Hangs,
        ..HEALTHY
    },
    Scenario {
        name: "restore-empty",
        title: "the restored volume is empty",
        description: "Every object looks right; the volume is a new one.",
        restore: Driver::Bad(BadRestore::Empty),
        ..HEALTHY
    },
    Scenario {
        name: "restore-stale",
        title: "the restored volume holds live data",
        description: "It is a clone of the source as it is now, not of the snapshot.",
        restore: Driver::Bad(BadRestore::Stale),
        ..HEALTHY
    },
    Scenario {
        name: "restore-truncated",
        title: "the restored data ends early",
        description: "Half of each file, or of what was written to a disk, is missing.",
        restore: Driver::Bad(BadRestore::Truncated),
        ..HEALTHY
    },
    Scenario {
        name: "restore-bit-flipped",
        title: "one bit of the restored data is wrong",
        description: "The smallest damage that there is.",
        restore: Driver::Bad(BadRestore::BitFlipped),
        ..HEALTHY
    },
    Scenario {
        name: "restore-other-volume",
        title: "the restored data is another volume's",
        description: "The snapshot of somebody else was restored.",
        restore: Driver::Bad(BadRestore::OtherVolume),
        ..HEALTHY
    },
    Scenario {
        name: "snapshots-go-with-source",
        title: "snapshots go with the volume that they were taken of",
        description: "As with storage that keeps them inside it: a plain round trip passes, `--mode source-gone` does not. Ready.",
        quirk: Some(Quirk::SnapshotsGoWithVolume),
        ..HEALTHY
    },
    Scenario {
        name: "source-stays",
        title: "the storage does not delete a volume that has snapshots",
        description: "A deleted claim's volume goes when its last snapshot has gone. Ready.",
        quirk: Some(Quirk::VolumesStayWithSnapshots),
        ..HEALTHY
    },
    Scenario {
        name: "snapshot-needs-pod",
        title: "only volumes that a pod uses can be snapshotted",
        description: "CreateSnapshot of others answers with FailedPrecondition: a plain round trip passes, `--mode unmounted` does not. Ready.",
        quirk: Some(Quirk::SnapshotNeedsPod),
        ..HEALTHY
    },
    Scenario {
        name: "restore-not-grown",
        title: "a larger restored volume is not grown",
        description: "It is as large as its source, whatever its claim says: a plain round trip passes, `--mode larger` does not. Ready.",
        quirk: Some(Quirk::NotGrown),
        ..HEALTHY
    },
    Scenario {
        name: "sizes-rounded-up",
        title: "the storage rounds sizes up and does not say so",
        description: "A restore in the size that the source asked for is refused unless it is round: a plain round trip passes, `--mode odd-size` does not. Ready.",
        quirk: Some(Quirk::RoundsSizesUp),
        ..HEALTHY
    },
    Scenario {
        name: "node-local",
        title: "volumes and snapshots lie on one node each",
        description: "A restore for a pod on another node is refused: a plain round trip passes, `--mode other-node` does not. Ready.",
        quirk: Some(Quirk::NodeLocal),
        ..HEALTHY
    },
    Scenario {
        name: "clones-share-blocks",
        title: "a clone changes with its source",
        description: "It holds what its source holds, also what is written later: a plain round trip passes, `--mode clone` does not. Ready.",
        quirk: Some(Quirk::SharesClones),
        ..HEALTHY
    },
    Scenario {
        name: "snapshots-need-each-other",
        title: "a snapshot is incomplete when the one before is deleted",
        description: "It holds only what has changed since that: a plain round trip passes, `--mode twice` does not. Ready.",
        quirk: Some(Quirk::ChainsSnapshots),
        ..HEALTHY
    },
    Scenario {
        name: "restores-need-snapshot",
        title: "a restored volume is incomplete when its snapshot is deleted",
        description: "It reads from the snapshot what it has not copied yet: a plain round trip passes, `--mode snapshot-first` does not. Ready.",
        quirk: Some(Quirk::RestoresNeedSnapshot),
        ..HEALTHY
    },
    Scenario {
        name: "snapshot-stays",
        title: "the storage does not delete a snapshot from which volumes were restored",
        description: "A deleted VolumeSnapshot goes when the last restored volume has gone. Ready.",
        quirk: Some(Quirk::SnapshotsStayWithRestores),
        ..HEALTHY
    },
    Scenario {
        name: "snapshots-lose-order",
        title: "a snapshot has later writes and lacks earlier ones",
        description: "It is copied piece by piece while the volume is written to: a plain round trip passes, `--mode writing` does not. Ready.",
        quirk: Some(Quirk::LosesOrder),
        ..HEALTHY
    },
    Scenario {
        name: "group-members-exchanged",
        title: "the members of a group snapshot are exchanged",
        description: "Each holds the data of the other's volume: a plain round trip passes, `--mode group` does not. Ready.",
        quirk: Some(Quirk::ExchangesMembers),
        ..HEALTHY
    },
    Scenario {
        name: "restore-needs-recovery",
        title: "a restored file system cannot be mounted read-only",
        description: "Its journal is to be replayed first: a plain round trip passes, `--mode read-only` does not. Ready.",
        quirk: Some(Quirk::NeedsRecovery),
        ..HEALTHY
    },
    Scenario {
        name: "one-node-only",
        title: "volumes are for one node at a time",
        description: "Claims with the access mode ReadOnlyMany are refused, so `--mode read-only` is skipped. Ready.",
        quirk: Some(Quirk::OneNodeOnly),
        ..HEALTHY
    },
    Scenario {
        name: "handle-unknown",
        title: "the driver does not find its snapshots by their handles",
        description: "ListSnapshots does not show what CreateSnapshot has made: a plain round trip passes, `--mode other-namespace` does not. Ready.",
        quirk: Some(Quirk::SnapshotsNotListed),
        ..HEALTHY
    },
    Scenario {
        name: "stuck-finalizer",
        title: "a finalizer stays behind",
        description: "The provisioner forgets its finalizer on the VolumeSnapshot that it restored from, so neither the snapshot nor its namespace can go.",
        stuck_finalizer: true,
        ..HEALTHY
    },
    Scenario {
        name: "delete-error",
        title: "the driver cannot delete snapshots",
        description: "DeleteSnapshot answers with Internal; the VolumeSnapshotContent cannot go.",
        delete_snapshot: Driver::Fails("Internal", "storage returned 500"),
        ..HEALTHY
    },
    Scenario {
        name: "restricted",
        title: "new namespaces enforce Pod Security restricted",
        description: "As hardened clusters do. Ready.",
        restricted: true,
        ..HEALTHY
    },
    Scenario {
        name: "no-udev",
        title: "block devices belong to root alone",
        description: "As on nodes without udev, of kind or k3d. A pod that runs as root without capabilities opens them. Ready.",
        no_udev: true,
        ..HEALTHY
    },
    Scenario {
        name: "no-udev-restricted",
        title: "block devices belong to root alone, and no pod may run as root",
        description: "New namespaces enforce Pod Security restricted, so that no pod can open a block device.",
        no_udev: true,
        restricted: true,
        ..HEALTHY
    },
    Scenario {
        name: "late-service-account",
        title: "new namespaces get their service account late",
        description: "For 300 ms no pod can be created in a new namespace. Ready.",
        service_account_delay: Duration::from_millis(300),
        ..HEALTHY
    },
    Scenario {
        name: "throttled",
        title: "the API server throttles",
        description: "Some requests are answered with 429 first. Ready.",
        api: &[
            Fault { times: 3, ..Fault::once(&["list"], &[], Effect::TooManyRequests(1)) },
            Fault { after: 2, ..Fault::once(&["create"], &[], Effect::TooManyRequests(1)) },
        ],
        ..HEALTHY
    },
    Scenario {
        name: "flaky-api",
        title: "the API server is in trouble",
        description: "Errors before and after the effect, a create that lands late, watches that break. Ready.",
        api: &[
            Fault::once(&["list"], &["storageclasses"], Effect::Error(503)),
            Fault {
                dry_runs: false,
                ..Fault::once(&["create"], &["persistentvolumeclaims"], Effect::ErrorAfterEffect(504))
            },
            Fault {
                dry_runs: false,
                ..Fault::once(&["create"], &["volumesnapshots"], Effect::LateEffect(504, Duration::from_millis(400)))
            },
            Fault::once(&["delete"], &["pods"], Effect::DisconnectAfterEffect),
            Fault { times: 3, ..Fault::once(&["watch"], &[], Effect::CutWatch(Duration::from_millis(100))) },
        ],
        ..HEALTHY
    },
    Scenario {
        name: "api-unauthorized",
        title: "the credentials are refused",
        description: "Every request is answered with 401.",
        api: &[Fault::always(&[], &[], Effect::Unauthorized)],
        ..HEALTHY
    },
];

/// All scenarios, the healthy one first.
#[must_use]
pub fn all() -> &'static [Scenario] {
    &ALL
}

/// The scenario with that name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Scenario> {
    ALL.iter().find(|scenario| scenario.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_speakable() {
        for scenario in all() {
            let same = all().iter().filter(|other| other.name == scenario.name).count();
            assert_eq!(same, 1, "{}", scenario.name);
            assert!(
                scenario.name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
            );
            assert!(scenario.description.ends_with('.'), "{}", scenario.name);
        }
        assert_eq!(all()[0].name, "healthy");
        assert!(find("healthy").is_some() && find("sick").is_none());
    }
}
