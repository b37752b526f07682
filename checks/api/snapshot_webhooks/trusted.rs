//! Whether the API server trusts whoever a webhook calls.

use jiff::Timestamp;

use crate::knowledge::certificates::{Trust, trust};
use crate::model::webhooks::Webhook;

/// What is wrong with the certificates of a webhook.
pub(super) struct Distrust {
    /// What is wrong, in the words of a message.
    pub(super) what: String,
    /// The value that shows it.
    pub(super) value: String,
    /// Whether the webhook is refused now; else soon, or only likely.
    pub(super) is_certain: bool,
}

/// What is wrong with a webhook's `caBundle`; `None` if nothing can be seen to be.
pub(super) fn distrust(webhook: &Webhook, now: Timestamp) -> Option<Distrust> {
    let client = &webhook.client_config;
    let (what, value, is_certain) = match trust(client.ca_bundle.as_deref(), now) {
        Trust::Valid => return None,
        // A URL may have a certificate of a public authority; the name of a service cannot.
        Trust::None if client.service.is_none() => return None,
        Trust::None => ("it has no caBundle".to_owned(), "not set".to_owned(), false),
        Trust::Empty => ("there is no certificate in its caBundle".to_owned(), "no certificate".to_owned(), true),
        Trust::Expired(end) => {
            (format!("the certificates in its caBundle ended at {end}"), format!("ended {end}"), true)
        }
        Trust::EndsSoon(end) => {
            (format!("the certificate in its caBundle ends at {end}"), format!("ends {end}"), false)
        }
        Trust::Unreadable => ("its caBundle cannot be read".to_owned(), "not readable".to_owned(), false),
    };
    Some(Distrust { what, value, is_certain })
}
