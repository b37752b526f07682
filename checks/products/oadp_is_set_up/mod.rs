//! Whether OADP is set up to take CSI snapshots, and what its own test said.

use jiff::SignedDuration;

use crate::model::check::{Check, Group, How, Severity};
use crate::model::facts::Facts;
use crate::model::finding::{Finding, Findings, Fix, Status};
use crate::model::need::Need;
use crate::model::products::ProductObject;
use crate::products::oadp::{DATA_PROTECTION_APPLICATION, DATA_PROTECTION_TEST, PRODUCT};
use crate::products::objects::{about, evidence, objects, of_asked, place};
use crate::products::velero::server::{Server, servers};

/// See `doc.md`.
pub const CHECK: Check = Check {
    id: "SR614",
    slug: "oadp-is-set-up",
    title: "OADP is set up to take CSI snapshots",
    group: Group::Products,
    severity: Severity::Error,
    since: "0.2.0",
    needs: &[Need::ProductObjects],
    uses: &[Need::Workloads],
    doc: include_str!("doc.md"),
    how: How::Looking(run),
};

fn run(facts: &Facts, findings: &mut Findings) {
    match of_asked(facts, &PRODUCT, |product| *product == PRODUCT, &DATA_PROTECTION_APPLICATION, findings) {
        Some([]) => findings.skip("there is no DataProtectionApplication: OADP has nothing to set up"),
        Some(applications) => applications.iter().for_each(|application| findings.push(judge(application))),
        None => return,
    }
    // Releases before 1.5 have no such kind.
    match objects(facts, &PRODUCT, &DATA_PROTECTION_TEST) {
        Ok(tests) => tests.iter().for_each(|test| findings.push(tested(facts, test))),
        Err(finding) if finding.status == Status::Unknown => findings.push((*finding).target("oadp tests")),
        Err(_) => {}
    }
}

fn judge(application: &ProductObject) -> Finding {
    let kind = &DATA_PROTECTION_APPLICATION;
    let place = place(application);
    let plugins = application.all("spec.configuration.velero.defaultPlugins.*");
    let finding = match application.one("status.conditions.[type=Reconciled].status") {
        _ if !plugins.iter().any(|plugin| plugin == "csi") => Finding::new(
            Status::Fail,
            format!("DataProtectionApplication {place} takes no CSI snapshots: csi is not among its plugins"),
        )
        .evidence(evidence(kind, application, "spec.configuration.velero.defaultPlugins", plugins.join(", ")))
        .cause("The plugin csi is what switches EnableCSI on in OADP's Velero.")
        .fix(Fix::text("Add csi to spec.configuration.velero.defaultPlugins.").commands(about(
            kind,
            application,
            "edit",
        ))),
        Some("True") => {
            Finding::new(Status::Pass, format!("DataProtectionApplication {place} is reconciled, with plugin csi"))
                .evidence(evidence(kind, application, "status.conditions[Reconciled].status", "True"))
        }
        Some(_) => {
            let message = application.one("status.conditions.[type=Reconciled].message").unwrap_or("no message");
            Finding::new(Status::Fail, format!("DataProtectionApplication {place} is not reconciled: {message}"))
                .evidence(evidence(kind, application, "status.conditions[Reconciled].message", message))
                .cause("OADP has not set up Velero as it is to be.")
                .fix(Fix::text("Mend what the message says.").commands(about(kind, application, "describe")))
        }
        None => Finding::new(
            Status::Unknown,
            format!("DataProtectionApplication {place} was not reconciled yet: its status has no condition Reconciled"),
        )
        .evidence(evidence(kind, application, "status.conditions", "nothing")),
    };
    finding.target(place)
}

/// The result of a `DataProtectionTest`, which is as old as it says.
fn tested(facts: &Facts, test: &ProductObject) -> Finding {
    let kind = &DATA_PROTECTION_TEST;
    let place = place(test);
    let when = test.one("status.lastTested").unwrap_or("an unknown time");
    let failed = test.all("status.snapshotTests.[status=Failed].persistentVolumeClaimName");
    let no_upload =
        test.one("status.uploadTest.success") == Some("false") && test.one("status.uploadTest.errorMessage").is_some();
    let reasons: Vec<&str> =
        ["status.errorMessage", "status.uploadTest.errorMessage", "status.snapshotTests.[status=Failed].errorMessage"]
            .into_iter()
            .flat_map(|path| test.all(path))
            .map(String::as_str)
            .collect();
    let finding = match test.one("status.phase") {
        Some("Complete") if failed.is_empty() && !no_upload => match slow(facts, test) {
            Some((took, limit)) => Finding::new(
                Status::Warn,
                format!(
                    "DataProtectionTest {place} of {when} took {took:#} for a snapshot; Velero waits for {limit:#}"
                ),
            )
            .evidence(evidence(kind, test, "status.snapshotTests[].readyDuration", format!("{took:#}")))
            .cause(
                "A larger volume, or a first snapshot that is uploaded whole, takes longer, and its backup fails then.",
            )
            .fix(
                Fix::text("Raise csiSnapshotTimeout of the backups, or --csi-snapshot-timeout of the server.")
                    .commands(about(kind, test, "describe")),
            ),
            None => Finding::new(Status::Pass, format!("DataProtectionTest {place} of {when} has passed")),
        },
        Some(phase @ ("Complete" | "Failed")) => {
            let reasons = if reasons.is_empty() { "it gives no reason".to_owned() } else { reasons.join("; ") };
            let what = if failed.is_empty() { String::new() } else { format!(" of claim {}", failed.join(", ")) };
            Finding::new(Status::Warn, format!("DataProtectionTest {place} of {when} has failed: {reasons}"))
                .evidence(evidence(kind, test, "status.phase", phase))
                .evidence(evidence(kind, test, "status.errorMessage", reasons))
                .cause(format!("OADP's own test{what} has found it; it may be mended since."))
                .fix(Fix::text("Run it again: set spec.forceRun.").commands(about(
                    kind,
                    test,
                    "patch --type=merge -p {\"spec\":{\"forceRun\":true}}",
                )))
        }
        _ => Finding::new(Status::Skip, format!("DataProtectionTest {place} has no result yet")),
    };
    finding.target(format!("test {place}"))
}

/// The longest time that a snapshot of a test took, and how long Velero waits, if it is more than half of that.
fn slow(facts: &Facts, test: &ProductObject) -> Option<(SignedDuration, SignedDuration)> {
    let namespace = test.metadata.namespace.as_deref()?;
    let servers = servers(facts);
    let server = servers.iter().find(|server| server.namespace() == namespace);
    let limit = server.map_or(SignedDuration::from_mins(10), Server::snapshot_timeout);
    let durations = test.all("status.snapshotTests.[status=Ready].readyDuration").iter();
    let longest = durations.filter_map(|text| text.parse::<SignedDuration>().ok()).max()?;
    (longest.saturating_mul(2) > limit).then_some((longest, limit))
}
