//! Merge patch: RFC 7386.

use serde_json::{Map, Value};

/// Changes `target` as `patch` says: null removes, lists are replaced.
pub(super) fn merge(target: &mut Value, patch: &Value) {
    let Some(patch) = patch.as_object() else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Some(map) = target.as_object_mut() else { return };
    for (key, value) in patch {
        if value.is_null() {
            map.remove(key);
        } else {
            merge(map.entry(key.clone()).or_insert(Value::Null), value);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_merge_sets_and_removes() {
        let mut object = json!({ "a": { "b": 1, "c": 2 }, "list": [1] });
        merge(&mut object, &json!({ "a": { "b": null, "d": { "e": null, "f": 1 } }, "list": [2, 3] }));
        assert_eq!(object, json!({ "a": { "c": 2, "d": { "f": 1 } }, "list": [2, 3] }));
    }
}
