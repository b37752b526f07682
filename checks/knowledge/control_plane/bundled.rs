//! What distributions bring of the control plane of snapshots (`data/distributions.tsv`): whose a snapshot-controller is, and
//! how the distribution's own is installed.

use crate::knowledge::control_plane::containers::{is_controller_part, is_csi_snapshotter};
use crate::knowledge::control_plane::distribution::{Distribution, is_openshift, may_be_hidden};
use crate::knowledge::control_plane::running::Running;
use crate::knowledge::tables::rows;
use crate::knowledge::upstream;
use crate::model::command::Command;
use crate::model::facts::Facts;
use crate::model::finding::Fix;
use crate::model::interest::Interest;

/// kubespray marks nothing as its own, but it is alone in the name of what scales its DNS.
pub(crate) const INTEREST: Interest =
    Interest { words: &["dns-autoscaler"], host_paths: &[], variables: &[], flags: &[] };

/// What a distribution does about the snapshot-controller.
pub(crate) struct Bundled {
    /// The distribution's name.
    pub(crate) distribution: &'static str,
    /// Namespace and name of its own workload; empty if it brings none that is visible.
    controller: &'static str,
    /// Part of the image of its own, where the place alone does not tell.
    image: &'static str,
    advice: &'static str,
    command: &'static str,
}

impl Bundled {
    /// How its snapshot-controller is installed.
    #[must_use]
    pub(crate) fn install(&self) -> Fix {
        let fix = Fix::text(self.advice);
        if self.command == "upstream" {
            return fix.command(upstream::apply(upstream::CONTROLLER, upstream::NEWEST));
        }
        let mut words = self.command.split_ascii_whitespace();
        let command = words.next().map(|program| {
            // What is quoted in the table is for whoever runs it to set.
            words.fold(Command::new(program), |command, word| {
                if word.starts_with('"') { command.shell(word) } else { command.word(word) }
            })
        });
        fix.commands(command)
    }

    fn is_own(&self, running: &Running<'_>) -> bool {
        running.place() == self.controller && running.container.image.contains(self.image)
    }
}

/// What this cluster's distribution does, as far as it can be told which one it is: several rows for one that has changed its
/// names.
pub(crate) fn bundled(facts: &Facts) -> Vec<Bundled> {
    let version = facts.server_version.seen().map_or("", |version| version.git_version.as_str());
    let hidden = may_be_hidden(facts).map(|distribution| distribution.to_string());
    let has_label = |mark: &str| {
        let mut nodes = facts.nodes.seen().into_iter().flatten();
        nodes.any(|node| node.metadata.labels.contains_key(mark))
    };
    let has_driver = |mark: &str| {
        let mut drivers = facts.csi_drivers.seen().into_iter().flatten();
        drivers.any(|driver| driver.metadata.name == mark)
    };
    let has_workload = |mark: &str| {
        let mut workloads = facts.workloads.seen().into_iter().flatten();
        workloads.any(|workload| {
            format!("{}/{}", workload.metadata.namespace.as_deref().unwrap_or_default(), workload.metadata.name) == mark
        })
    };
    let runs_on = |mark: &str| {
        let mut nodes = facts.nodes.seen().into_iter().flatten();
        nodes.any(|node| node.status.node_info.os_image.starts_with(mark))
    };
    rows(include_str!("../../data/distributions.tsv"))
        .filter_map(|row| {
            let [distribution, told_by, mark, controller, image, advice, command, _source] = *row.as_slice() else {
                return None;
            };
            let is_it = match told_by {
                "version" => version.contains(mark),
                "openshift" => is_openshift(version),
                "node-label" => has_label(mark),
                "os-image" => runs_on(mark),
                "driver" => has_driver(mark),
                "workload" => has_workload(mark),
                _ => hidden.as_deref() == Some(distribution),
            };
            is_it.then_some(Bundled { distribution, controller, image, advice, command })
        })
        .collect()
}

/// Whose a snapshot-controller is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Owner {
    /// The distribution of this name brings it.
    Distribution(&'static str),
    /// It is a container in the pod of a driver.
    Driver,
    /// Somebody has installed it.
    Somebody,
}

/// Whose a snapshot-controller is, as far as its place and its neighbours tell.
pub(crate) fn owner(bundled: &[Bundled], running: &Running<'_>) -> Owner {
    // kube-up, minikube and their like: kubernetes cluster/addons.
    let is_addon =
        running.metadata.iter().any(|metadata| metadata.labels.contains_key("addonmanager.kubernetes.io/mode"));
    if let Some(own) = bundled.iter().find(|bundled| bundled.is_own(running)) {
        Owner::Distribution(own.distribution)
    } else if is_addon {
        Owner::Distribution("the cluster's add-on manager")
    } else if running
        .spec
        .containers
        .iter()
        .any(|container| is_controller_part(container) || is_csi_snapshotter(container))
    {
        Owner::Driver
    } else {
        Owner::Somebody
    }
}

/// The distribution that certainly runs a snapshot-controller out of sight, unless somebody has switched it off: all that are
/// visible are then too many.
pub(crate) fn hides_its_own(facts: &Facts) -> Option<Distribution> {
    may_be_hidden(facts).filter(|known| matches!(known, Distribution::Aks | Distribution::Gke | Distribution::Gardener))
}

/// The one to keep of several, and why.
pub(crate) fn keep<'r, 'a>(bundled: &[Bundled], installations: &'r [Running<'a>]) -> Option<(&'r Running<'a>, String)> {
    let owned = |wanted: fn(Owner) -> bool| {
        let mut of_it = installations.iter().filter(|running| wanted(owner(bundled, running)));
        of_it.next().filter(|_| of_it.next().is_none())
    };
    if let Some(running) = owned(|owner| matches!(owner, Owner::Distribution(_)))
        && let Owner::Distribution(name) = owner(bundled, running)
    {
        return Some((running, format!("which {name} brings")));
    }
    // The charts of drivers bring theirs for clusters that have none.
    owned(|owner| owner == Owner::Somebody).map(|running| (running, "which is not part of a driver".to_owned()))
}
