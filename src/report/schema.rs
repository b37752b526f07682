//! The JSON Schemas of the report and of the events, made from the types.

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema};

use crate::model::{Event, Report, SCHEMA_VERSION};

/// The schema of the report, as a document with a line break at its end.
#[must_use]
pub fn report() -> String {
    document::<Report>(SCHEMA_VERSION)
}

/// The schema of a document with `schemaVersion`, with a line break at its end.
#[must_use]
pub fn document<T: JsonSchema>(version: &str) -> String {
    let mut schema = generate::<T>();
    // A reader that knows this version only must be able to tell.
    if let Some(property) = schema.pointer_mut("/properties/schemaVersion").and_then(serde_json::Value::as_object_mut) {
        property.insert("const".to_owned(), version.into());
    }
    text(&schema)
}

/// The schema of a line of `ndjson`, as a document with a line break at its end.
#[must_use]
pub fn event() -> String {
    text(&generate::<Event>())
}

fn generate<T: JsonSchema>() -> Schema {
    SchemaSettings::draft2020_12().for_serialize().into_generator().into_root_schema_for::<T>()
}

fn text(schema: &Schema) -> String {
    // The keys of a JSON object are all strings, so that this is never empty; a test compares it with the checked-in text.
    serde_json::to_string_pretty(schema).unwrap_or_default() + "\n"
}
