//! What external-snapshotter's own validation webhook has left behind: it came with 3.0 and went with 8.2.

use crate::knowledge::control_plane::containers::is_snapshot_controller;
use crate::knowledge::control_plane::running::running;
use crate::knowledge::version::{Component, Version};
use crate::model::facts::Facts;
use crate::model::webhooks::{Webhook, WebhookConfiguration, WebhookRule};

/// A configuration of upstream's that was left behind.
pub(super) struct OfUpstream {
    /// Whether it does harm although it is answered.
    pub(super) is_wrong: bool,
    pub(super) message: String,
    pub(super) cause: String,
}

/// What is known of a webhook that upstream has left behind; `None` if it is somebody else's, or belongs to its release. By its
/// names: distributions rename the configuration and the service, but not the webhook (facts of 3.0 to 8.1:
/// deploy/kubernetes/webhook-example).
pub(super) fn of_upstream(
    facts: &Facts,
    configuration: &WebhookConfiguration,
    webhook: &Webhook,
) -> Option<OfUpstream> {
    let names = [webhook.name.as_str(), configuration.metadata.name.as_str()];
    let is_it = names.iter().any(|name| {
        (name.starts_with("validation-webhook.") && name.contains("snapshot.storage.k8s.io"))
            || name.contains("snapshot-validation-webhook")
    });
    if !is_it {
        return None;
    }
    let controllers = running(facts, is_snapshot_controller);
    let newest = controllers.iter().filter_map(|one| Component::SnapshotController.version(&one.container.image)).max();
    // Before 8.0 nothing else does its work: it is a part of the release, not what is left of one.
    if newest.is_some_and(|version| version < Version::new(8, 0, 0)) {
        return None;
    }
    // A server of 8.0 and 8.1 refuses what is not a class (external-snapshotter issue 1136).
    let asks_for_more = webhook.rules.iter().flat_map(WebhookRule::of_snapshots).any(|one| !one.contains("class"));
    let version = newest.map_or_else(String::new, |version| format!(" beside snapshot-controller {version}"));
    Some(OfUpstream {
        is_wrong: newest.is_some() && asks_for_more,
        message: format!("{} is external-snapshotter's validation webhook of before 8.0{version}", webhook.name),
        cause: "It is external-snapshotter's validation webhook, which went with release 8.2: the configuration was left when the rest was upgraded. A server of 8.0 refuses all objects but classes.".to_owned(),
    })
}
