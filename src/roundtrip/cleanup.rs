//! Removes what interrupted runs left: finds it by its labels, removes it in the right order, and looks until it is
//! gone. Never touches what does not carry our labels, and never a finalizer.

use std::collections::BTreeSet;
use std::time::Duration;

use futures::future::join_all;
use jiff::Timestamp;
use kube::api::ListParams;
use serde_json::Value;
use snapready_checks::model::object::Kind;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::driver::observe::{label, text};
use super::kinds::{EXPIRES_AT, MANAGED_BY, RUN_LABEL};
use crate::api::{Client, Deleted, ObjectWatch, Objects, Pause, Place};
use crate::model::{Happening, ObjectName};

/// Which runs are cleaned up after.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Which {
    /// The run with this id.
    Run(String),
    /// All runs, those that still go on among them.
    All,
    /// Runs whose objects have expired; what has no expiry has not.
    Expired {
        /// The time now.
        now: Timestamp,
    },
}

/// What came of a clean-up.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CleanupOutcome {
    /// What was seen to be gone.
    pub removed: Vec<ObjectName>,
    /// What is still there: it could not be removed in time, or its policy retains it.
    pub leftovers: Vec<ObjectName>,
    /// Runs of which something was found.
    pub found_runs: BTreeSet<String>,
    /// Where it could not be looked, and why: "nothing found" holds only if this is empty.
    pub unseen: Vec<String>,
}

/// An object that was found, and where it stands in the order of deletion.
#[derive(Debug)]
struct Found {
    wave: usize,
    place: Place,
    uid: String,
    run: String,
    /// What a controller made for it.
    derived: Option<Place>,
}

/// Pods, restored claims, snapshots, source claims, namespaces.
const WAVES: usize = 5;

/// Removes what runs left, in one namespace or in all that may be looked into. `budget` is for all of it; when half of it is
/// spent, the order is given up.
pub async fn cleanup(
    client: &Client,
    which: &Which,
    namespace: Option<&str>,
    budget: Duration,
    request_timeout: Duration,
    events: mpsc::UnboundedSender<Happening>,
) -> CleanupOutcome {
    let start = Instant::now();
    let server = Objects::new(client, request_timeout, events);
    let mut outcome = CleanupOutcome::default();
    let found = find(&server, which, namespace, &mut outcome).await;
    outcome.found_runs = found.iter().map(|found| found.run.clone()).collect();
    let end = start + budget;
    let hurry = start + budget / 2;
    for wave in 0..WAVES {
        let until = if wave + 1 == WAVES { end } else { hurry.max(Instant::now() + Duration::from_secs(1)).min(end) };
        let objects: Vec<&Found> = found.iter().filter(|found| found.wave == wave).collect();
        let watching = objects.len() <= WATCHES;
        let removals = objects.into_iter().map(|found| remove(&server, found, watching, until, end));
        for (gone, left) in join_all(removals).await {
            for object in gone {
                // Nobody listens any more: then nobody needs to know.
                let _ = server.events.send(Happening::ObjectRemoved { object: object.clone() });
                outcome.removed.push(object);
            }
            outcome.leftovers.extend(left);
        }
    }
    recheck(&server, &found, &mut outcome, end).await;
    outcome
}

async fn find(server: &Objects, which: &Which, namespace: Option<&str>, outcome: &mut CleanupOutcome) -> Vec<Found> {
    let mut labels = format!("{}={}", MANAGED_BY.0, MANAGED_BY.1);
    match which {
        Which::Run(run) => labels = format!("{labels},{RUN_LABEL}={run}"),
        Which::All | Which::Expired { .. } => labels = format!("{labels},{RUN_LABEL}"),
    }
    let parameters = ListParams::default().labels(&labels);
    let kinds = [Kind::POD, Kind::PERSISTENT_VOLUME_CLAIM, Kind::VOLUME_SNAPSHOT, Kind::NAMESPACE];
    let mut found = Vec::new();
    for kind in kinds {
        let scope = namespace.filter(|_| kind != Kind::NAMESPACE);
        match server.list(&kind, scope, &parameters, TRIES).await {
            Ok(list) => {
                found.extend(list.iter().filter_map(|object| place(kind, object, which)));
            }
            // The snapshot API is not served: then there are no snapshots.
            Err(failure) if failure.status == 404 => {}
            // A namespace that was named need not be ours.
            Err(failure) if failure.status == 403 && kind == Kind::NAMESPACE && namespace.is_some() => {}
            Err(failure) => {
                let scope = scope.map_or_else(|| "the cluster".to_owned(), |name| format!("namespace {name}"));
                outcome.unseen.push(format!("{} in {scope}: {}", kind.plural, failure.message));
            }
        }
    }
    if let Some(namespace) = namespace {
        found.retain(|found| found.place.kind != Kind::NAMESPACE || found.place.name == namespace);
    }
    found
}

/// So many objects are watched at a time, each by itself; what is more than that is looked at now and then. Over HTTP/1.1
/// each watch takes a connection.
const WATCHES: usize = 16;

/// How often a list is tried.
const TRIES: u32 = 5;

