//! What is shown of objects that are known: how they are, in a few words, and the events about them.

use jiff::Timestamp;
use serde_json::Value;
use snapready_checks::model::chain::Event;
use snapready_checks::model::nulls;
use snapready_checks::model::object::Kind;
use snapready_checks::moment::line;

use super::known::Known;
use crate::api::Place;
use crate::roundtrip::observe::text;

/// At most so many characters of a cluster's text stand in the state of an object.
pub(super) const STATE: usize = 160;

impl Known {
    /// The events about these objects, the oldest first.
    pub(super) fn events_about(&self, about: &[Place]) -> Vec<Event> {
        let is_about = |event: &&Value| {
            about.iter().any(|place| {
                text(event, "/involvedObject/kind") == Some(place.kind.name)
                    && text(event, "/involvedObject/name") == Some(&place.name)
                    && text(event, "/involvedObject/namespace") == place.namespace.as_deref()
                    // An earlier object may have had the name.
                    && self.get(place).is_none_or(|object| {
                        text(event, "/involvedObject/uid").is_none_or(|uid| Some(uid) == text(object, "/metadata/uid"))
                    })
            })
        };
        let mut events: Vec<&Value> = self.events.iter().filter(is_about).collect();
        events.sort_by_key(|event| {
            let times = ["/series/lastObservedTime", "/lastTimestamp", "/eventTime", "/metadata/creationTimestamp"];
            times.into_iter().find_map(|at| text(event, at)?.parse::<Timestamp>().ok())
        });
        events.into_iter().filter_map(|event| nulls::from_ref(event).ok()).collect()
    }

    /// How an object is, in a few words.
    pub(super) fn state(&self, place: &Place) -> String {
        let Some(object) = self.get(place) else {
            return match self.unseen(place) {
                Some(why) => format!("could not be read: {}", line(why, STATE)),
                None if self.is_absent(place) => "does not exist".to_owned(),
                None => "was not looked at".to_owned(),
            };
        };
        let mut words = Vec::new();
        if let Some(time) = text(object, "/metadata/deletionTimestamp") {
            words.push(format!("being deleted since {}", line(time, 30)));
        }
        match place.kind {
            Kind::VOLUME_SNAPSHOT
            | Kind::VOLUME_SNAPSHOT_CONTENT
            | Kind::VOLUME_GROUP_SNAPSHOT
            | Kind::VOLUME_GROUP_SNAPSHOT_CONTENT => {
                let is_ready = object.pointer("/status/readyToUse") == Some(&Value::Bool(true));
                words.push(if is_ready { "ready to use" } else { "not ready to use" }.to_owned());
                if let Some(error) = text(object, "/status/error/message").filter(|_| !is_ready) {
                    words.push(format!("error: {}", line(error, STATE)));
                }
            }
            _ => words
                .push(text(object, "/status/phase").map_or_else(|| "no status".to_owned(), |phase| line(phase, 30))),
        }
        words.join(", ")
    }
}
