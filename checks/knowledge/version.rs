//! Versions of Kubernetes and of the containers that make snapshots.

use std::fmt;

use crate::knowledge::tables::rows;

/// A version of three numbers; what follows them (`-eks-1-33`, `-build20261001`, `+k3s1`) is not kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    /// First number.
    pub major: u32,
    /// Second number.
    pub minor: u32,
    /// Third number; 0 if it is not written.
    pub patch: u32,
}

impl Version {
    /// A version.
    #[must_use]
    pub const fn new(major: u32, minor: u32, patch: u32) -> Self {
        Self { major, minor, patch }
    }

    /// Reads `v8.6.0`, `8.6`, `v1.31.1-eks-1b3e656`, `v1.33.1+k3s1`; `None` for anything else, such as `latest` or `2`.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.strip_prefix('v').unwrap_or(text);
        let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
        let (numbers, rest) = text.split_at(end);
        // A hash such as `8.6abc` is no version.
        if !(rest.is_empty() || rest.starts_with(['-', '+', '_'])) {
            return None;
        }
        let mut numbers = numbers.split('.').map(str::parse::<u32>);
        let major = numbers.next()?.ok()?;
        let minor = numbers.next()?.ok()?;
        let patch = numbers.next().unwrap_or(Ok(0)).ok()?;
        numbers.next().is_none().then_some(Self { major, minor, patch })
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

/// A container of upstream's whose version matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Component {
    /// snapshot-controller, of external-snapshotter.
    SnapshotController,
    /// csi-snapshotter, of external-snapshotter.
    CsiSnapshotter,
    /// csi-provisioner, of external-provisioner.
    CsiProvisioner,
}

impl Component {
    /// Its name, as in its image.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::SnapshotController => "snapshot-controller",
            Self::CsiSnapshotter => "csi-snapshotter",
            Self::CsiProvisioner => "csi-provisioner",
        }
    }

    /// Its version, from the tag of its image. `None` for a digest without tag, and for a tag of somebody else's
    /// numbering: `OpenShift`'s images carry `OpenShift`'s number.
    #[must_use]
    pub fn version(self, image: &str) -> Option<Version> {
        let name = image.split('@').next()?.rsplit('/').next()?;
        let version = Version::parse(name.split_once(':')?.1)?;
        if name.starts_with("ose-") {
            return None;
        }
        let minor = format!("{}.{}", version.major, version.minor);
        let minors: Vec<&str> = rows(include_str!("../data/releases.tsv"))
            .find(|row| row.first() == Some(&self.name()))
            .and_then(|row| row.get(1).map(|minors| minors.split(' ').collect()))?;
        let newest = minors.last().and_then(|minor| Version::parse(minor))?;
        // Newer than this table is allowed for one major number ahead; `v20240101` or `4.14.0` are other people's.
        let newer = version > newest && version.major <= newest.major + 1;
        (minors.contains(&minor.as_str()) || newer).then_some(version)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_with_what_distributions_append() {
        let read = |text| Version::parse(text).map(|version| version.to_string());
        assert_eq!(read("v8.6.0").as_deref(), Some("8.6.0"));
        assert_eq!(read("8.6").as_deref(), Some("8.6.0"));
        assert_eq!(read("v1.31.1-eks-1b3e656").as_deref(), Some("1.31.1"));
        assert_eq!(read("v1.33.1+k3s1").as_deref(), Some("1.33.1"));
        for text in ["", "v", "8", "latest", "v8.", "8.6abc", "1.2.3.4", "99999999999.1.1"] {
            assert_eq!(read(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_component_has_the_version_of_its_tag_if_the_numbering_is_upstreams() {
        let version = |image| Component::SnapshotController.version(image).map(|version| version.to_string());
        assert_eq!(version("registry.k8s.io/sig-storage/snapshot-controller:v8.6.0").as_deref(), Some("8.6.0"));
        assert_eq!(version("localhost:5000/snapshot-controller:v6.3.1@sha256:00").as_deref(), Some("6.3.1"));
        assert_eq!(version("rancher/hardened-snapshot-controller:v8.2.0-build20250101").as_deref(), Some("8.2.0"));
        assert_eq!(version("example.org/snapshot-controller:v9.0.0").as_deref(), Some("9.0.0"));
        for image in [
            "localhost:5000/snapshot-controller",
            "example.org/snapshot-controller@sha256:00",
            "example.org/snapshot-controller:canary",
            "registry.redhat.io/openshift4/ose-csi-snapshot-controller:v4.2.0",
            "example.org/snapshot-controller:v4.14.0",
            "example.org/snapshot-controller:v20240101.1",
        ] {
            assert_eq!(version(image), None, "{image:?}");
        }
    }
}
