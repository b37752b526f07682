//! Why the mode that snapshots several volumes at once is not done.

use super::CHECK;
use super::skipped::not_offered;
use crate::knowledge::classes::groups::{GroupClass, group_class};
use crate::knowledge::control_plane::skew::without_groups;
use crate::model::facts::Facts;
use crate::model::finding::{Evidence, Status};
use crate::model::object::{GROUP_SNAPSHOT_GROUP, Kind};
use crate::moment::grpc::Answer;
use crate::moment::{Explanation, Moment, Subject};
use crate::roundtrip::snapshot_succeeds::{LAG, answers};

/// A mode takes snapshots of several volumes at once, and the cluster is not set up for them. What could not be seen keeps nothing
/// from being tried.
#[must_use]
pub fn no_group(facts: &Facts, subject: &Subject, mode: &str) -> Option<Explanation> {
    let skipped = |what: &str| {
        let message = format!("skipped: mode {mode} takes VolumeGroupSnapshots, and {what}");
        Explanation::new(&CHECK, Status::Skip, &message).about(subject)
    };
    let version = Kind::VOLUME_GROUP_SNAPSHOT.version;
    if let Some(apis) = facts.snapshot_apis.seen()
        && !apis.serves(GROUP_SNAPSHOT_GROUP, version)
    {
        let served = apis.0.get(GROUP_SNAPSHOT_GROUP).map(|served| served.join(", "));
        let value = served.clone().unwrap_or_else(|| "not served".to_owned());
        let cause = served.map_or_else(
            || "their CRDs are not installed".to_owned(),
            |served| format!("the API server serves {served} of {GROUP_SNAPSHOT_GROUP}; {version} comes with the CRDs of external-snapshotter 8.6"),
        );
        let what = format!("{GROUP_SNAPSHOT_GROUP}/{version} is not served");
        let evidence = Evidence::cluster("APIGroup", GROUP_SNAPSHOT_GROUP, "versions", &value);
        return Some(skipped(&what).cause(cause).evidence([evidence]));
    }
    let driver = subject.driver.as_deref()?;
    if let Some((what, evidence)) = without_groups(facts, driver) {
        let cause = "a VolumeGroupSnapshot would stay as it is: its feature gate is CSIVolumeGroupSnapshot";
        return Some(skipped(&format!("{what} has them switched off")).cause(cause).evidence([evidence]));
    }
    match group_class(facts.volume_group_snapshot_classes.seen()?, driver) {
        GroupClass::One(_) => None,
        GroupClass::None => Some(skipped(&format!("there is no VolumeGroupSnapshotClass of driver {driver}"))),
        GroupClass::Several(names) => {
            let what = format!(
                "which of the driver's VolumeGroupSnapshotClasses is meant cannot be told: {}",
                names.join(", ")
            );
            Some(skipped(&what).cause("not one of them alone is annotated as the default"))
        }
    }
}

/// The driver has no group snapshots, as its answer says: then the mode that takes one is not one of this driver's.
pub(crate) fn no_groups_offered(moment: &Moment<'_>) -> Option<Explanation> {
    if !moment.chain.is_group || moment.elapsed < LAG {
        return None;
    }
    let says = |text: &str| Answer::find(text).is_some_and(|answer| answer.code == "Unimplemented");
    let answer = answers(moment).find(|answer| says(&answer.text))?;
    let skipped = not_offered(moment, "offer group snapshots", "them");
    Some(skipped.cause(answer.text.as_ref()).evidence([answer.evidence(moment)]))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::roundtrip::round_trip::tests::{DRIVER, subject};

    fn class(name: &str, driver: &str) -> Value {
        json!({ "metadata": { "name": name }, "driver": driver, "deletionPolicy": "Delete" })
    }

    fn skipped(versions: Option<&[&str]>, classes: Option<&[Value]>) -> Option<String> {
        let mut facts = json!({});
        if let Some(versions) = versions {
            let served = if versions.is_empty() { json!({}) } else { json!({ GROUP_SNAPSHOT_GROUP: versions }) };
            facts["snapshotApis"] = json!({ "state": "seen", "value": served });
        }
        if let Some(classes) = classes {
            facts["volumeGroupSnapshotClasses"] = json!({ "state": "seen", "value": classes });
        }
        let facts: Facts = serde_json::from_value(facts).unwrap();
        let subject = subject();
        let finding = no_group(&facts, &subject, "group")?.finding().clone();
        assert_eq!(finding.status, Status::Skip);
        Some(format!("{}: {}", finding.message, finding.cause.unwrap_or_default()))
    }

    #[test]
    fn only_what_is_known_to_be_missing_is_a_reason() {
        let own = class("own", DRIVER);
        let only = Some(std::slice::from_ref(&own));
        for (versions, classes, expected) in [
            (None, None, None),
            (Some(&["v1", "v1beta2"][..]), None, None),
            (Some(&["v1"]), only, None),
            (Some(&[]), only, Some("their CRDs are not installed")),
            (Some(&["v1beta2"]), only, Some("serves v1beta2")),
            (
                Some(&["v1"]),
                Some(&[class("a", "other.example.org")]),
                Some("there is no VolumeGroupSnapshotClass of driver"),
            ),
            (Some(&["v1"]), Some(&[class("b", DRIVER), own.clone()]), Some("cannot be told: b, own")),
        ] {
            let reason = skipped(versions, classes);
            assert_eq!(reason.is_some(), expected.is_some(), "{versions:?} {classes:?}: {reason:?}");
            assert!(
                expected.is_none_or(|word| reason.as_deref().is_some_and(|reason| reason.contains(word))),
                "{reason:?}"
            );
        }
    }
}
