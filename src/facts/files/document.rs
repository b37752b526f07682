//! A document of a file. Its objects are packed as soon as they are read: as values they take five times the room, and a list can hold
//! the pods of a whole cluster.

use std::fmt;

use jiff::Timestamp;
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};
use snapready_checks::model::kubernetes::ServerVersion;
use snapready_checks::model::nulls;

use super::clock;

/// What a document holds.
#[derive(Debug)]
pub(super) enum Document {
    /// Nothing that is an object.
    Nothing,
    /// Several, one after the other.
    Many(Vec<Self>),
    /// What `kubectl version` prints.
    Version(Box<ServerVersion>),
    /// A list of a kind; of `List`, which holds any, the kind is empty.
    List {
        /// As it says.
        api_version: String,
        /// Of its items.
        kind: String,
        /// What it holds.
        items: Vec<Self>,
    },
    /// An object.
    Object(Packed),
}

/// An object as text, and what is to be known of it before it is read again.
#[derive(Debug)]
pub(super) struct Packed {
    /// Empty if it does not say.
    pub(super) api_version: String,
    /// Empty if it does not say.
    pub(super) kind: String,
    /// Empty for what lies in no namespace.
    pub(super) namespace: String,
    /// Its name.
    pub(super) name: String,
    /// Objects that were changed later have a larger one; it is a number in every API server that there is.
    pub(super) version: u64,
    /// The newest time that it tells of.
    pub(super) newest: Option<Timestamp>,
    json: Box<str>,
}

/// A string in a value; empty if there is none.
pub(super) fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

impl Packed {
    fn new(mut object: Value) -> Self {
        // Who owns which field is a third of an object, and read by nobody.
        let owners = object.pointer_mut("/metadata/managedFields").and_then(Value::as_array_mut);
        for owner in owners.into_iter().flatten().filter_map(Value::as_object_mut) {
            owner.remove("fieldsV1");
        }
        let owned = |pointer| text(&object, pointer).to_owned();
        Self {
            api_version: owned("/apiVersion"),
            kind: owned("/kind"),
            namespace: owned("/metadata/namespace"),
            name: owned("/metadata/name"),
            version: text(&object, "/metadata/resourceVersion").parse().unwrap_or_default(),
            newest: clock::newest(&object, Timestamp::now()),
            json: object.to_string().into_boxed_str(),
        }
    }

    /// The same, of a list that says of which kind its items are.
    pub(super) fn of(mut self, api_version: &str, kind: &str) -> Self {
        let fill = |known: &mut String, told: &str| {
            if known.is_empty() {
                told.clone_into(known);
            }
        };
        fill(&mut self.api_version, api_version);
        fill(&mut self.kind, kind);
        self
    }

    /// The object.
    pub(super) fn unpacked(&self) -> Value {
        let mut object: Value = serde_json::from_str(&self.json).unwrap_or_default();
        if let Value::Object(fields) = &mut object {
            fields.insert("apiVersion".to_owned(), Value::from(self.api_version.as_str()));
            fields.insert("kind".to_owned(), Value::from(self.kind.as_str()));
        }
        object
    }
}

impl<'de> Deserialize<'de> for Document {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Any)
    }
}

struct Any;

impl<'de> Visitor<'de> for Any {
    type Value = Document;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object of Kubernetes")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Document, A::Error> {
        let mut fields = Map::new();
        let mut items = None;
        while let Some(key) = map.next_key::<String>()? {
            if key == "items" {
                items = Some(map.next_value()?);
            } else {
                fields.insert(key, map.next_value()?);
            }
        }
        Ok(Document::of(Value::Object(fields), items))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Document, A::Error> {
        let mut all = Vec::new();
        while let Some(document) = sequence.next_element()? {
            all.push(document);
        }
        Ok(Document::Many(all))
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Document, D::Error> {
        Document::deserialize(deserializer)
    }

    fn visit_unit<E>(self) -> Result<Document, E> {
        Ok(Document::Nothing)
    }

    fn visit_none<E>(self) -> Result<Document, E> {
        Ok(Document::Nothing)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Document, E> {
        Ok(Document::Nothing)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Document, E> {
        Ok(Document::Nothing)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Document, E> {
        Ok(Document::Nothing)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Document, E> {
        Ok(Document::Nothing)
    }

    fn visit_str<E>(self, _: &str) -> Result<Document, E> {
        Ok(Document::Nothing)
    }
}

impl Document {
    fn of(fields: Value, items: Option<Self>) -> Self {
        if let Some(version) = fields.get("serverVersion").filter(|_| fields.get("metadata").is_none()) {
            let version =
                nulls::from_ref(version).ok().filter(|version: &ServerVersion| !version.git_version.is_empty());
            return version.map_or(Self::Nothing, |version| Self::Version(Box::new(version)));
        }
        let is_named = fields.pointer("/metadata/name").is_some();
        match (text(&fields, "/kind").strip_suffix("List").filter(|_| !is_named), items) {
            (None, _) => Self::Object(Packed::new(fields)),
            (Some(kind), Some(items @ (Self::Many(_) | Self::Nothing))) => Self::List {
                api_version: text(&fields, "/apiVersion").to_owned(),
                kind: kind.to_owned(),
                // A list that Go never filled is null.
                items: if let Self::Many(items) = items { items } else { Vec::new() },
            },
            (Some(_), _) => Self::Nothing,
        }
    }
}
