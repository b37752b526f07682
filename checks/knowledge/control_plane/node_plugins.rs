//! The node plugins of drivers, and whose they are. A registrar beside the driver tells the kubelet the path of its socket,
//! which lies in a folder that most drivers name after themselves.

use std::collections::BTreeSet;

use crate::knowledge::control_plane::arguments::values;
use crate::knowledge::control_plane::containers::{image_name, image_repository, is_helper};
use crate::knowledge::control_plane::sockets::{same_path, socket_flags};
use crate::knowledge::drivers::table::driver_of_image;
use crate::model::facts::Facts;
use crate::model::kubernetes::{Metadata, PodSpec};

/// A node plugin.
#[derive(Debug, Clone)]
pub(crate) struct NodePlugin<'a> {
    /// Its workload's metadata, or its pod's.
    pub(crate) metadata: &'a Metadata,
    /// Its drivers, of those that are known; none if nothing tells.
    pub(crate) drivers: BTreeSet<String>,
    /// The images of its own containers, without tags.
    pub(crate) images: BTreeSet<&'a str>,
    /// By which flag of which image which driver's socket is set: a node plugin of several drivers has one for each.
    pub(crate) flags: Vec<(&'a str, &'a str, String)>,
}

/// All node plugins that can be seen; `known` are the names that a driver may have.
pub(crate) fn node_plugins<'a>(facts: &'a Facts, known: &BTreeSet<String>) -> Vec<NodePlugin<'a>> {
    let pods = facts.pods.seen().into_iter().flatten().map(|pod| (&pod.metadata, &pod.spec));
    let workloads = facts.workloads.seen().into_iter().flatten();
    let specs = workloads.map(|workload| (&workload.metadata, &workload.spec.template.spec)).chain(pods);
    specs.filter_map(|(metadata, spec)| node_plugin(metadata, spec, known)).collect()
}

fn node_plugin<'a>(metadata: &'a Metadata, spec: &'a PodSpec, known: &BTreeSet<String>) -> Option<NodePlugin<'a>> {
    let paths =
        spec.containers.iter().flat_map(|container| values(container, |flag| flag == "kubelet-registration-path"));
    let paths: Vec<String> = paths.collect();
    if paths.is_empty() {
        return None;
    }
    let folders = paths.iter().filter_map(|path| folder(path)).filter(|folder| known.contains(*folder));
    let mut drivers: BTreeSet<String> = folders.map(str::to_owned).collect();
    if drivers.is_empty() {
        drivers = named_drivers(spec, known);
    }
    let own = || spec.containers.iter().filter(|container| !is_helper(container));
    if drivers.is_empty() {
        let of_images = own().filter_map(|container| driver_of_image(image_name(&container.image)));
        drivers = of_images.filter(|driver| known.contains(*driver)).map(str::to_owned).collect();
    }
    let images = own().map(|container| image_repository(&container.image)).collect();
    let flags = flags_of_drivers(spec, known);
    Some(NodePlugin { metadata, drivers, images, flags })
}

/// The registrar of each driver has the path at which the driver listens, and the folder that tells its name.
fn flags_of_drivers<'a>(spec: &'a PodSpec, known: &BTreeSet<String>) -> Vec<(&'a str, &'a str, String)> {
    let registrars = spec.containers.iter().filter_map(|container| {
        let path = values(container, |flag| flag == "kubelet-registration-path").pop()?;
        let driver = folder(&path).filter(|folder| known.contains(*folder))?.to_owned();
        Some((values(container, |flag| flag == "csi-address").pop()?, driver))
    });
    let registrars: Vec<(String, String)> = registrars.collect();
    let own = spec.containers.iter().filter(|container| !is_helper(container));
    let flags = own.flat_map(|container| {
        let image = image_repository(&container.image);
        socket_flags(container).into_iter().map(move |(flag, value)| (image, flag, value))
    });
    flags
        .filter_map(|(image, flag, value)| {
            let (_, driver) = registrars.iter().find(|(address, _)| same_path(address, &value))?;
            Some((image, flag, driver.clone()))
        })
        .collect()
}

/// The folder of a socket, on Windows, too.
fn folder(path: &str) -> Option<&str> {
    path.rsplit(['/', '\\']).filter(|part| !part.is_empty()).nth(1)
}

/// What is read of pods to tell a driver's name, and so kept of them.
pub(crate) const FLAGS: &[&str] = &[
    "--driver-name",
    "--drivername",
    "--driverName",
    "--driver",
    "--provisioner",
    "--name",
    "--drivernames",
    "--kubelet-registration-path",
];
/// Variables that name a driver by convention.
pub(crate) const VARIABLES: &[&str] =
    &["DRIVER_NAME", "CSI_DRIVER_NAME", "PROVISIONER_NAME", "CSI_DRIVERNAME", "X_CSI_POWERMAX_DRIVER_NAME"];

/// The drivers that an argument or a variable of a pod names.
pub(crate) fn named_drivers(spec: &PodSpec, known: &BTreeSet<String>) -> BTreeSet<String> {
    let names_driver = |flag: &str| FLAGS.iter().any(|known| known.trim_start_matches('-') == flag);
    let named = spec.containers.iter().flat_map(|container| {
        let variables = container.env.iter().filter(|variable| VARIABLES.contains(&variable.name.as_str()));
        values(container, names_driver).into_iter().chain(variables.filter_map(|variable| variable.value.clone()))
    });
    named.filter(|name| known.contains(name)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sockets_folder_is_told_on_any_system() {
        for path in [
            "/var/lib/kubelet/plugins/ebs.csi.aws.com/csi.sock",
            r"C:\var\lib\kubelet\plugins\ebs.csi.aws.com\csi.sock",
            r"C:\\var\\lib\\kubelet\\plugins\\ebs.csi.aws.com\\csi.sock",
        ] {
            assert_eq!(folder(path), Some("ebs.csi.aws.com"), "{path}");
        }
        assert_eq!(folder("csi.sock"), None);
    }
}
