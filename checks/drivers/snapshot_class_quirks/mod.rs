//! Whether `VolumeSnapshotClasses` have the parameters without which their driver takes no snapshots (`data/quirks.tsv`).

use wildmatch::WildMatch;

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
    severity: Severity::Error,
    since: "0.2.0",
    needs: &[Need::VolumeSnapshotClasses],
    uses: &[],
    doc: include_str!("doc.md"),
    how: How::Looking(run),
};

/// Something about a driver that its classes have to do with.
struct Quirk {
    parameter: &'static str,
    status: Status,
    what: &'static str,
    advice: &'static str,
}

/// What is known of a class, the worst first.
fn quirks(class: &VolumeSnapshotClass) -> Vec<Quirk> {
    let of_class = rows(include_str!("../../data/quirks.tsv")).filter_map(|row| {
        let [driver, parameter, applies, status, what, advice, _source] = *row.as_slice() else { return None };
        let value = class.parameters.get(parameter).map(String::as_str);
        let holds = match applies {
            "always" => true,
            "absent" => value.is_none_or(str::is_empty),
            "not true" => value != Some("true"),
            "snap" => value == Some("snap"),
            _ => value.is_none_or(|value| value == "bak"),
        };
        let status = match status {
            "fail" => Status::Fail,
            "warn" => Status::Warn,
            _ => Status::Pass,
        };
        (holds && WildMatch::new(driver).matches(&class.driver)).then_some(Quirk { parameter, status, what, advice })
    });
    let mut all: Vec<Quirk> = of_class.collect();
    all.sort_by_key(|quirk| std::cmp::Reverse(quirk.status));
    all
}

fn run(facts: &Facts, findings: &mut Findings) {
    let classes = facts.volume_snapshot_classes.seen().into_iter().flatten();
    let mut any = false;
    for class in classes {
        let quirks = quirks(class);
        let Some(worst) = quirks.first().map(|quirk| quirk.status) else { continue };
        any = true;
        let bad: Vec<&Quirk> = quirks.iter().filter(|quirk| quirk.status == worst).collect();
        findings.push(told(class, worst, &bad).target(class.metadata.name.as_str()));
    }
    if !any {
        findings.pass("no driver wants anything special");
    }
}

/// What is equally bad about a class, in one result.
fn told(class: &VolumeSnapshotClass, status: Status, quirks: &[&Quirk]) -> Finding {
    let name = class.metadata.name.as_str();
    let join = |part: fn(&Quirk) -> &'static str, by: &str| {
        quirks.iter().map(|quirk| part(quirk)).collect::<Vec<_>>().join(by)
    };
    let finding = Finding::new(status, format!("{name} of {}: {}", class.driver, join(|quirk| quirk.what, "; ")));
    let finding = quirks.iter().filter(|quirk| quirk.parameter != "none").fold(finding, |finding, quirk| {
        let value = class.parameters.get(quirk.parameter).map_or("absent", String::as_str);
        let path = format!("parameters.{}", quirk.parameter);
        finding.evidence(Evidence::cluster("VolumeSnapshotClass", name, &path, value))
    });
    if status == Status::Pass {
        return finding;
    }
    let fix = Fix::text(join(|quirk| quirk.advice, " "));
    finding.cause(format!("The class lacks {}.", join(|quirk| quirk.parameter, " and "))).fix(fix_with(
        fix,
        [name],
        |[name]| kubectl("get volumesnapshotclass").word(name).words("-o yaml"),
    ))
}
