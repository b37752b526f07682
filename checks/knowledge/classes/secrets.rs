//! The secrets that a `VolumeSnapshotClass` refers to. Only the sidecar reads them; snapready asks whether they exist.

use crate::model::kubernetes::VolumeSnapshotClass;

/// The prefix of the parameters that Kubernetes reserves; the sidecar refuses those that it does not know.
pub const RESERVED_PREFIX: &str = "csi.storage.k8s.io/";

/// The kinds of secrets of a class, as they stand in its parameters: `…/<kind>-name`, `…/<kind>-namespace`.
pub const SECRET_KINDS: [&str; 2] = ["snapshotter-secret", "snapshotter-list-secret"];

/// Kinds that belong to the classes of group snapshots. They are not refused here, but nothing reads them.
const GROUP_KINDS: [&str; 2] = ["group-snapshotter-secret", "group-snapshotter-get-secret"];

/// A reference to a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretReference<'a> {
    /// A secret with a fixed name.
    Fixed {
        /// The parameter of its name.
        parameter: String,
        /// Its namespace.
        namespace: &'a str,
        /// Its name.
        name: &'a str,
    },
    /// A secret whose name or namespace follows from each snapshot: `${volumesnapshot.namespace}`.
    Template {
        /// The parameter of its name.
        parameter: String,
        /// Namespace and name, with the templates.
        text: String,
    },
    /// A name without namespace, or the reverse: the controller refuses the class.
    Half {
        /// The parameter that is missing.
        missing: String,
    },
}

/// The references of a class, in a fixed order.
#[must_use]
pub fn secret_references(class: &VolumeSnapshotClass) -> Vec<SecretReference<'_>> {
    let references = SECRET_KINDS.iter().filter_map(|kind| {
        let name_key = format!("{RESERVED_PREFIX}{kind}-name");
        let namespace_key = format!("{RESERVED_PREFIX}{kind}-namespace");
        // An empty text is no name: alone it is refused as half a reference, and two of them are none.
        let parameter = |key: &String| class.parameters.get(key).map(String::as_str).filter(|text| !text.is_empty());
        match (parameter(&name_key), parameter(&namespace_key)) {
            (None, None) => None,
            (Some(_), None) => Some(SecretReference::Half { missing: namespace_key }),
            (None, Some(_)) => Some(SecretReference::Half { missing: name_key }),
            (Some(name), Some(namespace)) if name.contains("${") || namespace.contains("${") => {
                Some(SecretReference::Template { parameter: name_key, text: format!("{namespace}/{name}") })
            }
            (Some(name), Some(namespace)) => Some(SecretReference::Fixed { parameter: name_key, namespace, name }),
        }
    });
    references.collect()
}

/// The reserved parameters of a class that no release knows.
#[must_use]
pub fn unknown_reserved(class: &VolumeSnapshotClass) -> Vec<&str> {
    let known = |key: &str| {
        SECRET_KINDS
            .iter()
            .chain(&GROUP_KINDS)
            .any(|kind| key.strip_prefix(kind).is_some_and(|end| end == "-name" || end == "-namespace"))
    };
    let reserved = class.parameters.keys().filter_map(|key| Some((key, key.strip_prefix(RESERVED_PREFIX)?)));
    reserved.filter(|(_, rest)| !known(rest)).map(|(key, _)| key.as_str()).collect()
}
