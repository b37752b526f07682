//! Whether drivers that can have their snapshots switched off have them on.

use crate::model::check::{Check, Group, How, Severity};
use crate::model::command::kubectl;
use crate::model::facts::{DriverSwitch, Facts, SwitchPlace};
use crate::model::finding::{Evidence, Finding, Findings, Fix, Status};
use crate::model::need::Need;
use crate::model::probe::{Missing, Probe};
use crate::text::names::fix_with;

/// See `doc.md`.
pub const CHECK: Check = Check {
    id: "SR206",
    slug: "driver-switches",
    title: "The drivers' snapshots are not switched off",
    group: Group::Drivers,
    severity: Severity::Error,
    since: "0.2.0",
    needs: &[Need::Pods, Need::DriverSwitches],
    uses: &[Need::Workloads],
    doc: include_str!("doc.md"),
    how: How::Looking(run),
};

fn run(facts: &Facts, findings: &mut Findings) {
    let Some(switches) = facts.driver_switches.seen() else { return };
    for switch in switches {
        findings.push(judge(switch).target(switch.place.driver.as_str()));
    }
    if switches.is_empty() {
        findings.pass("no driver that runs here has such a switch");
    }
}

fn judge(switch: &DriverSwitch) -> Finding {
    let SwitchPlace { driver, namespace, config_map, key } = &switch.place;
    let place = format!("{namespace}/{config_map}");
    let Some(value) = switch.value.seen() else {
        let why = why(&switch.value);
        let message = format!("whether {driver} has snapshots switched on, in ConfigMap {place}: {why}");
        let fix = Fix::text("Look at it as somebody who may.");
        return Finding::new(Status::Unknown, message).fix(about(fix, &switch.place, "get configmap -o yaml"));
    };
    let value = value.as_deref();
    // Releases without the switch have no entry for it.
    if value != Some("false") {
        let said = value.unwrap_or("not set");
        return Finding::new(Status::Pass, format!("{driver} takes snapshots: {key} of {place} is {said}"));
    }
    let fix = Fix::text(format!("Set {key} to \"true\"; then restart the driver's controller."));
    Finding::new(Status::Fail, format!("{driver} has snapshots switched off: {key} of ConfigMap {place} is false"))
        .evidence(Evidence::namespaced("ConfigMap", namespace, config_map, &format!("data.{key}"), "false"))
        .cause("The driver answers every request for a snapshot with an error while its feature is off.")
        .fix(about(fix, &switch.place, "edit configmap"))
}

fn about(fix: Fix, place: &SwitchPlace, verb: &'static str) -> Fix {
    fix_with(fix, [&place.namespace, &place.config_map], |[namespace, name]| {
        kubectl("-n").word(namespace).words(verb).word(name)
    })
}

fn why(value: &Probe<Option<String>>) -> String {
    match value.missing() {
        Some(Missing::Forbidden { rule }) => format!("the API server refuses to {rule}"),
        Some(Missing::Failed { reason }) => reason,
        _ => "it could not be read".to_owned(),
    }
}
