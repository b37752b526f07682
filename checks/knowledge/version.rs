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

    /// The version of an API server. `v0.0.0-master+$Format:%H$` is what one says that was built without a version.
    #[must_use]
    pub fn of_server(git_version: &str) -> Option<Self> {
        Self::parse(git_version).filter(|version| *version > Self::new(0, 0, 0))
    }

    /// Reads `v8.6.0`, `8.6`, `v1.31.1-eks-1b3e656`, `v1.33.1+k3s1`; `None` for anything else, such as `latest` or `2`.
    #[must_use]
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

    /// Its version, from the tag of its image. `None` for a digest without tag, for an image that somebody else numbers, such
    /// as one that holds a driver and all its sidecars, and for a tag of somebody else's numbering: `OpenShift`'s images carry
    /// `OpenShift`'s number.
    #[must_use]
    pub fn version(self, image: &str) -> Option<Version> {
        let (repository, tag) = image.split('@').next()?.rsplit_once(':')?;
        let version = Version::parse(tag)?;
        let (path, name) = repository.rsplit_once('/').unwrap_or(("", repository));
        if path.split('/').any(|part| OTHER_NUMBERING.iter().any(|other| part.contains(other)))
            || !self.is_built_as(name)
        {
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

    /// Whether an image of this name is upstream's, copied or built again: its name, with nothing but the packager's words
    /// around it. `acme-csi-provisioner` may be anything, with any number.
    fn is_built_as(self, image: &str) -> bool {
        let names: &[&str] = match self {
            // Some build both binaries of the repository into one image.
            Self::SnapshotController => &["snapshot-controller", "external-snapshotter"],
            Self::CsiSnapshotter => &["csi-snapshotter", "external-snapshotter"],
            Self::CsiProvisioner => &["csi-provisioner", "external-provisioner"],
        };
        names.iter().filter_map(|name| image.split_once(name)).any(|(before, after)| {
            let words = [before, after].into_iter().flat_map(|text| text.split(['-', '_', '.']));
            words.filter(|word| !word.is_empty()).all(|word| PACKAGERS.contains(&word))
        })
    }
}

/// What stands in the paths of images that carry the number of the distribution that they belong to.
const OTHER_NUMBERING: [&str; 3] = ["openshift", "okd", "redhat"];

/// Words that packagers put around the name of an image that they copy or build again: `mirrored-sig-storage-csi-snapshotter`,
/// `hardened-snapshot-controller`, `kubernetes-csi_external-snapshotter`, `snapshot-controller-amd64`.
const PACKAGERS: [&str; 21] = [
    "mirror",
    "mirrored",
    "hardened",
    "rke2",
    "longhornio",
    "sig",
    "storage",
    "kubernetes",
    "k8s",
    "k8scsi",
    "csi",
    "external",
    "snapshotter",
    "registry",
    "io",
    "gcr",
    "quay",
    "fips",
    "amd64",
    "arm64",
    "linux",
];
