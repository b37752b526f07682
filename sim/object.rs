//! Reading and changing objects as JSON. Whatever a client sent may lie in them, so nothing here expects a shape.

use serde_json::{Map, Value, json};

/// An object of the API.
pub(super) trait Object {
    /// The text at a JSON pointer; empty if there is none.
    fn text(&self, pointer: &str) -> &str;
    /// The list at a JSON pointer; empty if there is none.
    fn list(&self, pointer: &str) -> &[Value];
    /// The map at a JSON pointer.
    fn map(&self, pointer: &str) -> Option<&Map<String, Value>>;
    fn name(&self) -> &str {
        self.text("/metadata/name")
    }
    fn namespace(&self) -> &str {
        self.text("/metadata/namespace")
    }
    fn uid(&self) -> &str {
        self.text("/metadata/uid")
    }
    fn is_deleting(&self) -> bool {
        !self.text("/metadata/deletionTimestamp").is_empty()
    }
    fn annotation(&self, key: &str) -> Option<&str>;
    fn has_finalizer(&self, name: &str) -> bool {
        self.list("/metadata/finalizers").iter().any(|finalizer| finalizer == name)
    }
    /// Sets a value; makes the maps on the way to it.
    fn set(&mut self, path: &[&str], value: Value);
    /// Removes a value, and the map that held it if that is empty now.
    fn unset(&mut self, path: &[&str]);
    fn set_annotation(&mut self, key: &str, value: &str) {
        self.set(&["metadata", "annotations", key], json!(value));
    }
    fn add_finalizer(&mut self, name: &str);
    fn remove_finalizer(&mut self, name: &str);
}

impl Object for Value {
    fn text(&self, pointer: &str) -> &str {
        self.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
    }

    fn list(&self, pointer: &str) -> &[Value] {
        self.pointer(pointer).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
    }

    fn map(&self, pointer: &str) -> Option<&Map<String, Value>> {
        self.pointer(pointer).and_then(Value::as_object)
    }

    fn annotation(&self, key: &str) -> Option<&str> {
        self.map("/metadata/annotations")?.get(key)?.as_str()
    }

    fn set(&mut self, path: &[&str], value: Value) {
        let mut place = self;
        for key in path {
            if !place.is_object() {
                *place = Value::Object(Map::new());
            }
            let Some(map) = place.as_object_mut() else { return };
            place = map.entry((*key).to_owned()).or_insert(Value::Null);
        }
        *place = value;
    }

    fn unset(&mut self, path: &[&str]) {
        let [before @ .., last] = path else { return };
        let mut place = &mut *self;
        for key in before {
            match place.get_mut(*key) {
                Some(next) => place = next,
                None => return,
            }
        }
        let Some(map) = place.as_object_mut() else { return };
        map.remove(*last);
        if map.is_empty() && before.len() > 1 {
            self.unset(before);
        }
    }

    fn add_finalizer(&mut self, name: &str) {
        if !self.has_finalizer(name) {
            let mut finalizers = self.list("/metadata/finalizers").to_vec();
            finalizers.push(json!(name));
            self.set(&["metadata", "finalizers"], Value::Array(finalizers));
        }
    }

    fn remove_finalizer(&mut self, name: &str) {
        let rest: Vec<Value> =
            self.list("/metadata/finalizers").iter().filter(|finalizer| *finalizer != name).cloned().collect();
        if rest.is_empty() {
            self.unset(&["metadata", "finalizers"]);
        } else {
            self.set(&["metadata", "finalizers"], Value::Array(rest));
        }
    }
}
