//! The lines that make a class the one that a product takes.

use crate::knowledge::classes::choose::{DEFAULT_SNAPSHOT_CLASS, classes_of, is_default};
use crate::knowledge::classes::marks::{Mark, Place};
use crate::model::command::{Command, kubectl};
use crate::model::finding::Fix;
use crate::model::kubernetes::VolumeSnapshotClass;
use crate::products::product::{Product, Remedy};
use crate::text::names::is_object_name;

/// Lines in one fix at most.
const SHOWN: usize = 5;

/// Makes a class the one that is taken.
pub(super) fn one(remedy: Remedy, product: &Product, classes: &[VolumeSnapshotClass], driver: &str) -> Fix {
    let own = classes_of(classes, driver);
    let best = own.iter().find(|class| is_default(class)).or_else(|| own.first());
    let Some(class) = best.filter(|class| is_object_name(&class.metadata.name)) else {
        return Fix::text(format!("Create a VolumeSnapshotClass for {driver}, with what {} looks for.", product.name))
            .command(kubectl("get volumesnapshotclasses"));
    };
    match remedy {
        Remedy::Mark(key) => {
            let fix = Fix::text("Mark the class that it is to take.");
            match Mark::with_key(key) {
                Some(mark) => fix.command(set(mark.place, class, mark.key)),
                None => fix,
            }
        }
        Remedy::Default => Fix::text(format!("Make one class of {driver} the default.")).command(set(
            Place::Annotation,
            class,
            DEFAULT_SNAPSHOT_CLASS,
        )),
        Remedy::Text(text) => Fix::text(text).command(kubectl("get volumesnapshotclasses")),
    }
}

/// Takes the mark from all classes of the driver but one.
pub(super) fn only(remedy: Remedy, classes: &[VolumeSnapshotClass], driver: &str, kept: &str) -> Vec<Command> {
    let (place, key) = match remedy {
        Remedy::Mark(key) => match Mark::with_key(key) {
            Some(mark) => (mark.place, mark.key),
            None => return Vec::new(),
        },
        Remedy::Default | Remedy::Text(_) => (Place::Annotation, DEFAULT_SNAPSHOT_CLASS),
    };
    let own = classes_of(classes, driver);
    let marked = |key: &str| own.iter().any(|class| place.value(&class.metadata, key).is_some());
    // Velero reads the annotation of the default where nothing has its label.
    let (place, key) = if marked(key) { (place, key) } else { (Place::Annotation, DEFAULT_SNAPSHOT_CLASS) };
    let commands = remove(&own, place, key, kept);
    match own.iter().find(|class| class.metadata.name == kept && is_object_name(kept)) {
        Some(class) if commands.is_empty() => vec![set(place, class, key)],
        _ => commands,
    }
}

/// Leaves the first default class of the driver the only one.
pub(super) fn only_default(classes: &[VolumeSnapshotClass], driver: &str) -> Vec<Command> {
    let defaults: Vec<&VolumeSnapshotClass> =
        classes_of(classes, driver).into_iter().filter(|class| is_default(class)).collect();
    let kept = defaults.first().map(|class| class.metadata.name.as_str()).unwrap_or_default();
    remove(&defaults, Place::Annotation, DEFAULT_SNAPSHOT_CLASS, kept)
}

fn remove(classes: &[&VolumeSnapshotClass], place: Place, key: &str, kept: &str) -> Vec<Command> {
    let has = classes.iter().filter(|class| place.value(&class.metadata, key).is_some());
    let others = has.map(|class| class.metadata.name.as_str()).filter(|name| *name != kept && is_object_name(name));
    others.take(SHOWN).map(|name| place.remove(name, key)).collect()
}

/// A value that is there already, such as `false`, is replaced.
fn set(place: Place, class: &VolumeSnapshotClass, key: &str) -> Command {
    let verb = place.verb();
    let verb = if place.value(&class.metadata, key).is_some() { verb.words("--overwrite") } else { verb };
    verb.words("volumesnapshotclass").word(&class.metadata.name).word(format!("{key}=true"))
}
