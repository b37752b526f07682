//! Which flags which release of a component has (`data/flags.tsv`). Go's flag package ends a program with 2 for one that it does
//! not know.

use crate::knowledge::control_plane::arguments::names;
use crate::knowledge::control_plane::containers::{is_csi_provisioner, is_csi_snapshotter, is_snapshot_controller};
use crate::knowledge::control_plane::running::Running;
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
    // Go's flag package says so, and pflag, which csi-provisioner uses.
    let said = SAYINGS.iter().find_map(|saying| Some(last_words.split_once(saying)?.1));
    if let Some(rest) = said {
        let name = rest.split_whitespace().next()?.trim_start_matches('-').to_owned();
        let instead = rows().find(|row| same(row.flag, &name)).and_then(|row| row.instead);
        return Some(UnknownFlag { name, of, instead });
    }
    let version = version?;
    // Some flags were brought to several branches, which are a row each.
    let is_unknown = |name: &&str| {
        let mut of_flag = rows().filter(|row| same(row.flag, name)).peekable();
        of_flag.peek().is_some() && !of_flag.any(|row| row.has(version))
    };
    let name = names(container).into_iter().find(is_unknown)?;
    let row = rows().find(|row| same(row.flag, name))?;
    Some(UnknownFlag { name: row.flag.to_owned(), of, instead: row.instead })
}

const SAYINGS: [&str; 2] = ["flag provided but not defined: ", "unknown flag: "];

/// The flag that the next pod of a workload will exit for: its template has it, its release does not, and no pod that is ready
/// has shown that this image takes it.
pub(crate) fn unknown_at_next_start(running: &Running<'_>) -> Option<UnknownFlag> {
    let flag = unknown_flag(running.container, "")?;
    let has_flag = |container: &Container| names(container).iter().any(|name| same(name, &flag.name));
    let mut ready = running.statuses().filter(|(_, status)| status.ready).peekable();
    ready.peek()?;
    let is_refuted = ready.any(|(pod, _)| {
        let mut containers = pod.spec.containers.iter();
        let own = containers.find(|container| container.name == running.container.name);
        own.is_none_or(|own| own.image == running.container.image && has_flag(own))
    });
    (!is_refuted).then_some(flag)
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
            ("csi-provisioner:v5.2.0", "--logtostderr", true),
            ("csi-provisioner:v6.1.1", "--snapshot-orphan-sweep-interval=0", true),
            ("csi-provisioner:v6.1.2", "--snapshot-orphan-sweep-interval=0", false),
            ("csi-provisioner:v6.4.0", "--snapshot-orphan-sweep-interval=0", false),
            ("csi-snapshotter:v8.3.0", "--stderrthreshold=ERROR", true),
            ("csi-snapshotter:v8.2.0", "--automaxprocs", true),
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
        let found =
            unknown_flag(&container("csi-provisioner:v5.3.0", ""), "unknown flag: --log_dir\nUsage of x:").unwrap();
        assert_eq!((found.name.as_str(), found.of.as_deref()), ("log_dir", Some("csi-provisioner 5.3.0")));
    }

    #[test]
    fn versions_of_the_table_are_read() {
        for row in rows(include_str!("../../data/flags.tsv")) {
            let is_read = |cell: &str| cell.is_empty() || Version::parse(cell).is_some();
            assert!(is_read(row[2]) && is_read(row[3]) && !(row[2].is_empty() && row[3].is_empty()), "{row:?}");
        }
    }
}
