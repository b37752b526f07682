//! The switches of drivers: one value of a `ConfigMap` each, nothing else of it is kept.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::join_all;
use serde::Deserialize;
use snapready_checks::model::facts::{DriverSwitch, SwitchPlace};
use snapready_checks::model::need::Rule;
use snapready_checks::model::nulls;
use snapready_checks::model::probe::Probe;
use snapready_checks::text::names::is_object_name;

use crate::api::JSON;
use crate::facts::live::request::Requests;

/// The switches at these places.
pub(super) async fn states(requests: &Requests<'_>, places: BTreeSet<SwitchPlace>) -> Probe<Vec<DriverSwitch>> {
    let states = places.into_iter().map(async |place| {
        let value = value(requests, &place).await;
        DriverSwitch { place, value }
    });
    Probe::from(join_all(states).await)
}

#[derive(Deserialize)]
struct ConfigMap {
    #[serde(default)]
    data: BTreeMap<String, String>,
}

async fn value(requests: &Requests<'_>, place: &SwitchPlace) -> Probe<Option<String>> {
    let SwitchPlace { namespace, config_map, key, .. } = place;
    // A name that is none cannot exist, and would be another path.
    if !is_object_name(namespace) || !is_object_name(config_map) {
        return Probe::from(None);
    }
    match requests.get(&format!("/api/v1/namespaces/{namespace}/configmaps/{config_map}"), JSON).await {
        Ok(answer) => match nulls::from_slice::<ConfigMap>(&answer) {
            Ok(mut found) => Probe::from(found.data.remove(key)),
            Err(_) => Probe::Failed { reason: "the answer is no ConfigMap".to_owned() },
        },
        Err(failure) => match failure.status {
            404 => Probe::from(None),
            403 => Probe::Forbidden {
                rule: Rule { names: vec![config_map.clone()], ..Rule::new("", "configmaps", &["get"]) },
            },
            _ => Probe::Failed { reason: failure.to_string() },
        },
    }
}
