//! From a live cluster to facts: concurrent, page by page, and only what was asked for.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::{BoxFuture, join_all};
use jiff::Timestamp;
use serde::Deserialize;
use snapready_checks::knowledge::drivers::switches::switches as switches_of;
use snapready_checks::model::facts::{Facts, SnapshotApis};
use snapready_checks::model::kubernetes::{CustomResourceDefinition, ServerVersion};
use snapready_checks::model::listed::{Listed, Visit};
use snapready_checks::model::need::{Access, CRD_NAMES, Need};
use snapready_checks::model::nulls;
use snapready_checks::model::object::{GROUP_SNAPSHOT_GROUP, Kind, SNAPSHOT_GROUP};
use snapready_checks::model::probe::Probe;
use snapready_checks::model::products::ProductKind;
use snapready_checks::{interests, questions};

use crate::api::{Failure, JSON, Retry};
use crate::cluster::Connection;
use crate::facts::live::access::{self, Right};
use crate::facts::live::list::{list, path};
use crate::facts::live::request::Requests;
use crate::facts::live::{accounts, pods, products, services, switches};

/// What to collect.
#[derive(Debug, Clone)]
pub struct Collection<'a> {
    /// What the selected checks need and use. Nothing else is asked for, but that [`Need::ClassSecrets`] takes the classes.
    pub needs: &'a BTreeSet<Need>,
    /// What the caller is asked about for [`Need::RoundTripAccess`].
    pub round_trip: &'a [Right],
    /// The kinds of backup products' objects that are read for [`Need::ProductObjects`].
    pub products: &'a [&'static ProductKind],
    /// The version, if the first request has shown it already.
    pub server_version: Option<ServerVersion>,
}

/// The API groups of snapshots. They are asked for by name: discovery as a whole fails with any broken extension.
const SNAPSHOT_GROUPS: [&str; 2] = [SNAPSHOT_GROUP, GROUP_SNAPSHOT_GROUP];

/// The API group of `SecurityContextConstraints`.
const OPENSHIFT_SECURITY: &str = "security.openshift.io";

/// Looks at a cluster. What cannot be seen is a value in the facts; this itself cannot fail. `on_retry` is told of every request
/// that is made again.
pub(crate) async fn collect(
    connection: &Connection,
    collection: &Collection<'_>,
    on_retry: &(dyn Fn(Retry) + Send + Sync),
) -> Facts {
    // Boxed: all requests together make a large future.
    Box::pin(look(connection, collection, on_retry)).await
}

async fn look(connection: &Connection, collection: &Collection<'_>, on_retry: &(dyn Fn(Retry) + Send + Sync)) -> Facts {
    let mut facts = Facts { collected_at: Timestamp::now(), ..Facts::default() };
    let requests = &Requests::new(&connection.client, on_retry);
    let asked = collection.needs.iter().map(|need| meet(requests, collection, *need));
    for answer in join_all(asked).await {
        answer(&mut facts);
    }
    follow(requests, collection, &mut facts).await;
    facts
}

/// Asks for what the rest has shown to be in question, at the same time.
async fn follow(requests: &Requests<'_>, collection: &Collection<'_>, facts: &mut Facts) {
    let services = async {
        let wanted = collection.needs.contains(&Need::WebhookServices);
        if wanted { services::of_webhooks(requests, facts).await } else { Probe::NotCollected }
    };
    let reviews = async {
        let wanted = collection.needs.contains(&Need::AccountReviews);
        if wanted { accounts::reviews(requests, questions(facts)).await } else { Probe::NotCollected }
    };
    let switches = async {
        let wanted = collection.needs.contains(&Need::DriverSwitches);
        if wanted { switches::states(requests, switches_of(facts)).await } else { Probe::NotCollected }
    };
    (facts.webhook_services, facts.account_reviews, facts.driver_switches) =
        futures::join!(services, reviews, switches);
}

