//! What to do about rights that are missing.

use crate::knowledge::rights::manifest::{Grant, manifest};
use crate::knowledge::rights::needed::Right;
use crate::knowledge::rights::rbac::Account;
use crate::knowledge::version::Component;
use crate::model::command::{Command, kubectl};
use crate::model::finding::Fix;
use crate::text::names::is_object_name;

/// What to do about rights that are missing: the command that asks about the worst, and the manifest that grants all.
pub(super) fn fix(component: Component, account: Account<'_>, denied: &[Right]) -> Fix {
    let text = match component {
        Component::SnapshotController => {
            "Apply the RBAC objects of its release with its image (rbac-snapshot-controller.yaml of external-snapshotter); \
             or apply this manifest, which grants what is missing."
        }
        Component::CsiSnapshotter | Component::CsiProvisioner => {
            "Update the driver's chart or manifests, which bring its roles; or apply this manifest, which grants what is \
             missing."
        }
    };
    let grants: Vec<Grant<'_>> = denied.iter().map(grant).collect();
    let fix = Fix::text(text).commands(denied.first().and_then(|first| may_it(account, first)));
    match manifest(component, account, &grants) {
        Some(manifest) => fix.manifest(manifest),
        None => fix,
    }
}

/// A lease is created without a name, so all of its rule is for every lease of the namespace, as in upstream's roles.
fn grant(right: &Right) -> Grant<'_> {
    let name = right.name.as_deref().filter(|_| right.resource != "leases");
    Grant {
        group: right.group,
        resource: right.resource,
        verbs: &right.verbs,
        namespace: right.namespace.as_deref(),
        name,
    }
}

/// Asks the API server about the worst.
fn may_it(account: Account<'_>, right: &Right) -> Option<Command> {
    const NAMESPACED: [&str; 4] = ["volumesnapshots", "volumegroupsnapshots", "persistentvolumeclaims", "events"];
    let named = [Some(account.namespace), Some(account.name), right.namespace.as_deref()];
    if !named.into_iter().flatten().all(is_object_name) {
        return None;
    }
    let (main, subresource) = match right.resource.split_once('/') {
        Some((main, subresource)) => (main, Some(subresource)),
        None => (right.resource, None),
    };
    let resource = if right.group.is_empty() { main.to_owned() } else { format!("{main}.{}", right.group) };
    let mut command = kubectl("auth can-i").word(*right.verbs.first()?).word(resource);
    if let Some(subresource) = subresource {
        command = command.word(format!("--subresource={subresource}"));
    }
    command = match &right.namespace {
        Some(namespace) => command.words("-n").word(namespace),
        None if NAMESPACED.contains(&main) => command.words("--all-namespaces"),
        None => command,
    };
    Some(command.words("--as").word(account.user()))
}
