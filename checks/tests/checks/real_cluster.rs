//! The facts of a healthy real cluster (`ci/cluster`): no check may find anything there but a pass.

use snapready_checks::catalogue;
use snapready_checks::knowledge::control_plane::presence;
use snapready_checks::model::check::{Group, How};
use snapready_checks::model::facts::Facts;
use snapready_checks::model::finding::{Findings, Status};

fn facts() -> Facts {
    serde_json::from_str(include_str!("healthy-cluster.json")).unwrap()
}

#[test]
fn a_healthy_cluster_passes_every_check() {
    let facts = facts();
    for check in catalogue() {
        let How::Looking(run) = check.how else {
            continue;
        };
        assert!(check.needs.iter().all(|need| facts.missing(*need).is_none()), "{} cannot look", check.id);
        let mut findings = Findings::default();
        run(&facts, &mut findings);
        for finding in findings.into_vec() {
            // Its driver has one csi-snapshotter for all nodes, no backup product is there, and none was asked about.
            let expected = if ["SR126", "SR215"].contains(&check.id) || check.group == Group::Products {
                Status::Skip
            } else {
                Status::Pass
            };
            assert_eq!(finding.status, expected, "{}: {finding:#?}", check.id);
        }
    }
}

#[test]
fn its_controller_and_sidecar_are_found() {
    let facts = facts();
    let controllers = presence::snapshot_controllers(&facts);
    assert_eq!(controllers.installations()[0].place(), "kube-system/snapshot-controller");
    let sidecars = presence::sidecar_of(&facts, "csi.snapready.test");
    assert_eq!(sidecars.installations()[0].place(), "csi-snapready/csi-snapready-controller");
}
