//! JSON as Go writes it: a list, map or pointer that is empty and not marked as optional becomes null (a `CSINode` without
//! drivers has `drivers: null`). Null means absent; an element that is null is none.

use serde::de::DeserializeOwned;
use serde_json::Value;

/// Reads JSON in which null means absent. A value that can hold a null (the schemas of a `CustomResourceDefinition`) keeps
/// it, unless another null has to go.
///
/// # Errors
///
/// It is no JSON, or does not have the type's form.
pub fn from_slice<T: DeserializeOwned>(json: &[u8]) -> Result<T, serde_json::Error> {
    // Nearly all objects are without such nulls, and most of a large object is dropped while it is read.
    match serde_json::from_slice(json) {
        Ok(read) => Ok(read),
        Err(_) => from_value(serde_json::from_slice(json)?),
    }
}

/// Reads a value in which null means absent; it is copied only if it has such nulls.
///
/// # Errors
///
/// It does not have the type's form.
pub fn from_ref<T: DeserializeOwned>(value: &Value) -> Result<T, serde_json::Error> {
    T::deserialize(value).or_else(|_| from_value(value.clone()))
}

/// Reads a value without its nulls.
///
/// # Errors
///
/// It does not have the type's form.
pub fn from_value<T: DeserializeOwned>(mut value: Value) -> Result<T, serde_json::Error> {
    strip(&mut value);
    serde_json::from_value(value)
}

/// `serde_json` limits the depth of what it reads, and with it the depth of this.
fn strip(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|_, value| !value.is_null());
            fields.values_mut().for_each(strip);
        }
        Value::Array(values) => {
            values.retain(|value| !value.is_null());
            values.iter_mut().for_each(strip);
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
