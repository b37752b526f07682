//! Modes of the round trip that are not done, since it is known that they cannot be.

use super::CHECK;
use crate::knowledge::drivers::capabilities::{Ability, Capability};
use crate::knowledge::nodes::takes_any_pod;
use crate::model::facts::Facts;
use crate::model::finding::{Evidence, Fix, Status};
use crate::model::kubernetes::{CsiNode, Node};
use crate::model::object::Kind;
use crate::model::round_trip::StepId;
use crate::moment::grpc::Answer;
use crate::moment::{Explanation, Moment, Subject};
use crate::roundtrip::provisioning_succeeds::failures;

/// The driver cannot do what a mode of the round trip asks for, so it is not tried.
#[must_use]
pub fn skipped(subject: &Subject, mode: &str, ability: Ability, capability: &Capability) -> Explanation {
    let what = match ability {
        Ability::Clone => "create a volume from another volume",
        Ability::Expand => "make a volume larger",
        other => other.word(),
    };
    let driver = subject.driver_in_words();
    let message = format!("skipped: mode {mode} takes a driver that can {what}, and {driver} cannot");
    let explanation = Explanation::new(&CHECK, Status::Skip, &message).about(subject).cause(&capability.because);
    explanation.evidence(capability.evidence.clone())
}

/// A mode takes a second node with the driver, and there is none. `selector` are labels that the nodes of pods must have. What
/// could not be seen keeps nothing from being tried.
#[must_use]
pub fn no_other_node(
    facts: &Facts,
    subject: &Subject,
    mode: &str,
    selector: &[(String, String)],
) -> Option<Explanation> {
    let driver = subject.driver.as_deref()?;
    let registered: Vec<&CsiNode> = facts.csi_nodes.seen()?.iter().filter(|node| node.has(driver)).collect();
    let is_selected = |node: &Node| selector.iter().all(|(key, value)| node.metadata.labels.get(key) == Some(value));
    let is_usable = |node: &&&CsiNode| {
        let mut nodes = facts.nodes.seen().into_iter().flatten();
        let node = nodes.find(|known| known.metadata.name == node.metadata.name);
        node.is_none_or(|node| takes_any_pod(node) && is_selected(node))
    };
    let mut usable = registered.iter().filter(is_usable);
    let (Some(only), None) = (usable.next(), usable.next()) else { return None };
    let name = only.metadata.name.as_str();
    let because = if registered.len() == 1 {
        format!("driver {driver} is registered on node {name} alone")
    } else {
        format!("of the nodes on which driver {driver} is registered, {name} alone takes these pods")
    };
    let message = format!("skipped: mode {mode} takes a second node for its pods, and there is none");
    let evidence = Evidence::cluster(Kind::CSI_NODE.name, name, "spec.drivers[].name", driver);
    Some(Explanation::new(&CHECK, Status::Skip, &message).about(subject).cause(because).evidence([evidence]))
}

/// A mode deletes the content of a snapshot, and the class keeps the snapshot in the storage then.
#[must_use]
pub fn keeps_snapshots(subject: &Subject, mode: &str) -> Explanation {
    let class = subject.snapshot_class.as_deref().unwrap_or_default();
    let message = format!("skipped: mode {mode} takes a class whose snapshots go with their contents");
    let because = format!("VolumeSnapshotClass {class} has deletionPolicy Retain");
    let evidence = Evidence::cluster(Kind::VOLUME_SNAPSHOT_CLASS.name, class, "deletionPolicy", "Retain");
    Explanation::new(&CHECK, Status::Skip, &message).about(subject).cause(because).evidence([evidence])
}

