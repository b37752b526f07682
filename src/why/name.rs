//! The object that is asked about, as kubectl writes it.

use std::fmt;
use std::str::FromStr;

use snapready_checks::model::object::Kind;

use crate::api::Place;

/// Kinds that can be asked about, with the short names of kubectl (`kubectl api-resources`).
const KINDS: [(Kind, &[&str]); 5] = [
    (Kind::VOLUME_SNAPSHOT, &["vs"]),
    (Kind::VOLUME_SNAPSHOT_CONTENT, &["vsc", "vscs"]),
    (Kind::VOLUME_GROUP_SNAPSHOT, &["vgs"]),
    (Kind::PERSISTENT_VOLUME_CLAIM, &["pvc"]),
    (Kind::POD, &["po"]),
];

/// `KIND/NAME`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Named {
    kind: Kind,
    name: String,
}

impl Named {
    /// Where it lies, if the namespace is this one.
    pub(crate) fn at(&self, namespace: &str) -> Place {
        let namespace = self.kind.namespaced.then(|| namespace.to_owned());
        Place { kind: self.kind, namespace, name: self.name.clone() }
    }
}

impl fmt::Display for Named {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.kind.name, self.name)
    }
}

impl FromStr for Named {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let example = "for example vs/nightly-7";
        let Some((kind, name)) = text.split_once('/').filter(|(_, name)| !name.is_empty() && !name.contains('/'))
        else {
            return Err(format!("say KIND/NAME, {example}"));
        };
        let word = kind.split('.').next().unwrap_or_default().to_ascii_lowercase();
        let is_it = |(kind, short): &&(Kind, &[&str])| {
            short.contains(&word.as_str()) || kind.plural == word || kind.name.to_ascii_lowercase() == word
        };
        match KINDS.iter().find(is_it) {
            Some((kind, _)) => Ok(Self { kind: *kind, name: name.to_owned() }),
            None => Err("the kind is one of vs (VolumeSnapshot), vsc (VolumeSnapshotContent), vgs (VolumeGroupSnapshot), pvc, pod".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_called_as_kubectl_calls_them() {
        for word in ["vs", "VolumeSnapshot", "volumesnapshots", "volumesnapshots.snapshot.storage.k8s.io"] {
            let named: Named = format!("{word}/a").parse().unwrap();
            assert_eq!((named.kind, named.name.as_str()), (Kind::VOLUME_SNAPSHOT, "a"), "{word}");
        }
        assert_eq!("vsc/a".parse::<Named>().unwrap().at("ns").namespace, None);
        assert_eq!("pod/a".parse::<Named>().unwrap().at("ns").namespace.as_deref(), Some("ns"));
        for wrong in ["vs", "vs/", "a/b/c", "deployment/a", ""] {
            assert!(wrong.parse::<Named>().is_err(), "{wrong}");
        }
    }
}
