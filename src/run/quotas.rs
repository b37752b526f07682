//! The quotas of a namespace that was given.

use bytes::Bytes;
use http::{Request, header};
use serde_json::Value;

use crate::api::{Client, Failure, JSON, Policy, escape};
use crate::model::Happening;
use crate::roundtrip::quota::{Quota, quotas};
use crate::run::tell::Teller;

/// How often they are asked for at most.
const TRIES: u32 = 3;

/// The quotas of a namespace. Where they cannot be read, nothing is known of them: what they refuse is told then.
pub(super) async fn read(client: &Client, namespace: &str, teller: &Teller) -> Vec<Quota> {
    let path = format!("/api/v1/namespaces/{}/resourcequotas", escape(namespace));
    let happenings = teller.happenings();
    let on_retry = move |retry: crate::api::Retry| {
        // Nobody listens any more: then nobody needs to know.
        let _ = happenings.send(Happening::from(retry));
    };
    let Ok(request) = Request::get(path).header(header::ACCEPT, JSON).body(Bytes::new()) else { return Vec::new() };
    let read = |answer: &Bytes| {
        let list: Value = serde_json::from_slice(answer)
            .map_err(|_| Failure::invalid("the answer is no list of ResourceQuotas".to_owned()))?;
        Ok(quotas(list.pointer("/items").and_then(Value::as_array).map_or(&[], Vec::as_slice)))
    };
    client.ask(request, &Policy::tries(TRIES, &on_retry).within(client.limit()), read).await.unwrap_or_default()
}
