//! Finds what runs left, by its labels.

use std::collections::BTreeSet;

use jiff::Timestamp;
use kube::api::ListParams;
use serde_json::Value;
use snapready_checks::model::object::Kind;

use super::Which;
use crate::api::{Failure, Objects, Place};
use crate::roundtrip::kinds::{EXPIRES_AT, MANAGED_BY, MODE_LABEL, RUN_LABEL};
use crate::roundtrip::modes::{Mode, Shape, all, plain};
use crate::roundtrip::observe::{annotation, label, text};
use crate::roundtrip::program::{By, Policy};

/// How often a list is tried.
const TRIES: u32 = 5;

/// An object of a run.
#[derive(Debug, Clone)]
pub(super) struct Found {
    pub(super) place: Place,
    pub(super) uid: String,
    pub(super) run: String,
    pub(super) object: Value,
}

/// The mode of an object. 0.1.0 had one.
pub(super) fn mode(object: &Value) -> Option<&'static Mode> {
    label(object, MODE_LABEL).map_or(Some(&plain::MODE), Mode::find)
}

/// The kinds of objects that round trips in a mode create.
fn kinds(mode: &Mode) -> BTreeSet<Kind> {
    let program = (mode.program)(Shape { own_namespace: true, immediate: false });
    program.created().iter().filter_map(|id| program.object(*id)).map(|object| object.kind).collect()
}

/// The kinds of objects that round trips in a mode create, or label before they let go of them.
fn labelled(mode: &Mode) -> BTreeSet<Kind> {
    let program = (mode.program)(Shape { own_namespace: true, immediate: false });
    let let_go =
        program.objects().iter().filter(|object| matches!(object.by, By::Controller { policy: Policy::Deletion, .. }));
    kinds(mode).into_iter().chain(let_go.map(|object| object.kind)).collect()
}

/// Finds them; `unseen` says where it could not be looked.
pub(super) async fn find(
    server: &Objects,
    which: &Which,
    namespace: Option<&str>,
    unseen: &mut Vec<String>,
) -> Vec<Found> {
    let mut labels = format!("{}={}", MANAGED_BY.0, MANAGED_BY.1);
    match which {
        Which::Run(run) => labels = format!("{labels},{RUN_LABEL}={run}"),
        Which::All | Which::Expired { .. } => labels = format!("{labels},{RUN_LABEL}"),
    }
    let parameters = ListParams::default().labels(&labels);
    let mut found = Vec::new();
    let mut of_some_modes = Vec::new();
    let in_words = |kind: Kind, scope: Option<&str>, failure: &Failure| {
        let scope = scope.map_or_else(|| "the cluster".to_owned(), |name| format!("namespace {name}"));
        format!("{} in {scope}: {}", kind.plural, failure.message)
    };
    for kind in all().flat_map(labelled).collect::<BTreeSet<_>>() {
        let scope = namespace.filter(|_| kind.namespaced);
        match server.list(&kind, scope, &parameters, TRIES).await {
            Ok(list) => found.extend(list.into_iter().filter_map(|object| wanted(kind, object, which))),
            // The snapshot API is not served: then there are no snapshots.
            Err(failure) if failure.status == 404 => {}
            // A namespace that was named need not be ours.
            Err(failure) if failure.status == 403 && kind == Kind::NAMESPACE && namespace.is_some() => {}
            // It is missed only by who has carried out a mode that creates such objects.
            Err(failure) if failure.status == 403 && !kinds(&plain::MODE).contains(&kind) => {
                of_some_modes.push((kind, in_words(kind, scope, &failure)));
            }
            Err(failure) => unseen.push(in_words(kind, scope, &failure)),
        }
    }
    let creates = |found: &Found, kind: &Kind| mode(&found.object).is_none_or(|mode| kinds(mode).contains(kind));
    of_some_modes.retain(|(kind, _)| found.iter().any(|found| creates(found, kind)));
    unseen.extend(of_some_modes.into_iter().map(|(_, words)| words));
    if let Some(namespace) = namespace {
        found.retain(|found| match found.place.kind {
            Kind::NAMESPACE => found.place.name == namespace,
            Kind::VOLUME_SNAPSHOT_CONTENT => {
                text(&found.object, "/spec/volumeSnapshotRef/namespace") == Some(namespace)
            }
            _ => true,
        });
    }
    found
}

/// An object, if it is one of the runs that are meant.
fn wanted(kind: Kind, object: Value, which: &Which) -> Option<Found> {
    let run = label(&object, RUN_LABEL)?.to_owned();
    if label(&object, MANAGED_BY.0) != Some(MANAGED_BY.1) {
        return None;
    }
    let wanted = match which {
        Which::Run(wanted) => *wanted == run,
        Which::All => true,
        Which::Expired { now } => annotation(&object, EXPIRES_AT)
            .and_then(|time| time.parse::<Timestamp>().ok())
            .is_some_and(|expiry| expiry <= *now),
    };
    if !wanted {
        return None;
    }
    let place = Place {
        kind,
        namespace: text(&object, "/metadata/namespace").map(str::to_owned),
        name: text(&object, "/metadata/name")?.to_owned(),
    };
    Some(Found { place, uid: text(&object, "/metadata/uid")?.to_owned(), run, object })
}
