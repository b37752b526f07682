//! When a dump was made: by the newest time that its objects tell of. Ages are measured against it, as the files may be days old.

use jiff::Timestamp;
use serde_json::Value;

/// The newest time in a value; a time at which something ends or is to happen is none. Times after `now` are not believed: a clock
/// was wrong.
pub(super) fn newest(value: &Value, now: Timestamp) -> Option<Timestamp> {
    match value {
        Value::Array(values) => values.iter().filter_map(|value| newest(value, now)).max(),
        Value::Object(fields) => {
            let times = fields.iter().filter_map(|(key, value)| match value {
                Value::String(text) if tells_time(key) => text.parse().ok().filter(|time| *time <= now),
                value => newest(value, now),
            });
            times.max()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    }
}

/// Whether a field says when something was: `renewTime`, `creationTimestamp`, `startedAt`, `time`.
fn tells_time(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    let ends = ["time", "timestamp", "at"].iter().any(|end| key.ends_with(end));
    ends && !["expir", "next", "notafter", "deletion"].iter().any(|word| key.contains(word))
}
