//! The round trip's own checks, and how their results are put together.

use snapready_checks::model::check::Check;
use snapready_checks::model::finding::{Evidence, Fix, Status};
use snapready_checks::names::is_object_name;
use snapready_checks::roundtrip;

use crate::model::CheckResult;

/// At most so many characters of a cluster's text stand in a message.
const MESSAGE: usize = 400;
/// At most so many in evidence.
const VALUE: usize = 1500;

/// A check that only a round trip carries out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RoundTripCheck {
    /// The round trip as a whole.
    RoundTrip,
    /// The restored data is what was written.
    DataIntact,
    /// The snapshot-controller works on a `VolumeSnapshot`.
    SnapshotControllerWorks,
    /// The driver's csi-snapshotter works on a `VolumeSnapshotContent`.
    SnapshotSidecarWorks,
    /// A `VolumeSnapshotClass` is found and can be used.
    SnapshotClassUsable,
    /// The snapshot's driver is the volume's.
    SnapshotDriverMatches,
    /// The driver takes the snapshot.
    SnapshotSucceeds,
    /// The source volume is provisioned.
    ProvisioningSucceeds,
    /// The snapshot is restored.
    RestoreSucceeds,
    /// A pod with the volume starts.
    PodStarts,
    /// The API server takes the objects.
    AdmissionAllows,
    /// Everything that was created goes away.
    EverythingRemoved,
    /// A pod can write to the volume.
    WriteSucceeds,
}

impl RoundTripCheck {
    /// Its entry in the catalogue.
    #[must_use]
    pub const fn check(self) -> &'static Check {
        match self {
            Self::RoundTrip => &roundtrip::round_trip::CHECK,
            Self::DataIntact => &roundtrip::data_intact::CHECK,
            Self::SnapshotControllerWorks => &roundtrip::snapshot_controller_works::CHECK,
            Self::SnapshotSidecarWorks => &roundtrip::snapshot_sidecar_works::CHECK,
            Self::SnapshotClassUsable => &roundtrip::snapshot_class_usable::CHECK,
            Self::SnapshotDriverMatches => &roundtrip::snapshot_driver_matches::CHECK,
            Self::SnapshotSucceeds => &roundtrip::snapshot_succeeds::CHECK,
            Self::ProvisioningSucceeds => &roundtrip::provisioning_succeeds::CHECK,
            Self::RestoreSucceeds => &roundtrip::restore_succeeds::CHECK,
            Self::PodStarts => &roundtrip::pod_starts::CHECK,
            Self::AdmissionAllows => &roundtrip::admission_allows::CHECK,
            Self::EverythingRemoved => &roundtrip::everything_removed::CHECK,
            Self::WriteSucceeds => &roundtrip::write_succeeds::CHECK,
        }
    }
}

/// A result that is being put together.
#[derive(Debug)]
pub(super) struct Found(CheckResult);

impl Found {
    pub(super) fn new(check: RoundTripCheck, status: Status, target: Option<&str>, message: &str) -> Self {
        let check = check.check();
        Self(CheckResult {
            id: check.id.to_owned(),
            slug: check.slug.to_owned(),
            group: check.group,
            title: check.title.to_owned(),
            target: target.map(|target| line(target, MESSAGE)),
            status,
            severity: check.severity,
            message: line(message, MESSAGE),
            evidence: Vec::new(),
            cause: None,
            fix: None,
        })
    }

    pub(super) fn fail(check: RoundTripCheck, target: &str, message: &str) -> Self {
        Self::new(check, Status::Fail, Some(target), message)
    }

    pub(super) fn cause(mut self, cause: impl Into<String>) -> Self {
        self.0.cause = Some(line(&cause.into(), VALUE));
        self
    }

    pub(super) fn fix(mut self, fix: Fix) -> Self {
        self.0.fix = Some(fix);
        self
    }

    pub(super) fn evidence(mut self, evidence: impl IntoIterator<Item = Evidence>) -> Self {
        for mut evidence in evidence {
            evidence.value = line(&evidence.value, VALUE);
            for text in [&mut evidence.kind, &mut evidence.name, &mut evidence.path] {
                *text = line(text, MESSAGE);
            }
            evidence.namespace = evidence.namespace.map(|namespace| line(&namespace, MESSAGE));
            self.0.evidence.push(evidence);
        }
        self
    }

    pub(super) fn done(self) -> CheckResult {
        self.0
    }
}

/// A cluster's text as one line of printable characters, cut at `limit` characters.
pub(crate) fn line(text: &str, limit: usize) -> String {
    let mut shown = String::new();
    let mut space = false;
    for c in text.trim().chars().take(limit) {
        // Controls, and marks that change the direction of the text after them.
        let hidden = matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        let blank = c.is_whitespace() || c.is_control() || hidden;
        if !blank {
            shown.push(c);
        } else if !space {
            shown.push(' ');
        }
        space = blank;
    }
    if text.trim().chars().nth(limit).is_some() {
        shown.push('…');
    }
    shown
}

/// A name for a command: the name if it is one that Kubernetes accepts, a placeholder otherwise.
pub(super) fn safe<'a>(name: &'a str, placeholder: &'a str) -> &'a str {
    if is_object_name(name) { name } else { placeholder }
}
