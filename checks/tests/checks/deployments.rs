//! Which driver a sidecar serves, judged on the workloads of public drivers as their makers ship them.

use serde::Deserialize;
use serde_json::{Value, json};
use snapready_checks::interests;
use snapready_checks::knowledge::control_plane::containers::is_csi_snapshotter;
use snapready_checks::knowledge::control_plane::presence::{Presence, sidecar_of};
use snapready_checks::knowledge::control_plane::sidecars::sidecars;
use snapready_checks::model::facts::Facts;
use snapready_checks::model::kubernetes::{CsiDriver, Workload};
use snapready_checks::model::listed::Listed;
use snapready_checks::model::need::Need;

#[derive(Debug, Clone, Deserialize)]
struct Deployment {
    source: String,
    driver: String,
    /// Namespace and name of the workload with its csi-snapshotter.
    snapshotter: String,
    objects: Vec<Value>,
    #[serde(skip)]
    drivers: Vec<CsiDriver>,
    /// As they are collected.
    #[serde(skip)]
    workloads: Vec<Workload>,
}

fn deployments() -> Vec<Deployment> {
    let mut deployments: Vec<Deployment> = serde_json::from_str(include_str!("driver-deployments.json")).unwrap();
    for deployment in &mut deployments {
        for object in std::mem::take(&mut deployment.objects) {
            if object["kind"] == "CSIDriver" {
                deployment.drivers.push(serde_json::from_value(object).unwrap());
            } else {
                let mut workload: Workload = serde_json::from_value(object).unwrap();
                if workload.keep(interests(Need::Workloads)) {
                    deployment.workloads.push(workload);
                }
            }
        }
    }
    deployments
}

/// All in one namespace, and each with names of its own.
fn in_one_namespace() -> Vec<Deployment> {
    let mut deployments = deployments();
    for (number, deployment) in deployments.iter_mut().enumerate() {
        for workload in &mut deployment.workloads {
            workload.metadata.namespace = Some("kube-system".to_owned());
            workload.metadata.name = format!("{number}-{}", workload.metadata.name);
        }
        let (_, name) = deployment.snapshotter.split_once('/').unwrap();
        deployment.snapshotter = format!("kube-system/{number}-{name}");
    }
    deployments
}

/// A cluster with these. Nothing runs, so there are no leases.
fn facts(deployments: &[&Deployment]) -> Facts {
    let mut facts: Facts = serde_json::from_value(json!({})).unwrap();
    let drivers: Vec<CsiDriver> = deployments.iter().flat_map(|deployment| deployment.drivers.clone()).collect();
    let workloads: Vec<Workload> = deployments.iter().flat_map(|deployment| deployment.workloads.clone()).collect();
    facts.csi_drivers = drivers.into();
    facts.workloads = workloads.into();
    facts.csi_nodes = Vec::new().into();
    facts.pods = Vec::new().into();
    facts
}

/// The drivers that a deployment's csi-snapshotter is said to serve.
fn served(facts: &Facts, deployment: &Deployment) -> Vec<String> {
    let all = sidecars(facts, is_csi_snapshotter);
    let found = all.into_iter().find(|sidecar| sidecar.running.place() == deployment.snapshotter);
    found.unwrap_or_else(|| panic!("no csi-snapshotter at {}", deployment.snapshotter)).drivers
}

/// Beside each stands the NFS driver, so that no driver is the only one.
#[test]
fn sidecars_of_public_drivers_are_mapped() {
    let deployments = deployments();
    let nfs = deployments.iter().find(|deployment| deployment.driver == "nfs.csi.k8s.io").unwrap();
    let other = deployments.iter().find(|deployment| deployment.driver == "dobs.csi.digitalocean.com").unwrap();
    let mut unknown = Vec::new();
    for deployment in &deployments {
        let beside = if deployment.driver == nfs.driver { other } else { nfs };
        let served = served(&facts(&[deployment, beside]), deployment);
        match served.as_slice() {
            [driver] if *driver == deployment.driver => {}
            [] => unknown.push(&deployment.source),
            wrong => panic!("{}: {wrong:?}", deployment.source),
        }
    }
    assert!(unknown.is_empty(), "not known: {unknown:#?}");
}

#[test]
fn no_sidecar_is_taken_for_another_drivers_in_one_namespace() {
    let deployments = in_one_namespace();
    let (mut right, mut unknown) = (0, 0);
    for one in &deployments {
        for other in deployments.iter().filter(|other| other.driver != one.driver) {
            let facts = facts(&[one, other]);
            match served(&facts, one).as_slice() {
                [driver] if *driver == one.driver => right += 1,
                [] => unknown += 1,
                wrong => panic!("{} beside {}: {wrong:?}", one.source, other.source),
            }
        }
    }
    assert!(right > 19 * unknown, "{right} right, {unknown} unknown");
}

/// A driver without a csi-snapshotter has none, whoever has one in its namespace.
#[test]
fn a_driver_is_not_given_its_neighbours_sidecar() {
    let deployments = in_one_namespace();
    for one in &deployments {
        let mut without = one.clone();
        for workload in &mut without.workloads {
            workload.spec.template.spec.containers.retain(|container| !is_csi_snapshotter(container));
        }
        for other in deployments.iter().filter(|other| other.driver != one.driver) {
            let facts = facts(&[&without, other]);
            let presence = sidecar_of(&facts, &one.driver);
            let is_there = matches!(presence, Presence::Present { .. });
            assert!(!is_there, "{} beside {}: {presence:?}", one.source, other.source);
        }
    }
}
