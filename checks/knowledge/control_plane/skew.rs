//! Whether a version of a component fits the APIs that the cluster serves, and what is known to be wrong with it.

use serde_json::Value;

use crate::knowledge::control_plane::arguments::{GROUP_GATE, gate, is_on};
use crate::knowledge::control_plane::commands::show_labels;
use crate::knowledge::control_plane::containers::{is_csi_snapshotter, is_snapshot_controller};
use crate::knowledge::control_plane::running::{Running, running as running_of};
use crate::knowledge::control_plane::sidecars::surely_of;
use crate::knowledge::control_plane::trouble::may_have_run;
use crate::knowledge::crds::release::schema_node;
use crate::knowledge::crds::{CONTENTS, crd, crd_evidence, install};
use crate::knowledge::tables::rows;
use crate::knowledge::version::{Component, Version};
use crate::model::command::kubectl;
use crate::model::facts::Facts;
use crate::model::finding::{Evidence, Finding, Fix, Status};
use crate::model::object::{GROUP_SNAPSHOT_GROUP, SNAPSHOT_GROUP};
use crate::text::names::fix_with;

/// The switch of group snapshots before 8.2.
const GROUP_FLAG: &str = "enable-volume-group-snapshots";

/// The first version of a snapshot API that a component of this version speaks.
fn speaks(component: Component, version: Version) -> &'static str {
    let (beta, v1) = match component {
        Component::SnapshotController | Component::CsiSnapshotter => (Version::new(2, 0, 0), Version::new(4, 0, 0)),
        Component::CsiProvisioner => (Version::new(1, 5, 0), Version::new(3, 0, 0)),
    };
    if version < beta {
        "v1alpha1"
    } else if version < v1 {
        "v1beta1"
    } else {
        "v1"
    }
}