fn place(kind: Kind, object: &Value, which: &Which) -> Option<Found> {
    let run = label(object, RUN_LABEL)?.to_owned();
    if label(object, MANAGED_BY.0) != Some(MANAGED_BY.1) {
        return None;
    }
    let wanted = match which {
        Which::Run(wanted) => *wanted == run,
        Which::All => true,
        Which::Expired { now } => object
            .pointer("/metadata/annotations")
            .and_then(|annotations| annotations.get(EXPIRES_AT)?.as_str()?.parse::<Timestamp>().ok())
            .is_some_and(|expiry| expiry <= *now),
    };
    if !wanted {
        return None;
    }
    let uid = text(object, "/metadata/uid")?.to_owned();
    let restored =
        text(object, "/spec/dataSource/name").is_some() || text(object, "/spec/dataSourceRef/name").is_some();
    let wave = match kind.name {
        "Pod" => 0,
        "PersistentVolumeClaim" if restored => 1,
        "VolumeSnapshot" => 2,
        "PersistentVolumeClaim" => 3,
        _ => 4,
    };
    let derived = match kind.name {
        "PersistentVolumeClaim" => text(object, "/spec/volumeName").map(|name| Place {
            kind: Kind::PERSISTENT_VOLUME,
            namespace: None,
            name: name.to_owned(),
        }),
        "VolumeSnapshot" => Some(Place {
            kind: Kind::VOLUME_SNAPSHOT_CONTENT,
            namespace: None,
            name: text(object, "/status/boundVolumeSnapshotContentName")
                .map_or_else(|| format!("snapcontent-{uid}"), str::to_owned),
        }),
        _ => None,
    };
    let place = Place {
        kind,
        namespace: text(object, "/metadata/namespace").map(str::to_owned),
        name: text(object, "/metadata/name")?.to_owned(),
    };
    Some(Found { wave, place, uid, run, derived })
}

/// Deletes one object and looks until it, and what a controller made for it, is gone. Objects that go and objects that
/// stay.
async fn remove(
    server: &Objects,
    found: &Found,
    watching: bool,
    until: Instant,
    end: Instant,
) -> (Vec<ObjectName>, Vec<ObjectName>) {
    let lookout = |place: &Place| {
        if watching { ObjectWatch::new(place.clone()) } else { ObjectWatch::without_watch(place.clone()) }
    };
    let mut gone = Vec::new();
    let mut left = Vec::new();
    let deleted = tokio::time::timeout_at(end, server.delete(&found.place, &found.uid)).await;
    if !matches!(deleted, Ok(Ok(Deleted::Accepted | Deleted::Absent | Deleted::OtherUid))) {
        left.push(found.place.object());
        return (gone, left);
    }
    match going(server, lookout(&found.place), Some(&found.uid), None, until).await {
        Fate::Gone | Fate::NeverThere => gone.push(found.place.object()),
        Fate::Stays | Fate::Unreadable => {
            left.push(found.place.object());
            return (gone, left);
        }
    }
    if let Some(derived) = &found.derived {
        match going(server, lookout(derived), None, Some(&found.uid), until).await {
            Fate::Gone => gone.push(derived.object()),
            Fate::Stays => left.push(derived.object()),
            // The right to look at cluster-scoped objects is nothing that a clean-up needs.
            Fate::NeverThere | Fate::Unreadable => {}
        }
    }
    (gone, left)
}

enum Fate {
    Gone,
    NeverThere,
    Stays,
    Unreadable,
}

/// Looks until an object is gone. One that another maker has, or another UID, is none of ours.
async fn going(
    server: &Objects,
    mut lookout: ObjectWatch,
    uid: Option<&str>,
    maker: Option<&str>,
    until: Instant,
) -> Fate {
    let place = lookout.place().clone();
    let a_look = || tokio::time::timeout(server.request_timeout, server.get(&place));
    let mut pause = Pause::default();
    let mut seen = false;
    let mut look = a_look().await;
    loop {
        match look {
            Ok(Ok(None)) => {
                return if seen || maker.is_none() { Fate::Gone } else { Fate::NeverThere };
            }
            Ok(Ok(Some(object))) => {
                if uid.is_some() && text(&object, "/metadata/uid") != uid {
                    return Fate::Gone;
                }
                let made_for = text(&object, "/spec/volumeSnapshotRef/uid").or(text(&object, "/spec/claimRef/uid"));
                if maker.is_some() && made_for != maker {
                    return Fate::NeverThere;
                }
                let policy =
                    text(&object, "/spec/deletionPolicy").or(text(&object, "/spec/persistentVolumeReclaimPolicy"));
                if maker.is_some() && policy == Some("Retain") {
                    return Fate::Stays;
                }
                seen = true;
            }
            Ok(Err(failure)) if failure.status == 403 => return Fate::Unreadable,
            Ok(Err(_)) | Err(_) => return Fate::Stays,
        }
        if Instant::now() >= until {
            return Fate::Stays;
        }
        look = match tokio::time::timeout_at(until, lookout.next(server, pause.next(None))).await {
            Ok(answer) => Ok(answer),
            // The time is over: one last look.
            Err(_) => a_look().await,
        };
    }
}

/// What hung at its turn may have gone since, with its namespace or with what blocked it.
async fn recheck(server: &Objects, found: &[Found], outcome: &mut CleanupOutcome, end: Instant) {
    let once = |place: &Place| ObjectWatch::without_watch(place.clone());
    let mut left = Vec::new();
    for object in std::mem::take(&mut outcome.leftovers) {
        let own = found.iter().find(|found| found.place.object() == object);
        let derived = found.iter().find_map(|found| {
            found.derived.as_ref().filter(|derived| derived.object() == object).map(|derived| (derived, &found.uid))
        });
        let fate = match (own, derived) {
            (Some(own), _) => going(server, once(&own.place), Some(&own.uid), None, end.min(Instant::now())).await,
            (None, Some((place, uid))) => going(server, once(place), None, Some(uid), end.min(Instant::now())).await,
            (None, None) => Fate::Stays,
        };
        match fate {
            Fate::Gone | Fate::NeverThere => outcome.removed.push(object),
            Fate::Stays | Fate::Unreadable => left.push(object),
        }
    }
    outcome.leftovers = left;
}
