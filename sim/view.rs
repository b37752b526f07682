//! How objects are shown to a client.

use serde_json::{Value, json};

use super::object::Object;
use super::request::{ApiRequest, Target};

/// How an object is shown to a client.
#[derive(Debug, Clone)]
pub(super) struct View {
    api_version: String,
    kind: &'static str,
    metadata_only: bool,
}

impl View {
    pub(super) fn new(request: &ApiRequest, target: &Target) -> Self {
        Self {
            api_version: target.resource.api_version(&target.version),
            kind: target.resource.kind,
            metadata_only: request.accept.contains("as=PartialObjectMetadata"),
        }
    }

    pub(super) fn show(&self, object: &Value) -> Value {
        if self.metadata_only {
            let metadata = object.get("metadata").cloned().unwrap_or_default();
            return json!({ "kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": metadata });
        }
        let mut object = object.clone();
        object.set(&["apiVersion"], json!(self.api_version));
        object.set(&["kind"], json!(self.kind));
        object
    }

    pub(super) fn list(&self, items: &[Value], metadata: &Value) -> Value {
        let (kind, api_version) = if self.metadata_only {
            ("PartialObjectMetadataList".to_owned(), "meta.k8s.io/v1")
        } else {
            (format!("{}List", self.kind), self.api_version.as_str())
        };
        json!({ "kind": kind, "apiVersion": api_version, "metadata": metadata, "items": items })
    }
}