/// The version of the group snapshot API that a component needs, if it is switched on and its absence stops everything:
/// the informer for it never finishes, and then not even single snapshots are worked on.
pub(crate) fn needs_groups(component: Component, version: Version, running: &Running<'_>) -> Option<&'static str> {
    if component == Component::CsiProvisioner {
        return None;
    }
    let by_flag = is_on(running.container, GROUP_FLAG);
    let by_gate = gate(running.container, GROUP_GATE) == Some(true);
    match (version.major, version.minor) {
        (6, 3) | (7, _) | (8, 0 | 1) if by_flag => Some("v1alpha1"),
        (8, 2 | 3) if by_gate => Some("v1beta1"),
        (8, 4 | 5) if by_gate => Some("v1beta2"),
        (8, 6) if by_gate => Some("v1"),
        // From 8.7 on the feature switches itself off where its API is missing.
        _ => None,
    }
}

/// What follows from the version of a component: one finding.
pub(crate) fn assess(facts: &Facts, component: Component, running: &Running<'_>) -> Finding {
    let image = &running.container.image;
    let path = format!("spec.template.spec.containers[{}].image", running.container.name);
    let what = format!("{} of {}", component.name(), running.place());
    let Some(version) = component.version(image) else {
        return Finding::new(Status::Skip, format!("the image of {what} names no version of upstream's: {image}"))
            .evidence(running.evidence(&path, image));
    };
    let finding = |status, message| Finding::new(status, message).evidence(running.evidence(&path, image));
    if let Some(apis) = facts.snapshot_apis.seen() {
        let needed = speaks(component, version);
        // Where the group is not served at all, the CRDs are missing, and other checks say so.
        if let Some(served) = apis.0.get(SNAPSHOT_GROUP).filter(|served| !served.iter().any(|api| api == needed)) {
            let served = served.join(", ");
            let finding = finding(
                Status::Fail,
                format!("{what} has version {version} and needs {SNAPSHOT_GROUP}/{needed}, which is not served"),
            )
            .evidence(Evidence::cluster("APIGroup", SNAPSHOT_GROUP, "versions", &served))
            .cause(format!("The CRDs serve {served}. It runs, but never sees a snapshot."));
            return if needed == "v1" {
                finding.fix(install(facts, "Install CRDs of its release.")).follows_from("SR104", None)
            } else {
                finding.fix(upgrade(running))
            };
        }
        if let Some(needed) = needs_groups(component, version, running)
            && !apis.serves(GROUP_SNAPSHOT_GROUP, needed)
        {
            let served = apis.0.get(GROUP_SNAPSHOT_GROUP);
            let served = served.map_or_else(|| "not served".to_owned(), |served| served.join(", "));
            return finding(Status::Fail, format!("{what} has group snapshots switched on and needs {GROUP_SNAPSHOT_GROUP}/{needed}, which is not served"))
                    .evidence(Evidence::cluster("APIGroup", GROUP_SNAPSHOT_GROUP, "versions", &served))
                    .cause("It waits for that API for ever, and works on no snapshot at all, not even on single ones.")
                    .strands()
                    .fix(install(facts, "Install the group snapshot CRDs of its release and restart it, or switch the feature off."));
        }
    }
    if component == Component::SnapshotController
        && version >= Version::new(6, 0, 0)
        && let Some(contents) = crd(facts, CONTENTS)
        && schema_node(contents, "v1", &["spec"]).is_some()
        && schema_node(contents, "v1", &["spec", "sourceVolumeMode"]).is_none()
    {
        return finding(Status::Warn, format!("{what} has version {version}, but the CRDs are older than 6.0"))
            .evidence(crd_evidence(CONTENTS, "spec.versions[v1].schema..spec.sourceVolumeMode", "not set"))
            .cause("The volume mode of a snapshot's source is lost, so nothing stops a restore into the wrong mode.")
            .fix(install(facts, "Install CRDs of its release."));
    }
    if component == Component::SnapshotController
        && let Some(finding) = server_too_old(facts, version, &what)
    {
        return finding.evidence(running.evidence(&path, image)).fix(upgrade_server(running));
    }
    if component == Component::CsiSnapshotter
        && let Some(finding) = drops_source_volume_mode(facts, version, &what, running)
    {
        return finding.evidence(running.evidence(&path, image)).strands();
    }
    if component == Component::CsiSnapshotter
        && let Some(controller) = groups_without_controller(facts, running)
    {
        let args = "spec.template.spec.containers[].args";
        let told = |of: &Running<'_>| of.evidence(args, of.container.args.join(" "));
        return Finding::new(
            Status::Warn,
            format!(
                "{what} has group snapshots switched on, and the snapshot-controller of {} has not",
                controller.place()
            ),
        )
        .evidence(told(running))
        .evidence(told(&controller))
        .cause("A VolumeGroupSnapshot stays without a content: the snapshot-controller does not look at it.")
        .fix(
            Fix::text(format!(
                "Give the snapshot-controller --feature-gates={GROUP_GATE}=true, or take it from the csi-snapshotter."
            ))
            .command(kubectl("get volumegroupsnapshots.groupsnapshot.storage.k8s.io -A")),
        );
    }
    if !may_have_run(running) {
        let message = format!("{} {version}, which has not run here", running.place());
        return Finding::new(Status::Skip, message).evidence(running.evidence(&path, image));
    }
    let bugs: Vec<(&str, &str, &str)> = bugs_of(component, version).collect();
    if let Some((_, effect, fixed)) = bugs.iter().find(|(status, ..)| *status == "warn") {
        return finding(Status::Warn, format!("{what} has version {version}, which {effect}"))
            .cause(format!("A known bug of this version; {fixed} has it fixed."))
            .fix(upgrade(running));
    }
    if let Some(finding) = not_told(facts, component, version, &running.place()) {
        return finding.evidence(running.evidence(&path, image));
    }
    let note = bugs.first().map_or_else(String::new, |(_, effect, fixed)| format!("; before {fixed} it {effect}"));
    Finding::new(Status::Pass, format!("{} {version}{note}", running.place())).evidence(running.evidence(&path, image))
}

/// What cannot be told of a version, as what it has to fit was not seen.
fn not_told(facts: &Facts, component: Component, version: Version, place: &str) -> Option<Finding> {
    let is_dropping = (Version::new(4, 0, 0)..KNOWS_SOURCE_VOLUME_MODE).contains(&version);
    let has_rules = facts.custom_resource_definitions.seen().is_some();
    let unseen = if facts.snapshot_apis.seen().is_none() {
        "the versions of the snapshot APIs"
    } else if component == Component::CsiSnapshotter && is_dropping && !has_rules {
        "the CRDs"
    } else {
        return None;
    };
    let message = format!("{place} {version}: whether the CRDs fit cannot be told, as {unseen} could not be seen");
    let fix = Fix::text("Look at the versions that are served.").command(kubectl("api-versions"));
    let cause = "A version that does not fit its CRDs runs, and works on no snapshot.";
    Some(Finding::new(Status::Unknown, message).cause(cause).fix(fix))
}

/// The snapshot-controller, if group snapshots are switched on in a csi-snapshotter and in no snapshot-controller. From 8.6 on, where
/// their API is v1, only one that switches them off says so.
fn groups_without_controller<'a>(facts: &'a Facts, running: &Running<'_>) -> Option<Running<'a>> {
    let is_switched_on =
        |one: &Running<'_>| gate(one.container, GROUP_GATE) == Some(true) || is_on(one.container, GROUP_FLAG);
    if !is_switched_on(running) {
        return None;
    }
    let controllers = running_of(facts, is_snapshot_controller);
    let is_off = |one: &Running<'_>| is_off(Component::SnapshotController, one, Version::new(8, 6, 0));
    if controllers.iter().all(is_off) { controllers.into_iter().next() } else { None }
}

/// Whether group snapshots are switched off in a component: it says so, or is older than `on_since` and does not switch them on.
fn is_off(component: Component, running: &Running<'_>, on_since: Version) -> bool {
    let container = running.container;
    let is_old = || component.version(&container.image).is_some_and(|version| version < on_since);
    gate(container, GROUP_GATE).map_or_else(|| is_old() && !is_on(container, GROUP_FLAG), |on| !on)
}

/// Who is known to have group snapshots of a driver's volumes switched off: all snapshot-controllers that are in sight, or all
/// csi-snapshotters of the driver. Their gate is on by itself from 8.7 on (external-snapshotter pkg/features/features.go).
pub(crate) fn without_groups(facts: &Facts, driver: &str) -> Option<(String, Evidence)> {
    let both = [
        (Component::SnapshotController, running_of(facts, is_snapshot_controller)),
        (Component::CsiSnapshotter, surely_of(facts, driver, is_csi_snapshotter)),
    ];
    both.into_iter().find_map(|(component, all)| {
        let is_off = |one: &Running<'_>| is_off(component, one, Version::new(8, 7, 0));
        let first = all.iter().all(is_off).then(|| all.first())??;
        let evidence = first.evidence("spec.template.spec.containers[].args", first.container.args.join(" "));
        Some((format!("the {} of {}", component.name(), first.place()), evidence))
    })
}

/// Since 4.1 a snapshot-controller needs Kubernetes 1.20 (external-snapshotter's README, "Compatibility"). What one of 6.0 and
/// later writes an older API server refuses: `spec.sourceVolumeMode: Invalid value: "null"` (external-snapshotter issue 773).
fn server_too_old(facts: &Facts, version: Version, what: &str) -> Option<Finding> {
    let server = &facts.server_version.seen()?.git_version;
    if version < Version::new(4, 1, 0) || Version::of_server(server)? >= Version::new(1, 20, 0) {
        return None;
    }
    let (status, cause) = if version < Version::new(6, 0, 0) {
        (Status::Warn, "Upstream supports this version from Kubernetes 1.20 on.")
    } else {
        (
            Status::Fail,
            "The API server refuses the VolumeSnapshotContents that it creates: spec.sourceVolumeMode: Invalid value: \"null\".",
        )
    };
    let message = format!("{what} has version {version} and needs Kubernetes 1.20; the server has {server}");
    let evidence = Evidence::cluster("APIServer", "version", "gitVersion", server);
    Some(Finding::new(status, message).evidence(evidence).cause(cause))
}

fn upgrade_server(running: &Running<'_>) -> Fix {
    let fix = Fix::text("Upgrade Kubernetes, or install snapshot-controller 4.0 with the CRDs of its release.");
    fix_with(fix, [&running.namespace], |[namespace]| kubectl("-n").word(namespace).words("get pods -o wide"))
}

/// The first release whose components know `spec.sourceVolumeMode`.
const KNOWS_SOURCE_VOLUME_MODE: Version = Version::new(6, 0, 0);

/// The CRDs of 8.x have a rule that `spec.sourceVolumeMode` stays once it is set. A controller of 6.0 and later sets it; sidecars
/// of 4.x and 5.x do not know it, and lose it when they write a whole content: 4.x before it makes the snapshot, 5.x when it
/// removes its finalizer.
fn drops_source_volume_mode(facts: &Facts, version: Version, what: &str, running: &Running<'_>) -> Option<Finding> {
    if !(Version::new(4, 0, 0)..KNOWS_SOURCE_VOLUME_MODE).contains(&version) {
        return None;
    }
    let spec = schema_node(crd(facts, CONTENTS)?, "v1", &["spec"])?;
    let rules = spec.get("x-kubernetes-validations").and_then(Value::as_array)?;
    let mut rules = rules.iter().filter_map(|rule| rule.get("rule").and_then(Value::as_str));
    let rule = rules.find(|rule| rule.contains("sourceVolumeMode"))?;
    let controllers = running_of(facts, is_snapshot_controller);
    let versions: Vec<Option<Version>> = controllers
        .iter()
        .map(|controller| Component::SnapshotController.version(&controller.container.image))
        .collect();
    let sets_it = versions.iter().any(|version| version.is_some_and(|version| version >= KNOWS_SOURCE_VOLUME_MODE));
    if !sets_it && !versions.is_empty() && versions.iter().all(Option::is_some) {
        return None;
    }
    let effect = if version < Version::new(5, 0, 0) {
        "no snapshot is ever made"
    } else {
        "snapshots become ready, but their deletion never ends"
    };
    let (status, effect) = if sets_it {
        (Status::Fail, effect.to_owned())
    } else {
        (Status::Unknown, format!("if the snapshot-controller, which is not visible, has 6.0 or later, {effect}"))
    };
    let message = format!("{what} has version {version}, too old for CRDs of 8.x: {effect}");
    let fix = "Upgrade it to 6.0 or later through what installed it; its ClusterRole then needs patch on volumesnapshotcontents and volumesnapshotcontents/status.";
    Some(
        Finding::new(status, message)
            .evidence(crd_evidence(CONTENTS, "spec.versions[v1].schema..spec.x-kubernetes-validations", rule))
            .cause("It does not know spec.sourceVolumeMode and drops it when it writes a VolumeSnapshotContent; the CRD's rule refuses that.")
            .fix(Fix::text(fix).commands(show_labels(running))),
    )
}

/// The known bugs of a version: status, effect, and the version without it.
fn bugs_of(component: Component, version: Version) -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    rows(include_str!("../../data/known-bugs.tsv")).filter_map(move |row| {
        let [name, from, before, status, effect, _source] = row.as_slice() else {
            return None;
        };
        let inside = Version::parse(from)? <= version && version < Version::parse(before)?;
        (*name == component.name() && inside).then_some((*status, *effect, *before))
    })
}

fn upgrade(running: &Running<'_>) -> Fix {
    Fix::text("Upgrade it through what installed it: the distribution, the driver's chart or its manifests.")
        .commands(show_labels(running))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_bugs_is_read_whole() {
        for row in rows(include_str!("../../data/known-bugs.tsv")) {
            let [name, from, before, status, effect, _source] = row.as_slice() else { panic!("{row:?}") };
            assert!(["snapshot-controller", "csi-snapshotter", "csi-provisioner"].contains(name), "{row:?}");
            assert!(Version::parse(from).unwrap() < Version::parse(before).unwrap(), "{row:?}");
            assert!(["warn", "note"].contains(status), "{row:?}");
            assert!(!effect.is_empty());
        }
    }
}
