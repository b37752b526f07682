//! The services that webhooks call: whether they exist, and whether anybody answers.

use std::collections::BTreeSet;

use futures::future::join_all;
use serde::Deserialize;
use snapready_checks::model::facts::Facts;
use snapready_checks::model::kubernetes::CustomResourceDefinition;
use snapready_checks::model::need::Rule;
use snapready_checks::model::nulls;
use snapready_checks::model::object::Kind;
use snapready_checks::model::probe::Probe;
use snapready_checks::model::webhooks::{ServiceReference, ServiceState};
use snapready_checks::text::names::is_object_name;

use crate::api::{Failure, JSON};
use crate::facts::live::request::Requests;

/// The states of all services that admission webhooks for snapshots and conversion webhooks of their CRDs name. Only where neither was
/// read is nothing known.
pub(super) async fn of_webhooks(requests: &Requests<'_>, facts: &Facts) -> Probe<Vec<ServiceState>> {
    let (webhooks, definitions) = (&facts.webhook_configurations, &facts.custom_resource_definitions);
    if let (Err(unseen), true) = (webhooks.seen_or(), definitions.seen().is_none()) {
        return unseen;
    }
    let webhooks = webhooks.seen().into_iter().flatten().flat_map(|configuration| &configuration.webhooks);
    let admission = webhooks.filter_map(|webhook| webhook.client_config.service.clone());
    let conversion = definitions.seen().into_iter().flatten().filter_map(CustomResourceDefinition::conversion_service);
    let named: BTreeSet<ServiceReference> = admission.chain(conversion).collect();
    let states = named.into_iter().map(async |service| {
        let (exists, ready) = futures::join!(exists(requests, &service), ready(requests, &service));
        ServiceState { service, exists, ready }
    });
    Probe::from(join_all(states).await)
}

async fn exists(requests: &Requests<'_>, service: &ServiceReference) -> Probe<bool> {
    let ServiceReference { namespace, name } = service;
    // A name that is none cannot exist, and would be another path.
    if !is_object_name(namespace) || !is_object_name(name) {
        return Probe::from(false);
    }
    match requests.get(&format!("/api/v1/namespaces/{namespace}/services/{name}"), JSON).await {
        Ok(_) => Probe::from(true),
        Err(failure) if failure.status == 404 => Probe::from(false),
        Err(failure) => unseen(&Kind::SERVICE, "get", &failure),
    }
}

#[derive(Deserialize)]
struct Slices {
    items: Option<Vec<Slice>>,
}

#[derive(Deserialize)]
struct Slice {
    endpoints: Option<Vec<Endpoint>>,
}

#[derive(Deserialize)]
struct Endpoint {
    #[serde(default)]
    conditions: Conditions,
}

#[derive(Default, Deserialize)]
struct Conditions {
    /// Not set is to be taken for ready (k8s.io/api discovery/v1).
    ready: Option<bool>,
}

async fn ready(requests: &Requests<'_>, service: &ServiceReference) -> Probe<usize> {
    let ServiceReference { namespace, name } = service;
    if !is_object_name(namespace) || !is_object_name(name) {
        return Probe::from(0);
    }
    let path = format!(
        "/apis/discovery.k8s.io/v1/namespaces/{namespace}/endpointslices?labelSelector=kubernetes.io%2Fservice-name%3D{name}"
    );
    match requests.get(&path, JSON).await {
        Ok(answer) => match nulls::from_slice::<Slices>(&answer) {
            Ok(slices) => {
                let endpoints =
                    slices.items.unwrap_or_default().into_iter().flat_map(|one| one.endpoints.unwrap_or_default());
                Probe::from(endpoints.filter(|endpoint| endpoint.conditions.ready != Some(false)).count())
            }
            Err(_) => Probe::Failed { reason: "the answer is no list of EndpointSlices".to_owned() },
        },
        Err(failure) => unseen(&Kind::ENDPOINT_SLICE, "list", &failure),
    }
}

fn unseen<T>(kind: &Kind, verb: &str, failure: &Failure) -> Probe<T> {
    match failure.status {
        403 => Probe::Forbidden { rule: Rule::new(kind.group, kind.plural, &[verb]) },
        404 => Probe::NotServed,
        _ => Probe::Failed { reason: failure.to_string() },
    }
}
