//! The roles of the simulated controller and driver, with the rules of upstream's examples (external-snapshotter v8.6.0,
//! external-provisioner v6.3.0). Nothing here decides by them; who looks at RBAC finds them.

use serde_json::{Value, json};

use super::objects::put;
use super::resources::{CLUSTER_ROLE_BINDINGS, CLUSTER_ROLES, ROLE_BINDINGS, ROLES};
use super::world::World;

const GROUPS: &str = "groupsnapshot.storage.k8s.io";
const READ: [&str; 3] = ["get", "list", "watch"];

fn rule(group: &str, resource: &str, verbs: &[&str]) -> Value {
    json!({ "apiGroups": [group], "resources": [resource], "verbs": verbs })
}

fn events() -> Value {
    rule("", "events", &["list", "watch", "create", "update", "patch"])
}

/// What a snapshot-controller may do.
pub(super) fn snapshot_controller(world: &World, namespace: &str, account: &str, has_role: bool) {
    let group = "snapshot.storage.k8s.io";
    let rules = json!([
        rule("", "persistentvolumes", &READ),
        rule("", "persistentvolumeclaims", &["get", "list", "watch", "update"]),
        events(),
        rule(group, "volumesnapshotclasses", &READ),
        rule(group, "volumesnapshotcontents", &["create", "get", "list", "watch", "update", "delete", "patch"]),
        rule(group, "volumesnapshotcontents/status", &["patch"]),
        rule(group, "volumesnapshots", &["create", "get", "list", "watch", "update", "patch", "delete"]),
        rule(group, "volumesnapshots/status", &["update", "patch"]),
        rule(GROUPS, "volumegroupsnapshotclasses", &READ),
        rule(GROUPS, "volumegroupsnapshotcontents", &["create", "get", "list", "watch", "update", "delete", "patch"]),
        rule(GROUPS, "volumegroupsnapshotcontents/status", &["patch"]),
        rule(GROUPS, "volumegroupsnapshots", &["get", "list", "watch", "update", "patch"]),
        rule(GROUPS, "volumegroupsnapshots/status", &["update", "patch"]),
    ]);
    grant(world, namespace, account, "snapshot-controller", has_role.then_some(&rules));
}

/// What the sidecars of a driver may do. The secrets that its classes may name are among it, so that what they lack is the secrets.
pub(super) fn sidecars(world: &World, namespace: &str, account: &str, may_patch: bool) {
    let contents: &[&str] =
        if may_patch { &["get", "list", "watch", "update", "patch"] } else { &["get", "list", "watch", "update"] };
    let group = "snapshot.storage.k8s.io";
    let rules = json!([
        rule("", "secrets", &["get", "list"]),
        rule("", "persistentvolumes", &["get", "list", "watch", "create", "patch", "delete"]),
        rule("", "persistentvolumeclaims", &["get", "list", "watch", "update"]),
        rule("", "nodes", &READ),
        events(),
        rule("storage.k8s.io", "storageclasses", &READ),
        rule("storage.k8s.io", "csinodes", &READ),
        rule(group, "volumesnapshots", &["get", "list", "watch", "update"]),
        rule(group, "volumesnapshotclasses", &READ),
        rule(group, "volumesnapshotcontents", contents),
        rule(group, "volumesnapshotcontents/status", &["update", "patch"]),
        rule(GROUPS, "volumegroupsnapshotclasses", &READ),
        rule(GROUPS, "volumegroupsnapshotcontents", contents),
        rule(GROUPS, "volumegroupsnapshotcontents/status", &["update", "patch"]),
    ]);
    grant(world, namespace, account, "csi-simulated", Some(&rules));
}

/// Grants an account rules of the cluster, and leases in its namespace.
/// Roles and bindings; without rules the `ClusterRole` is missing.
fn grant(world: &World, namespace: &str, account: &str, name: &str, rules: Option<&Value>) {
    let subjects = json!([{ "kind": "ServiceAccount", "name": account, "namespace": namespace }]);
    let of = |kind: &str, name: &str| {
        json!({
            "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": name }, "subjects": subjects,
        })
    };
    let cluster = format!("{name}-{namespace}");
    if let Some(rules) = rules {
        put(world, &CLUSTER_ROLES, "", &cluster, json!({ "rules": rules }));
    }
    put(world, &CLUSTER_ROLE_BINDINGS, "", &cluster, of("ClusterRole", &cluster));
    let leases = rule("coordination.k8s.io", "leases", &["get", "watch", "list", "delete", "update", "create"]);
    let elects = format!("{name}-leaderelection");
    put(world, &ROLES, namespace, &elects, json!({ "rules": [leases] }));
    put(world, &ROLE_BINDINGS, namespace, &elects, of("Role", &elects));
}
