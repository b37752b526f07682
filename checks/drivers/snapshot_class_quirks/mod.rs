//! Whether `VolumeSnapshotClasses` have the parameters without which their driver takes no snapshots (`data/quirks.tsv`).

use crate::knowledge::tables::rows;
use crate::model::check::{Check, Group, How, Severity};
use crate::model::command::kubectl;
use crate::model::facts::Facts;
use crate::model::finding::{Evidence, Finding, Findings, Fix, Status};
use crate::model::kubernetes::VolumeSnapshotClass;
use crate::model::need::Need;
use crate::text::names::fix_with;

/// See `doc.md`.
pub const CHECK: Check = Check {
    id: "SR204",
    slug: "snapshot-class-quirks",
    title: "VolumeSnapshotClasses have what their driver needs",
    group: Group::Drivers,
    severity: Severity::Warning,
    since: "0.2.0",
    needs: &[Need::VolumeSnapshotClasses],
    uses: &[],
    doc: include_str!("doc.md"),
    how: How::Looking(run),
};

/// Something about a driver that its classes have to do with.
struct Quirk {
    parameter: &'static str,
    warns: bool,
    what: &'static str,
    advice: &'static str,
}

fn quirk(class: &VolumeSnapshotClass) -> Option<Quirk> {
    rows(include_str!("../../data/quirks.tsv")).find_map(|row| {
        let [driver, parameter, applies, status, what, advice, _source] = *row.as_slice() else { return None };
        let value = class.parameters.get(parameter).map(String::as_str);
        let holds = match applies {
            "not true" => value != Some("true"),
            "snap" => value == Some("snap"),
            _ => value.is_none_or(|value| value == "bak"),
        };
        (driver == class.driver && holds).then_some(Quirk { parameter, warns: status == "warn", what, advice })
    })
}

fn run(facts: &Facts, findings: &mut Findings) {
    let classes = facts.volume_snapshot_classes.seen().into_iter().flatten();
    let mut any = false;
    for class in classes {
        let Some(quirk) = quirk(class) else { continue };
        any = true;
        findings.push(told(class, &quirk).target(class.metadata.name.as_str()));
    }
    if !any {
        findings.pass("no driver wants anything special");
    }
}

fn told(class: &VolumeSnapshotClass, quirk: &Quirk) -> Finding {
    let name = class.metadata.name.as_str();
    let value = class.parameters.get(quirk.parameter).map_or("absent", String::as_str);
    let seen = Evidence::cluster("VolumeSnapshotClass", name, &format!("parameters.{}", quirk.parameter), value);
    let message = format!("{name} of {}: {}", class.driver, quirk.what);
    if !quirk.warns {
        return Finding::new(Status::Pass, message).evidence(seen);
    }
    let fix = Fix::text(quirk.advice);
    Finding::new(Status::Warn, message)
        .evidence(seen)
        .cause(format!("The class lacks the parameter {}.", quirk.parameter))
        .fix(fix_with(fix, [name], |[name]| kubectl("get volumesnapshotclass").word(name).words("-o yaml")))
}
