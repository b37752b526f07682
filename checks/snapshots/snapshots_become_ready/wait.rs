//! What a `VolumeSnapshot` waits for, as far as it and its content tell.

use std::collections::HashSet;

use crate::knowledge::snapshots::{Existing, NO_SIDECAR_WORKS, seen, seen_content};
use crate::model::facts::Facts;
use crate::model::finding::Evidence;
use crate::model::round_trip::StepId;
use crate::moment::grpc::Code;
use crate::moment::line;

/// Longest piece of an error that is shown.
const ERROR: usize = 1200;

/// What a snapshot may name, as far as it could be read.
pub(super) struct Known<'a> {
    claims: Option<HashSet<(Option<&'a str>, &'a str)>>,
    classes: Option<HashSet<&'a str>>,
    has_contents: bool,
}

impl<'a> Known<'a> {
    pub(super) fn of(facts: &'a Facts) -> Self {
        let claims = facts.persistent_volume_claims.seen().map(|claims| {
            claims.iter().map(|claim| (claim.metadata.namespace.as_deref(), claim.metadata.name.as_str())).collect()
        });
        let classes = facts.volume_snapshot_classes.seen();
        let classes = classes.map(|classes| classes.iter().map(|class| class.metadata.name.as_str()).collect());
        Self { claims, classes, has_contents: facts.volume_snapshot_contents.seen().is_some() }
    }

    fn lacks_claim(&self, one: &Existing<'_>) -> bool {
        let wanted = one.snapshot.spec.source.persistent_volume_claim_name.as_deref();
        let namespace = one.snapshot.metadata.namespace.as_deref();
        self.claims.as_ref().zip(wanted).is_some_and(|(claims, wanted)| !claims.contains(&(namespace, wanted)))
    }

    fn lacks_class(&self, one: &Existing<'_>) -> bool {
        let wanted = one.snapshot.spec.volume_snapshot_class_name.as_deref();
        self.classes.as_ref().zip(wanted).is_some_and(|(classes, wanted)| !classes.contains(wanted))
    }
}

/// What a snapshot waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Wait {
    /// Nobody has picked it up.
    Controller,
    /// Its claim does not exist.
    Claim,
    /// Its class does not exist.
    Class,
    /// The driver, or somebody before it, reports an error of this kind: [`FORBIDDEN`], [`VOLUME_MODE`], a gRPC code, or none that
    /// is known. Errors of one kind have one cause.
    Error(&'static str),
    /// The content is there, and nobody works on it.
    Sidecar,
    /// The storage has begun.
    Storage,
    /// It is bound to a content that does not exist.
    Content,
    /// It is bound to a content that could not be read.
    Hidden,
}

impl Wait {
    pub(super) fn of(known: &Known<'_>, one: &Existing<'_>) -> Self {
        let status = &one.snapshot.status;
        let bound = status.bound_volume_snapshot_content_name.as_deref();
        if bound.is_none() && known.lacks_claim(one) {
            return Self::Claim;
        }
        if bound.is_none() && known.lacks_class(one) {
            return Self::Class;
        }
        // Before errors: the snapshot-controller's own says less, and others are of before.
        if bound.is_some() && one.content.is_none() && known.has_contents {
            return Self::Content;
        }
        if let Some(text) = error(one) {
            return Self::Error(kind(&text));
        }
        match (bound, one.content) {
            (None, _) => Self::Controller,
            (Some(_), None) => Self::Hidden,
            (Some(_), Some(content)) if content.status.snapshot_handle.is_none() => Self::Sidecar,
            (Some(_), Some(_)) => Self::Storage,
        }
    }

    /// For targets, which are the same in every run.
    pub(super) fn word(self) -> String {
        let word = match self {
            Self::Error(kind) if !kind.is_empty() => return format!("error {kind}"),
            Self::Controller => "not picked up",
            Self::Claim => "no claim",
            Self::Class => "no class",
            Self::Error(_) => "error",
            Self::Sidecar => "not taken",
            Self::Storage => "not finished",
            Self::Content => "no content",
            Self::Hidden => "bound",
        };
        word.to_owned()
    }

