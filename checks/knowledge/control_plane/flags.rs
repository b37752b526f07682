//! Which flags which release of a component has (`data/flags.tsv`). Go's flag package ends a program with 2 for one that it does
//! not know.

use crate::knowledge::control_plane::arguments::names;
use crate::knowledge::control_plane::containers::{is_csi_provisioner, is_csi_snapshotter, is_snapshot_controller};
use crate::knowledge::tables::rows;
use crate::knowledge::version::{Component, Version};
use crate::model::kubernetes::Container;

/// A flag that a release does not have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UnknownFlag {
    /// Its name without dashes.
    pub(crate) name: String,
    /// The component and its version, if they are known: `csi-snapshotter 8.2.0`.
    pub(crate) of: Option<String>,
    /// What has taken its place.
    pub(crate) instead: Option<&'static str>,
}

/// The flag for which a container ended with 2, as far as its last words, or its arguments and its version, tell.
pub(crate) fn unknown_flag(container: &Container, last_words: &str) -> Option<UnknownFlag> {
    let component = component(container);
    let version = component.and_then(|component| component.version(&container.image));
    let of = component.zip(version).map(|(component, version)| format!("{} {version}", component.name()));
    let rows = || component.into_iter().flat_map(rows_of);
    // Go's flag package says so.
    if let Some((_, rest)) = last_words.split_once("flag provided but not defined: -") {
        let name = rest.split_whitespace().next()?.to_owned();
        let instead = rows().find(|row| same(row.flag, &name)).and_then(|row| row.instead);
        return Some(UnknownFlag { name, of, instead });
    }
    let version = version?;
    let given = names(container);
    let row = rows().find(|row| !row.has(version) && given.iter().any(|name| same(row.flag, name)))?;
    Some(UnknownFlag { name: row.flag.to_owned(), of, instead: row.instead })
}

fn component(container: &Container) -> Option<Component> {
    if is_snapshot_controller(container) {
        Some(Component::SnapshotController)
    } else if is_csi_snapshotter(container) {
        Some(Component::CsiSnapshotter)
    } else if is_csi_provisioner(container) {
        Some(Component::CsiProvisioner)
    } else {
        None
    }
}

/// klog writes its flags with underscores, and takes dashes as well in some programs.
fn same(one: &str, other: &str) -> bool {
    one.replace('_', "-") == other.replace('_', "-")
}

struct Row {
    flag: &'static str,
    from: Option<Version>,
    before: Option<Version>,
    instead: Option<&'static str>,
}

impl Row {
    fn has(&self, version: Version) -> bool {
        self.from.is_none_or(|from| from <= version) && self.before.is_none_or(|before| version < before)
    }
}

fn rows_of(component: Component) -> impl Iterator<Item = Row> {
    rows(include_str!("../../data/flags.tsv")).filter_map(move |row| {
        let [name, flag, from, before, instead, _source] = *row.as_slice() else { return None };
        let instead = Some(instead).filter(|instead| !instead.is_empty());
        let row = Row { flag, from: Version::parse(from), before: Version::parse(before), instead };
        (name == component.name()).then_some(row)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn container(image: &str, argument: &str) -> Container {
        Container {
            name: image.split(':').next().unwrap().to_owned(),
            image: format!("registry.k8s.io/sig-storage/{image}"),
            args: vec!["--v=5".to_owned(), argument.to_owned()],
            ..Container::default()
        }
    }

    #[test]
    fn a_flag_of_another_release_is_found_by_the_version() {
        for (image, argument, unknown) in [
            ("csi-snapshotter:v8.2.0", "--enable-volume-group-snapshots=true", true),
            ("csi-snapshotter:v8.1.0", "--enable-volume-group-snapshots=true", false),
            ("csi-snapshotter:v8.1.0", "--feature-gates=CSIVolumeGroupSnapshot=true", true),
            ("snapshot-controller:v4.1.1", "--leader-election-lease-duration=15s", true),
            ("snapshot-controller:v8.3.0", "-logtostderr=true", true),
            ("csi-provisioner:v3.0.0", "--enable-leader-election", true),
            ("csi-snapshotter:v8.6.0", "--leader-election", false),
            ("csi-snapshotter:latest", "--enable-volume-group-snapshots=true", false),
            ("csi-snapshotter:v8.2.0", "--of-a-fork", false),
        ] {
            assert_eq!(unknown_flag(&container(image, argument), "").is_some(), unknown, "{image} {argument}");
        }
    }

    #[test]
    fn last_words_name_the_flag() {
        let found = unknown_flag(&container("mirror:v1", ""), "flag provided but not defined: -of-a-fork\nUsage of x:");
        assert_eq!(found.unwrap().name, "of-a-fork");
    }

    #[test]
    fn versions_of_the_table_are_read() {
        for row in rows(include_str!("../../data/flags.tsv")) {
            let is_read = |cell: &str| cell.is_empty() || Version::parse(cell).is_some();
            assert!(is_read(row[2]) && is_read(row[3]) && !(row[2].is_empty() && row[3].is_empty()), "{row:?}");
        }
    }
}
