//! The `VolumeSnapshotClass` can be used.

use crate::model::check::Check;
use crate::roundtrip::check;

/// See `doc.md`.
pub const CHECK: Check =
    check("SR305", "snapshot-class-usable", "The VolumeSnapshotClass can be used", include_str!("doc.md"));

mod secrets;

pub(crate) use secrets::{credentials_unreadable, secret_forbidden, secret_missing, wrong_parameters};

use serde_json::Value;

use crate::knowledge::classes::choose::{Choice, DEFAULT_SNAPSHOT_CLASS, choose_snapshot_class, classes_of};
use crate::model::command::{Command, kubectl};
use crate::model::finding::Fix;
use crate::moment::{Advice, Explanation, Moment, restart_controller};
use crate::roundtrip::snapshot_succeeds::{LAG, answers, shown_by};
use crate::text::names::safe;

/// No class is named, and the snapshot-controller finds no default.
pub(crate) fn no_default_class(moment: &Moment<'_>) -> Option<Explanation> {
    let explanation = says(moment, &["cannot find default snapshot class"], "there is no default VolumeSnapshotClass")?;
    let driver = moment.subject.driver.as_deref().unwrap_or_default();
    let classes = classes_of(moment.snapshot_classes(), driver);
    let cause = format!(
        "the snapshot names no class, and no VolumeSnapshotClass of {} is annotated as default",
        moment.subject.driver_in_words()
    );
    let explanation = explanation.cause(cause);
    if moment.facts.volume_snapshot_classes.seen().is_none() {
        let fix = Fix::text("Make one class of the driver its default, or name one.");
        return Some(
            explanation.fix(fix.command(kubectl("get volumesnapshotclasses"))).advise(Advice::SnapshotClass(None)),
        );
    }
    let Some(class) = classes.first() else {
        let fix = Fix::text(format!("Create a VolumeSnapshotClass for {}.", moment.subject.driver_in_words()));
        let manifest = moment.subject.driver.as_deref().map(class_manifest);
        return Some(explanation.fix(Fix { manifest, ..fix }).follows_from("SR211", Some(driver)));
    };
    let fix = Fix::text("Make one class of the driver its default, or name one.");
    Some(
        explanation
            .fix(fix.command(annotate(safe(&class.metadata.name, "CLASS"), "=true")))
            .advise(Advice::SnapshotClass(Some(class.metadata.name.clone()))),
    )
}

/// There is a default, and the snapshot-controller has not noticed.
pub(crate) fn default_class_not_noticed(moment: &Moment<'_>) -> Option<Explanation> {
    let what = "no default class is found although there is one";
    let explanation = says(moment, &["cannot find default snapshot class"], what)?;
    let driver = moment.subject.driver.as_deref()?;
    let Choice::One(default) = choose_snapshot_class(moment.snapshot_classes(), driver) else {
        return None;
    };
    let name = &default.metadata.name;
    let cause = format!(
        "class {name} is the default of {driver}, but the snapshot-controller has not noticed: releases 8.0.x miss defaults that are made after their start"
    );
    let fix = Fix::text("Restart the snapshot-controller, and update it.").commands(restart_controller(moment.facts));
    Some(explanation.cause(cause).fix(fix))
}

/// Several classes of the driver are its default.
pub(crate) fn several_default_classes(moment: &Moment<'_>) -> Option<Explanation> {
    let what = "there are several default VolumeSnapshotClasses";
    let explanation = says(moment, &["default snapshot classes were found"], what)?;
    let driver = moment.subject.driver_in_words();
    let cause =
        format!("several VolumeSnapshotClasses of {driver} are annotated as default, and Kubernetes takes none then");
    let fix = Fix::text("Leave one default per driver.")
        .command(kubectl("get volumesnapshotclasses"))
        .command(annotate("CLASS", "-"));
    Some(explanation.cause(cause).fix(fix))
}

/// The class that is named does not exist.
pub(crate) fn class_missing(moment: &Moment<'_>) -> Option<Explanation> {
    let texts = ["volumesnapshotclass.snapshot.storage.k8s.io", "not found"];
    let explanation = says(moment, &texts, "its VolumeSnapshotClass does not exist")?;
    let fix = Fix::text("Create the class, or name another.").command(kubectl("get volumesnapshotclasses"));
    (moment.elapsed >= LAG).then(|| {
        explanation.cause("the class was named, but is not there").fix(fix).advise(Advice::SnapshotClass(None))
    })
}

/// A failure for which one answer holds all of some texts.
fn says(moment: &Moment<'_>, texts: &[&str], what: &str) -> Option<Explanation> {
    let answer = answers(moment).find(|answer| texts.iter().all(|part| answer.text.contains(part)))?;
    Some(shown_by(&answer, &CHECK, moment, what))
}

fn annotate(class: &str, value: &str) -> Command {
    kubectl("annotate volumesnapshotclass").word(class).word(format!("{DEFAULT_SNAPSHOT_CLASS}{value}"))
}

fn class_manifest(driver: &str) -> String {
    // The name is quoted as JSON, which is YAML too: a driver's name is the cluster's text.
    let driver = Value::String(driver.to_owned());
    format!(
        "apiVersion: snapshot.storage.k8s.io/v1\nkind: VolumeSnapshotClass\nmetadata:\n  name: snapshots\n  annotations:\n    {DEFAULT_SNAPSHOT_CLASS}: \"true\"\ndriver: {driver}\ndeletionPolicy: Delete\n"
    )
}
