//! Whether Kubernetes itself is recent enough for snapshots.

use crate::knowledge::version::Version;
use crate::model::check::{Check, Group, How, Severity};
use crate::model::command::kubectl;
use crate::model::facts::Facts;
use crate::model::finding::{Evidence, Finding, Findings, Fix, Status};
use crate::model::need::Need;

/// See `doc.md`.
pub const CHECK: Check = Check {
    id: "SR101",
    slug: "kubernetes-version",
    title: "Kubernetes is recent enough for volume snapshots",
    group: Group::Api,
    severity: Severity::Error,
    since: "0.1.0",
    needs: &[Need::ServerVersion],
    uses: &[],
    doc: include_str!("doc.md"),
    how: How::Looking(run),
};

fn run(facts: &Facts, findings: &mut Findings) {
    let Some(server) = facts.server_version.seen() else {
        return;
    };
    let text = &server.git_version;
    let Some(version) = Version::of_server(text) else {
        findings.unknown(format!("the API server says that its version is {text:?}, which is none"));
        return;
    };
    let finding = |status, message| {
        Finding::new(status, message)
            .evidence(Evidence::cluster("APIServer", "version", "gitVersion", text))
            .fix(Fix::text("Upgrade Kubernetes to a supported version.").command(kubectl("version")))
    };
    if version < Version::new(1, 17, 0) {
        findings.push(
            finding(Status::Fail, format!("Kubernetes {text} cannot restore a volume from a snapshot"))
                .cause("Volumes from snapshots are on by default from Kubernetes 1.17 on."),
        );
    } else if version < Version::new(1, 20, 0) {
        findings.push(
            finding(Status::Warn, format!("Kubernetes {text} is older than snapshots of version v1")).cause(
                "Every release of external-snapshotter that is still maintained needs Kubernetes 1.20 or later.",
            ),
        );
    } else {
        findings.pass(format!("Kubernetes {text}"));
    }
}
