//! Whether the drivers are of releases that take snapshots and restore them (`data/driver-releases.tsv`).

use std::collections::BTreeSet;

use crate::knowledge::control_plane::running::running;
use crate::knowledge::tables::rows;
use crate::knowledge::version::Version;
use crate::model::check::{Check, Group, How, Severity};
use crate::model::command::kubectl;
use crate::model::facts::Facts;
use crate::model::finding::{Finding, Findings, Fix, Status};
use crate::model::kubernetes::Container;
use crate::model::need::Need;
use crate::text::names::is_object_name;

/// See `doc.md`.
pub const CHECK: Check = Check {
    id: "SR205",
    slug: "driver-release",
    title: "The drivers are of releases that take snapshots and restore them",
    group: Group::Drivers,
    severity: Severity::Error,
    since: "0.2.0",
    needs: &[Need::Pods],
    uses: &[Need::Workloads],
    doc: include_str!("doc.md"),
    how: How::Looking(run),
};

/// A release and what it lacks.
struct Limit {
    before: Version,
    status: Status,
    what: &'static str,
    advice: &'static str,
}

/// What is known of an image: of several rows the first that holds.
fn limits(image: &str) -> Vec<Limit> {
    let of_image = rows(include_str!("../../data/driver-releases.tsv")).filter_map(|row| {
        let [part, before, status, what, advice, _source] = *row.as_slice() else { return None };
        let status = if status == "fail" { Status::Fail } else { Status::Warn };
        image.contains(part).then_some(Limit { before: Version::parse(before)?, status, what, advice })
    });
    of_image.collect()
}

fn is_known(container: &Container) -> bool {
    !limits(&container.image).is_empty()
}

fn run(facts: &Facts, findings: &mut Findings) {
    // A driver's image runs in its controller and on each node.
    let mut told: BTreeSet<String> = BTreeSet::new();
    let mut good = BTreeSet::new();
    for driver in running(facts, is_known) {
        let image = driver.container.image.as_str();
        if !told.insert(image.to_owned()) {
            continue;
        }
        let place = driver.place();
        let seen = driver.evidence("spec.template.spec.containers[].image", image);
        let Some(version) = image.rsplit_once(':').and_then(|(_, tag)| Version::parse(tag)) else {
            findings.push(
                Finding::new(Status::Unknown, format!("the release of the driver of {place} cannot be told: {image}"))
                    .target(place)
                    .evidence(seen),
            );
            continue;
        };
        match limits(image).into_iter().find(|limit| version < limit.before) {
            Some(limit) => findings.push(
                Finding::new(limit.status, format!("the driver of {place}, release {version}, {}", limit.what))
                    .target(place)
                    .evidence(seen)
                    .cause(format!("Its release is older than {}.", limit.before))
                    .fix(Fix::text(limit.advice).commands(is_object_name(&driver.namespace).then(|| {
                        kubectl("-n").word(driver.namespace.as_str()).words("get deployments,daemonsets -o wide")
                    }))),
            ),
            None => {
                good.insert(format!("{place} {version}"));
            }
        }
    }
    if !good.is_empty() {
        findings.pass(good.into_iter().collect::<Vec<_>>().join(", "));
    } else if told.is_empty() {
        findings.pass("no visible driver is of a release that is known to lack them");
    }
}