/// Puts an answer where it belongs.
type Answer = Box<dyn FnOnce(&mut Facts) + Send>;

/// Does what a need takes: lists its objects, or calls the function of a need that is not a list.
async fn meet(requests: &Requests<'_>, collection: &Collection<'_>, need: Need) -> Answer {
    if need == Need::VolumeSnapshotClasses && collection.needs.contains(&Need::ClassSecrets) {
        // Whoever asks for the secrets has read the classes.
        return Box::new(|_| {});
    }
    if need == Need::Pods && collection.needs.contains(&Need::MountedClaims) {
        return Box::new(|_| {});
    }
    match need {
        Need::MountedClaims => {
            let (pods, claims) = pods::with_claims(requests).await;
            Box::new(|facts| (facts.pods, facts.mounted_claims) = (pods, claims))
        }
        Need::ServerVersion => {
            let seen = server_version(requests, collection.server_version.as_ref()).await;
            Box::new(|facts| facts.server_version = seen)
        }
        Need::SnapshotApis => {
            let seen = snapshot_apis(requests).await;
            Box::new(|facts| facts.snapshot_apis = seen)
        }
        Need::CustomResourceDefinitions => {
            let seen = custom_resource_definitions(requests).await;
            Box::new(|facts| facts.custom_resource_definitions = seen)
        }
        // What these are about, the others tell: see `follow`.
        Need::WebhookServices | Need::AccountReviews | Need::DriverSwitches => Box::new(|_| {}),
        Need::ClassSecrets => {
            let classes = list_all(requests, Need::VolumeSnapshotClasses).await;
            let secrets = access::class_secrets(requests, &classes).await;
            Box::new(|facts| (facts.volume_snapshot_classes, facts.class_secrets) = (classes, secrets))
        }
        Need::ProductObjects => {
            let seen = products::objects(requests, collection.products).await;
            Box::new(|facts| facts.product_objects = seen)
        }
        Need::RoundTripAccess => {
            let seen = access::reviews(requests, collection.round_trip).await;
            Box::new(|facts| facts.round_trip_access = seen)
        }
        Need::SecurityContextConstraints => {
            let seen = is_served(requests, OPENSHIFT_SECURITY).await;
            Box::new(|facts| facts.security_context_constraints = seen)
        }
        listed => match listed.visit(Lists { requests, need }) {
            Some(answer) => answer.await,
            None => Box::new(|_| {}),
        },
    }
}

/// Meets a need by lists.
struct Lists<'a> {
    requests: &'a Requests<'a>,
    need: Need,
}

impl<'a> Visit for Lists<'a> {
    type Output = BoxFuture<'a, Answer>;

    fn listed<T: Listed>(self, field: fn(&mut Facts) -> &mut Probe<Vec<T>>) -> Self::Output {
        Box::pin(async move {
            let seen = list_all(self.requests, self.need).await;
            Box::new(move |facts: &mut Facts| *field(facts) = seen) as Answer
        })
    }
}

/// The objects of all kinds of a need.
async fn list_all<T: Listed>(requests: &Requests<'_>, need: Need) -> Probe<Vec<T>> {
    let Access::Listed(kinds) = need.row().access else { return Probe::NotCollected };
    let mut all = Vec::new();
    for objects in join_all(kinds.iter().map(|kind| list(requests, kind, interests(need)))).await {
        match objects {
            Ok(objects) => all.extend(objects),
            Err(unseen) => return unseen,
        }
    }
    Probe::from(all)
}

async fn server_version(requests: &Requests<'_>, known: Option<&ServerVersion>) -> Probe<ServerVersion> {
    if let Some(version) = known {
        return Probe::from(version.clone());
    }
    match requests.get("/version", JSON).await {
        Ok(answer) => match nulls::from_slice::<ServerVersion>(&answer) {
            Ok(version) if !version.git_version.is_empty() => Probe::from(version),
            _ => Probe::Failed { reason: "GET /version: the answer holds no gitVersion".to_owned() },
        },
        Err(failure) => Probe::Failed { reason: open_to_all("/version", &failure) },
    }
}