/// A restore asks for what the driver does not offer, as its answer says: then the mode that asks for it is not one of this
/// driver's.
pub(crate) fn beyond_the_driver(moment: &Moment<'_>) -> Option<Explanation> {
    let claim = moment.unbound_claim().filter(|_| moment.step == StepId::Restore)?;
    let refusal = failures(moment).last()?;
    let what = if refusal.message.contains("does not support clone operations") {
        "clone volumes"
    } else if claim.spec.access_modes.iter().any(|mode| mode == "ReadOnlyMany") && refuses_access(&refusal.message) {
        "offer volumes with the access mode ReadOnlyMany"
    } else {
        return None;
    };
    Some(not_offered(moment, what, "it").cause(&refusal.message).evidence([moment.event_evidence(refusal)]))
}

/// The driver has answered that it does not do something, which is to be called so when somebody asks for it.
pub(super) fn not_offered(moment: &Moment<'_>, what: &str, asked: &str) -> Explanation {
    let message = format!("skipped: {} does not {what}", moment.subject.driver_in_words());
    let fix =
        format!("Do not use products or settings that ask for {asked} with this driver. Nothing else depends on it.");
    Explanation::new(&CHECK, Status::Skip, &message).about(moment.subject).fix(Fix::text(fix))
}

/// Whether an answer is about how a volume is to be used. CSI has no code of its own for it (spec.md, `CreateVolume` errors).
fn refuses_access(message: &str) -> bool {
    let Some(answer) = Answer::find(message) else { return false };
    let said = answer.description.to_ascii_lowercase().replace(['_', '-'], " ");
    matches!(answer.code, "InvalidArgument" | "Unimplemented" | "FailedPrecondition" | "OutOfRange" | "Internal")
        && ["access mode", "accessmode", "volume capabilit", "volumecapabilit", "multi node", "readonlymany", "rox"]
            .iter()
            .any(|word| said.contains(word))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::roundtrip::round_trip::tests::{DRIVER, subject};

    fn csi_node(name: &str, driver: &str) -> Value {
        json!({ "metadata": { "name": name }, "spec": { "drivers": [{ "name": driver }] } })
    }

    fn node(name: &str, disk: &str, unschedulable: bool) -> Value {
        json!({
            "metadata": { "name": name, "labels": { "disk": disk } },
            "spec": { "unschedulable": unschedulable },
            "status": { "conditions": [{ "type": "Ready", "status": "True" }] },
        })
    }

    fn because(csi_nodes: &[Value], nodes: Option<&[Value]>, selector: &[(String, String)]) -> Option<String> {
        let mut facts = json!({ "csiNodes": { "state": "seen", "value": csi_nodes } });
        if let Some(nodes) = nodes {
            facts["nodes"] = json!({ "state": "seen", "value": nodes });
        }
        let facts: Facts = serde_json::from_value(facts).unwrap();
        let subject = subject();
        no_other_node(&facts, &subject, "m", selector)?.finding().cause.clone()
    }

    #[test]
    fn there_is_no_other_node_only_if_all_but_one_are_known_to_be_of_no_use() {
        let two = [csi_node("a", DRIVER), csi_node("b", DRIVER)];
        let one = [csi_node("a", DRIVER), csi_node("b", "other.example.org")];
        let both = [node("a", "ssd", false), node("b", "hdd", false)];
        let cordoned = [node("a", "ssd", false), node("b", "hdd", true)];
        let ssd = [("disk".to_owned(), "ssd".to_owned())];
        for (csi_nodes, nodes, selector, expected) in [
            (&one[..], None, &[][..], Some("is registered on node a alone")),
            (&one, Some(&both[..]), &[], Some("is registered on node a alone")),
            (&two, Some(&cordoned), &[], Some("a alone takes these pods")),
            (&two, Some(&both), &ssd, Some("a alone takes these pods")),
            (&two, Some(&both), &[], None),
            (&two, None, &ssd, None),
            (&[], Some(&both), &[], None),
        ] {
            let because = because(csi_nodes, nodes, selector);
            assert_eq!(because.is_some(), expected.is_some(), "{csi_nodes:?} {nodes:?}: {because:?}");
            assert!(expected.is_none_or(|word| because.as_deref().is_some_and(|because| because.contains(word))));
        }
    }
}
