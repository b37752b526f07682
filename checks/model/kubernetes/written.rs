//! When the status of an object was last written: of all that the API server notes in `managedFields`, this alone is read.

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What one writer has written of an object.
#[derive(Serialize, Deserialize, Default)]
#[serde(default)]
struct Entry {
    subresource: String,
    time: Option<Timestamp>,
}

/// The latest time at which somebody wrote the status.
pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    let entries: Vec<Entry> = Vec::deserialize(deserializer)?;
    Ok(entries.into_iter().filter(|entry| entry.subresource == "status").filter_map(|entry| entry.time).max())
}

#[expect(clippy::ref_option, reason = "the form that serde calls")]
pub(super) fn serialize<S: Serializer>(time: &Option<Timestamp>, serializer: S) -> Result<S::Ok, S::Error> {
    let entry = |time: &Timestamp| Entry { subresource: "status".to_owned(), time: Some(*time) };
    time.iter().map(entry).collect::<Vec<Entry>>().serialize(serializer)
}