/// Discovery and the version are open to everybody who is logged in, by `ClusterRoles` that no rule for a resource replaces.
fn open_to_all(path: &str, failure: &Failure) -> String {
    match failure.status {
        403 => format!("GET {path}: refused; every account normally has ClusterRole system:discovery, which allows it"),
        404 => format!("GET {path}: 404 Not Found"),
        _ => format!("GET {path}: {failure}"),
    }
}

async fn snapshot_apis(requests: &Requests<'_>) -> Probe<SnapshotApis> {
    let answers = join_all(SNAPSHOT_GROUPS.map(async |group| (group, versions(requests, group).await))).await;
    let mut apis = BTreeMap::new();
    for (group, versions) in answers {
        match versions {
            Ok(Some(versions)) => {
                apis.insert(group.to_owned(), versions);
            }
            Ok(None) => {}
            Err(reason) => return Probe::Failed { reason },
        }
    }
    Probe::from(SnapshotApis(apis))
}

async fn is_served(requests: &Requests<'_>, group: &str) -> Probe<bool> {
    match versions(requests, group).await {
        Ok(versions) => Probe::from(versions.is_some()),
        Err(reason) => Probe::Failed { reason },
    }
}

/// The versions of an API group, the preferred one first; `None` if it is not served.
async fn versions(requests: &Requests<'_>, group: &str) -> Result<Option<Vec<String>>, String> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct ApiGroup {
        versions: Vec<Version>,
        preferred_version: Option<Version>,
    }
    #[derive(Deserialize)]
    struct Version {
        version: String,
    }
    let path = format!("/apis/{group}");
    let answer = match requests.get(&path, JSON).await {
        Ok(answer) => answer,
        Err(failure) if failure.status == 404 => return Ok(None),
        Err(failure) => return Err(open_to_all(&path, &failure)),
    };
    let found: ApiGroup =
        nulls::from_slice(&answer).map_err(|_| format!("GET {path}: the answer is not an APIGroup"))?;
    let mut versions: Vec<String> = found.versions.into_iter().map(|version| version.version).collect();
    if let Some(preferred) = found.preferred_version {
        // Stable: the others stay in the server's order.
        versions.sort_by_key(|version| *version != preferred.version);
    }
    Ok(Some(versions))
}

/// By name, since the right to read these six is less than the right to list all.
async fn custom_resource_definitions(requests: &Requests<'_>) -> Probe<Vec<CustomResourceDefinition>> {
    let answers = join_all(CRD_NAMES.map(async |name| {
        let path = format!("{}/{name}", path(&Kind::CUSTOM_RESOURCE_DEFINITION));
        match requests.get(&path, JSON).await {
            Ok(answer) => match definition(&answer) {
                Some(definition) if definition.metadata.name == name => Ok(Some(definition)),
                _ => Err(Probe::Failed {
                    reason: format!("GET {path}: the answer is not this CustomResourceDefinition"),
                }),
            },
            Err(failure) if failure.status == 404 => Ok(None),
            Err(failure) => match Need::CustomResourceDefinitions.rules().into_iter().next() {
                Some(rule) if failure.status == 403 => Err(Probe::Forbidden { rule }),
                _ => Err(Probe::Failed { reason: format!("GET {path}: {failure}") }),
            },
        }
    }))
    .await;
    match answers.into_iter().collect::<Result<Vec<_>, _>>() {
        Ok(definitions) => Probe::from(definitions.into_iter().flatten().collect::<Vec<_>>()),
        Err(unseen) => unseen,
    }
}

fn definition(answer: &[u8]) -> Option<CustomResourceDefinition> {
    let mut definition: CustomResourceDefinition = nulls::from_slice(answer).ok()?;
    definition.keep(interests(Need::CustomResourceDefinitions));
    Some(definition)
}

#[cfg(test)]
mod tests;
