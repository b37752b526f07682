//! Whether the drivers of the `VolumeSnapshotClasses` are installed.

use crate::knowledge::classes::choose::drivers_of;
use crate::knowledge::drivers::registered::{is_registered, registered_drivers};
use crate::model::check::{Check, Group, How, Severity};
use crate::model::command::kubectl;
use crate::model::facts::Facts;
use crate::model::finding::{Evidence, Finding, Findings, Fix, Status};
use crate::model::need::Need;
use crate::text::names::fix_with;
use crate::text::nearest::distance;
use crate::text::words::list;

/// See `doc.md`.
pub const CHECK: Check = Check {
    id: "SR213",
    slug: "snapshot-class-driver-known",
    title: "The drivers of the VolumeSnapshotClasses are installed",
    group: Group::Classes,
    severity: Severity::Warning,
    since: "0.1.0",
    needs: &[Need::VolumeSnapshotClasses, Need::CsiDrivers, Need::CsiNodes],
    uses: &[],
    doc: include_str!("doc.md"),
    how: How::Looking(run),
};

fn run(facts: &Facts, findings: &mut Findings) {
    let Some(classes) = facts.volume_snapshot_classes.seen() else {
        return;
    };
    for driver in drivers_of(classes, findings) {
        if is_registered(facts, driver) {
            findings.push(Finding::new(Status::Pass, format!("{driver} is installed")).target(driver));
            continue;
        }
        let mut names: Vec<&str> =
            classes.iter().filter(|class| class.driver == driver).map(|class| class.metadata.name.as_str()).collect();
        names.sort_unstable();
        let known = registered_drivers(facts);
        let nearest = known.iter().find(|known| distance(known, driver) <= 2);
        let cause = match nearest {
            Some(nearest) => {
                format!("It may be a misspelling of {nearest}. The driver of a class cannot be changed later.")
            }
            None => "There is no CSIDriver of this name, and no node has registered it.".to_owned(),
        };
        let fix = Fix::text("Make the class anew with the right driver, or delete it, or install the driver.");
        let fix = names
            .iter()
            .take(5)
            .fold(fix, |fix, name| fix_with(fix, [name], |[name]| kubectl("delete volumesnapshotclass").word(name)));
        let finding = Finding::new(
            Status::Warn,
            format!(
                "no snapshot can be made with {}: the driver {driver} is not installed",
                list(names.iter().copied())
            ),
        )
        .target(driver)
        .cause(cause)
        .fix(fix);
        findings.push(names.iter().take(5).fold(finding, |finding, name| {
            finding.evidence(Evidence::cluster("VolumeSnapshotClass", name, "driver", driver))
        }));
    }
}
