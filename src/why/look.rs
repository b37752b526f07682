//! Looks at the objects, in a cluster or in files.

use std::time::Duration;

use futures::future::join_all;
use kube::api::ListParams;
use serde_json::Value;
use snapready_checks::model::facts::SnapshotApis;
use snapready_checks::model::object::{GROUP_SNAPSHOT_GROUP, Kind, SNAPSHOT_GROUP};

use super::known::{Known, Looked};
use crate::api::{Objects, Place};
use crate::facts::files::FromFiles;
use crate::roundtrip::observe::text;

/// How often a list is tried.
const TRIES: u32 = 3;
/// Events about objects that lie in no namespace lie here.
const OF_CLUSTER: &str = "default";
/// What is listed where no object is named.
pub(super) const LISTED: [Kind; 5] = [
    Kind::VOLUME_SNAPSHOT,
    Kind::VOLUME_SNAPSHOT_CONTENT,
    Kind::VOLUME_GROUP_SNAPSHOT,
    Kind::PERSISTENT_VOLUME_CLAIM,
    Kind::POD,
];

/// The chain of an object in a cluster.
pub(crate) async fn in_cluster(server: &Objects, start: &Place, patience: Duration) -> Known {
    let mut known = Known::default();
    loop {
        let wanted = known.wanted(start);
        if wanted.is_empty() {
            break;
        }
        for (place, looked) in join_all(wanted.into_iter().map(|place| look(server, place, patience))).await {
            known.learn(place.object(), looked);
        }
    }
    let waits = known.get(start).is_some_and(|claim| text(claim, "/status/phase") != Some("Bound"));
    if start.kind == Kind::PERSISTENT_VOLUME_CLAIM && waits {
        let within = start.namespace.as_deref();
        known.learn_all(Kind::POD, within, list(server, &Kind::POD, within, None).await);
    }
    let mut about = super::chain::chain(start, &known);
    about.extend(known.users(start).into_iter().take(1));
    let events = about.iter().map(|place| {
        let namespace = place.namespace.as_deref().unwrap_or(OF_CLUSTER);
        list(server, &Kind::EVENT, Some(namespace), Some(place.name.as_str()))
    });
    for answer in join_all(events).await {
        known.learn_events(answer);
    }
    known
}

/// By a list of one name: the right to list is what the checks take as well.
async fn look(server: &Objects, place: Place, patience: Duration) -> (Place, Looked) {
    let parameters = ListParams::default().fields(&format!("metadata.name={}", place.name));
    let listed = server.list(&place.kind, place.namespace.as_deref(), &parameters, TRIES);
    let looked = match tokio::time::timeout(patience, listed).await {
        Ok(Ok(objects)) => objects.into_iter().next().map_or(Looked::Absent, Looked::There),
        // The API of snapshots is not served: then there are none.
        Ok(Err(failure)) if failure.status == 404 => Looked::Absent,
        Ok(Err(failure)) => Looked::Unseen(failure.message),
        Err(_) => Looked::Unseen(format!("no answer within {}", humantime::format_duration(patience))),
    };
    (place, looked)
}

async fn list(
    server: &Objects,
    kind: &Kind,
    namespace: Option<&str>,
    about: Option<&str>,
) -> Result<Vec<Value>, String> {
    let parameters = match about {
        Some(name) => ListParams::default().fields(&format!("involvedObject.name={name}")),
        None => ListParams::default(),
    };
    match server.list(kind, namespace, &parameters, TRIES).await {
        // A kind that the API server does not serve has no objects.
        Err(failure) if failure.status == 404 => Ok(Vec::new()),
        answer => answer.map_err(|failure| failure.message),
    }
}

/// All that may be stuck in a cluster, or in a namespace of it.
pub(crate) async fn listed_in_cluster(server: &Objects, namespace: Option<&str>) -> Known {
    let mut known = Known::default();
    let answers = LISTED
        .map(|kind| async move { (kind, list(server, &kind, namespace.filter(|_| kind.namespaced), None).await) });
    for (kind, answer) in join_all(answers).await {
        known.learn_all(kind, namespace.filter(|_| kind.namespaced), answer);
    }
    let mut events = vec![list(server, &Kind::EVENT, namespace, None).await];
    if namespace.is_some_and(|namespace| namespace != OF_CLUSTER) {
        events.push(list(server, &Kind::EVENT, Some(OF_CLUSTER), None).await);
    }
    for answer in events {
        known.learn_events(answer);
    }
    known
}

/// What files hold of all this. A kind that is not in them is not absent.
pub(crate) fn in_files(files: &FromFiles) -> Known {
    let mut known = Known::default();
    for kind in LISTED.into_iter().chain([Kind::PERSISTENT_VOLUME, Kind::VOLUME_GROUP_SNAPSHOT_CONTENT]) {
        // Of a kind that the definitions in the files do not serve there are no objects.
        let of_snapshots = [SNAPSHOT_GROUP, GROUP_SNAPSHOT_GROUP].contains(&kind.group);
        let is_unserved = |apis: &SnapshotApis| of_snapshots && !apis.serves(kind.group, kind.version);
        let none = files.facts.snapshot_apis.seen().filter(|apis| is_unserved(apis)).map(|_| Vec::new());
        let objects = files.objects_of(&kind).or(none);
        known.learn_all(kind, None, objects.ok_or_else(|| "it is not in the files".to_owned()));
    }
    known.learn_events(files.objects_of(&Kind::EVENT).ok_or_else(|| "they are not in the files".to_owned()));
    known
}
