//! Patches: merge patch (RFC 7386), JSON patch (RFC 6902), and as much of strategic merge and apply as clients of the
//! embedded cluster need: maps are merged, lists are replaced, except finalizers, which are joined.

use serde_json::{Map, Value};

use super::status::ApiError;

/// RFC 7386.
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

/// A merge that joins finalizers instead of replacing them, as the patch strategy of that field says.
pub(super) fn strategic_merge(target: &mut Value, patch: &Value) {
    let finalizers = |object: &Value| object.pointer("/metadata/finalizers").and_then(Value::as_array).cloned();
    let before = finalizers(target).unwrap_or_default();
    merge(target, patch);
    if finalizers(patch).is_some()
        && let Some(list) = target.pointer_mut("/metadata/finalizers").and_then(Value::as_array_mut)
    {
        let added: Vec<Value> = list.iter().filter(|one| !before.contains(one)).cloned().collect();
        *list = before;
        list.extend(added);
    }
}

/// RFC 6902.
pub(super) fn json_patch(target: &mut Value, patch: &Value) -> Result<(), ApiError> {
    let operations = patch.as_array().ok_or_else(|| ApiError::bad_request("a JSON patch is a list of operations"))?;
    for operation in operations {
        apply(target, operation)?;
    }
    Ok(())
}

fn apply(target: &mut Value, operation: &Value) -> Result<(), ApiError> {
    let text = |field: &str| operation.get(field).and_then(Value::as_str).unwrap_or_default();
    let value = || operation.get("value").cloned().unwrap_or(Value::Null);
    let unable = || {
        let message = format!("the server rejected our request due to an error in our request: {operation}");
        ApiError::new(422, "Invalid", message)
    };
    let path = text("path");
    let done = match text("op") {
        "add" => add(target, path, value()),
        "remove" => remove(target, path).map(drop),
        "replace" => target.pointer_mut(path).map(|place| *place = value()),
        "test" => (target.pointer(path) == Some(&value())).then_some(()),
        "copy" => target.pointer(text("from")).cloned().and_then(|value| add(target, path, value)),
        "move" => remove(target, text("from")).and_then(|value| add(target, path, value)),
        _ => None,
    };
    done.ok_or_else(unable)
}

fn split(path: &str) -> Option<(&str, String)> {
    let (parent, last) = path.rsplit_once('/')?;
    Some((parent, last.replace("~1", "/").replace("~0", "~")))
}

fn add(target: &mut Value, path: &str, value: Value) -> Option<()> {
    if path.is_empty() {
        *target = value;
        return Some(());
    }
    let (holder, field) = split(path)?;
    match target.pointer_mut(holder)? {
        Value::Object(map) => {
            map.insert(field, value);
        }
        Value::Array(list) if field == "-" => list.push(value),
        Value::Array(list) => {
            let index = field.parse().ok().filter(|index| *index <= list.len())?;
            list.insert(index, value);
        }
        _ => return None,
    }
    Some(())
}

fn remove(target: &mut Value, path: &str) -> Option<Value> {
    let (holder, field) = split(path)?;
    match target.pointer_mut(holder)? {
        Value::Object(map) => map.remove(&field),
        Value::Array(list) => {
            let index = field.parse().ok().filter(|index| *index < list.len())?;
            Some(list.remove(index))
        }
        _ => None,
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

    #[test]
    fn a_strategic_merge_joins_finalizers() {
        let mut object = json!({ "metadata": { "finalizers": ["a"] } });
        strategic_merge(&mut object, &json!({ "metadata": { "finalizers": ["a", "b"] } }));
        assert_eq!(object, json!({ "metadata": { "finalizers": ["a", "b"] } }));
    }

    #[test]
    fn a_json_patch_does_all_six_operations() {
        let mut object = json!({ "a": { "x/y": 1 }, "list": [1, 2] });
        let patch = json!([
            { "op": "test", "path": "/a/x~1y", "value": 1 },
            { "op": "add", "path": "/list/-", "value": 3 },
            { "op": "add", "path": "/list/0", "value": 0 },
            { "op": "remove", "path": "/list/1" },
            { "op": "replace", "path": "/a/x~1y", "value": 5 },
            { "op": "copy", "from": "/a", "path": "/b" },
            { "op": "move", "from": "/a/x~1y", "path": "/c" },
        ]);
        json_patch(&mut object, &patch).unwrap();
        assert_eq!(object, json!({ "a": {}, "b": { "x/y": 5 }, "c": 5, "list": [0, 2, 3] }));
    }

    #[test]
    fn an_impossible_json_patch_is_refused() {
        for operation in [
            json!({ "op": "test", "path": "/a", "value": 2 }),
            json!({ "op": "remove", "path": "/gone" }),
            json!({ "op": "add", "path": "/list/9", "value": 1 }),
            json!({ "op": "what", "path": "/a" }),
        ] {
            assert_eq!(json_patch(&mut json!({ "a": 1, "list": [] }), &json!([operation])).unwrap_err().code, 422);
        }
        assert_eq!(json_patch(&mut json!({}), &json!({})).unwrap_err().code, 400);
    }
}