    pub(super) const fn what(self) -> &'static str {
        match self {
            Self::Controller => "no snapshot-controller has picked it up",
            Self::Claim => "the claim does not exist",
            Self::Class => "the VolumeSnapshotClass does not exist",
            Self::Error(_) => "an error is reported",
            Self::Sidecar => "no csi-snapshotter has worked on the content",
            Self::Storage => "the snapshot was begun, and the storage has not finished it",
            Self::Content => "the content that it is bound to does not exist",
            Self::Hidden => "it is bound to a content, and contents could not be read",
        }
    }

    /// The checks that tell of the same fault, and their targets.
    pub(super) fn told_by(self, driver: &str) -> Vec<(&'static str, Option<&str>)> {
        let of_any = |checks: &[&'static str]| checks.iter().map(|check| (*check, None)).collect();
        match self {
            Self::Error(VOLUME_MODE) => vec![("SR123", Some(driver))],
            Self::Error(FORBIDDEN) => of_any(&["SR116", "SR127"]),
            Self::Controller => of_any(&["SR111", "SR112", "SR115"]),
            Self::Sidecar => NO_SIDECAR_WORKS.map(|check| (check, Some(driver))).to_vec(),
            _ => Vec::new(),
        }
    }

    pub(super) fn evidence(self, one: &Existing<'_>) -> Evidence {
        let metadata = &one.snapshot.metadata;
        let of = |name: &Option<String>| name.clone().unwrap_or_default();
        match (self, one.content) {
            (Self::Claim, _) => seen(
                metadata,
                "spec.source.persistentVolumeClaimName",
                of(&one.snapshot.spec.source.persistent_volume_claim_name),
            ),
            (Self::Class, _) => {
                seen(metadata, "spec.volumeSnapshotClassName", of(&one.snapshot.spec.volume_snapshot_class_name))
            }
            (Self::Error(_), _) => seen(metadata, "status.error.message", error(one).unwrap_or_default()),
            (Self::Sidecar, Some(content)) => seen_content(&content.metadata, "status.snapshotHandle", "absent"),
            (Self::Storage, Some(content)) => {
                seen_content(&content.metadata, "status.snapshotHandle", of(&content.status.snapshot_handle))
            }
            (Self::Content | Self::Hidden, _) => seen(
                metadata,
                "status.boundVolumeSnapshotContentName",
                of(&one.snapshot.status.bound_volume_snapshot_content_name),
            ),
            _ => seen(metadata, "status", "absent"),
        }
    }

    pub(super) fn cause_and_advice(self, members: &[&Existing<'_>]) -> (String, String) {
        let fixed = |cause: &str, advice: &str| (cause.to_owned(), advice.to_owned());
        match self {
            Self::Controller => fixed(
                "The snapshot-controller does not run, does not lead, lacks rights, or watches another version of the API.",
                "Make the snapshot-controller work: SR111 to SR117 tell what is wrong with it. It then takes up what waits.",
            ),
            Self::Claim => fixed(
                "The claim was deleted before the snapshot was taken, or its name is wrong.",
                "Delete these VolumeSnapshots: nothing was taken that they could give back.",
            ),
            Self::Class => fixed(
                "The class was deleted, or its name is wrong; the snapshot-controller then creates no content.",
                "Create the class, and take the snapshot once more.",
            ),
            Self::Error(FORBIDDEN) => fixed(
                "The account that the error names lacks a right: of the snapshot-controller, of a sidecar, or of the driver.",
                "Give that account the right, through what installed the component: its chart or manifests are older than the component, or were cut down.",
            ),
            Self::Error(VOLUME_MODE) => fixed(
                "The csi-snapshotter is too old for these CRDs: it drops spec.sourceVolumeMode, and a rule of the CRD refuses that.",
                "Upgrade the driver to one with csi-snapshotter 6.0 or later.",
            ),
            Self::Error(_) => match members.iter().find_map(|one| Code::at(&error(one)?, StepId::Snapshot)) {
                Some(code) => (format!("{}: {}.", code.word, code.meaning), code.advice.to_owned()),
                None => fixed(
                    "The text of the error says it; the controllers try again by themselves, at most every 5 minutes.",
                    "Mend what the error names.",
                ),
            },
            Self::Sidecar => fixed(
                "The driver's csi-snapshotter does not run, does not lead, lacks rights, or does not see the content.",
                "Make the driver's csi-snapshotter work: SR121 to SR127 tell what is wrong with it. It then takes up what waits.",
            ),
            Self::Storage => fixed(
                "The driver has named the snapshot, and still answers that it is not ready: large first copies take hours, others have failed on the storage's side.",
                "Look for the snapshot by its handle on the storage's side.",
            ),
            Self::Content => fixed(
                "Somebody deleted the content, and with it the only note of the snapshot in the storage.",
                "Delete these VolumeSnapshots, or create the contents anew from the storage's own names of the snapshots.",
            ),
            Self::Hidden => fixed(
                "The snapshot-controller has done its part; whether the csi-snapshotter or the storage has not done its own stands in the content.",
                "Look at the contents with somebody who may list VolumeSnapshotContents.",
            ),
        }
    }
}

/// An account lacks a right, as the API server's authorizer by RBAC words it.
const FORBIDDEN: &str = "Forbidden";
/// A rule of the content's CRD of 8.x refuses a sidecar's write; how the rest is worded differs from server to server.
const VOLUME_MODE: &str = "sourceVolumeMode";

/// Which kind of error a text is.
fn kind(error: &str) -> &'static str {
    let is_refused = ["is forbidden: User \"system:serviceaccount:", "is forbidden: User \\\"system:serviceaccount:"];
    if is_refused.iter().any(|text| error.contains(text)) {
        FORBIDDEN
    } else if error.contains("sourceVolumeMode is required once set") {
        VOLUME_MODE
    } else {
        Code::at(error, StepId::Snapshot).map_or("", Code::kind)
    }
}

/// The last error, of the snapshot or of its content.
fn error(one: &Existing<'_>) -> Option<String> {
    let of_content = || one.content.and_then(|content| content.status.error.as_ref());
    let error = one.snapshot.status.error.as_ref().or_else(of_content)?;
    Some(line(error.message.as_deref().unwrap_or("without a text"), ERROR))
}
