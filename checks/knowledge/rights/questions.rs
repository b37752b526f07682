//! What to ask the API server's authorizers about the accounts of the snapshot-controller and of sidecars.

use crate::knowledge::control_plane::containers::{is_csi_provisioner, is_csi_snapshotter, is_snapshot_controller};
use crate::knowledge::control_plane::running::{Running, running};
use crate::knowledge::control_plane::sidecars::sidecars;
use crate::knowledge::rights::judge::{account, denied};
use crate::knowledge::rights::needed::{Releases, needed};
use crate::knowledge::rights::rbac::Rbac;
use crate::knowledge::version::Component;
use crate::model::facts::{AccountQuestion, Facts};
use crate::model::need::Rule;

/// The questions, the worst first for each account; none where RBAC grants everything, or was not read.
#[must_use]
pub fn of_the_control_plane(facts: &Facts) -> Vec<AccountQuestion> {
    let Some(rbac) = Rbac::of(facts) else { return Vec::new() };
    let mut all = Vec::new();
    let mut ask = |component: Component, running: &Running<'_>, drivers: &[String]| {
        let account = account(running);
        let rights = needed(facts, component, running, drivers, Releases::Its).unwrap_or_default();
        for right in denied(&rbac, account, rights) {
            let names = right.name.iter().cloned().collect::<Vec<_>>();
            for verb in &right.verbs {
                let is_about_names = !["list", "watch", "create"].contains(verb);
                let names = if is_about_names { names.clone() } else { Vec::new() };
                let rule = Rule { names, ..Rule::new(right.group, right.resource, &[verb]) };
                all.push(AccountQuestion {
                    account_namespace: account.namespace.to_owned(),
                    account_name: account.name.to_owned(),
                    rule,
                    namespace: right.namespace.clone(),
                });
            }
        }
    };
    for controller in running(facts, is_snapshot_controller) {
        ask(Component::SnapshotController, &controller, &[]);
    }
    for (component, matches) in [
        (Component::CsiSnapshotter, is_csi_snapshotter as fn(&_) -> bool),
        (Component::CsiProvisioner, is_csi_provisioner),
    ] {
        for sidecar in sidecars(facts, matches) {
            ask(component, &sidecar.running, &sidecar.drivers);
        }
    }
    all
}
