//! The members of a group snapshot: the snapshot-controller makes a `VolumeSnapshot` for each claim of the group. How it names them
//! differs from release to release, so each is found by what it is made for (external-snapshotter
//! pkg/common-controller/groupsnapshot_controller_helper.go, `buildVolumeSnapshotSpecForGroupSnapshot`).

use kube::api::ListParams;
use serde_json::Value;
use snapready_checks::model::object::Kind;

use super::ledger::Item;
use super::observe::text;
use super::program::Object;
use crate::api::{Failure, Objects, Place};

/// Where the member of a group for one of its claims is to be looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Among {
    pub(crate) namespace: String,
    /// The group's UID.
    pub(crate) group: String,
    /// The claim's name.
    pub(crate) claim: String,
}

impl Among {
    /// The member of this group for the claim with this name.
    pub(crate) fn of(group: &Value, claim: String) -> Option<Self> {
        let namespace = text(group, "/metadata/namespace")?.to_owned();
        Some(Self { namespace, group: text(group, "/metadata/uid")?.to_owned(), claim })
    }

    /// Looks for it; `None` if it is not there.
    pub(crate) async fn find(&self, server: &Objects) -> Result<Option<Value>, Failure> {
        let all = ListParams::default();
        let snapshots = server.list(&Kind::VOLUME_SNAPSHOT, Some(&self.namespace), &all, u32::MAX).await?;
        Ok(snapshots.into_iter().find(|snapshot| self.is_it(snapshot)))
    }

    fn is_it(&self, snapshot: &Value) -> bool {
        belongs_to(snapshot, &self.group)
            && text(snapshot, "/spec/source/persistentVolumeClaimName") == Some(&*self.claim)
    }
}

/// Those of some members that are there. Who deletes a group looks for them before: afterwards nothing tells what they were.
pub(crate) async fn find_all(server: &Objects, wanted: Vec<(Item, Among)>) -> Vec<(Item, Value)> {
    let mut found = Vec::new();
    for (item, among) in wanted {
        // What cannot be looked for now is looked for when the group has gone.
        if let Ok(Some(member)) = among.find(server).await {
            found.push((item, member));
        }
    }
    found
}

/// Whether a snapshot is a member of the group with this UID: that is its owner.
pub(crate) fn belongs_to(snapshot: &Value, group: &str) -> bool {
    let owners = snapshot.pointer("/metadata/ownerReferences").and_then(Value::as_array);
    owners.into_iter().flatten().any(|owner| text(owner, "/uid") == Some(group))
}

/// Where a member lies that was found.
pub(crate) fn place(what: &Object, member: &Value) -> Option<Place> {
    let namespace = text(member, "/metadata/namespace").map(str::to_owned);
    Some(Place { kind: what.kind, namespace, name: text(member, "/metadata/name")?.to_owned() })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_member_is_told_by_its_group_and_its_claim() {
        let among = Among { namespace: "n".to_owned(), group: "g".to_owned(), claim: "a".to_owned() };
        let snapshot = |owners: Value, claim: &str| json!({ "metadata": { "ownerReferences": owners }, "spec": { "source": { "persistentVolumeClaimName": claim } } });
        for (owners, claim, is_it) in [
            (json!([{ "uid": "x" }, { "uid": "g" }]), "a", true),
            (json!([{ "uid": "g" }]), "b", false),
            (json!([{ "uid": "x" }]), "a", false),
            (json!(null), "a", false),
        ] {
            let snapshot = snapshot(owners, claim);
            assert_eq!(among.is_it(&snapshot), is_it, "{snapshot}");
        }
    }
}
