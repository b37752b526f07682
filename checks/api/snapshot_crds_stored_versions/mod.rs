//! Whether objects of old versions may still lie in etcd.

use crate::knowledge::crds::release::{listed, served};
use crate::knowledge::crds::{crd_evidence, installed};
use crate::model::check::{Check, Group, How, Severity};
use crate::model::command::kubectl;
use crate::model::facts::Facts;
use crate::model::finding::{Finding, Findings, Fix, Status};
use crate::model::need::Need;
use crate::text::words::list;

/// See `doc.md`.
pub const CHECK: Check = Check {
    id: "SR105",
    slug: "snapshot-crds-stored-versions",
    title: "Snapshot objects are stored as v1 only",
    group: Group::Api,
    severity: Severity::Warning,
    since: "0.1.0",
    needs: &[Need::CustomResourceDefinitions],
    uses: &[],
    doc: include_str!("doc.md"),
    how: How::Looking(run),
};

fn run(facts: &Facts, findings: &mut Findings) {
    // Without v1 there is nothing to migrate to; snapshot-api-v1-served tells that.
    let crds: Vec<_> = installed(facts).into_iter().filter(|crd| served(crd).contains(&"v1")).collect();
    if crds.is_empty() {
        findings.skip("no snapshot CRD serves v1");
        return;
    }
    let mut clean = true;
    for crd in crds {
        let name = crd.metadata.name.as_str();
        let old: Vec<&str> =
            crd.status.stored_versions.iter().map(String::as_str).filter(|stored| *stored != "v1").collect();
        if old.is_empty() {
            continue;
        }
        clean = false;
        let gone: Vec<&str> = old.iter().copied().filter(|stored| !listed(crd).contains(stored)).collect();
        let cause = if gone.is_empty() {
            "A later release of the CRDs that leaves out this version will be refused.".to_owned()
        } else {
            format!(
                "The CRD no longer lists {}: such objects cannot be read, and one of them makes every list fail.",
                list(gone)
            )
        };
        let fix = Fix::text(
            "Write every object anew (they are stored in the current version then) and drop the old version from the CRD's status.",
        );
        // The name is one of three constants.
        let all = kubectl("get").word(name).words("--all-namespaces -o json");
        let drop = kubectl("patch customresourcedefinition").word(name).words("--subresource=status --type=merge -p");
        let fix = fix
            .command(all.pipe(kubectl("replace -f -")))
            .command(drop.word(r#"{"status":{"storedVersions":["v1"]}}"#));
        findings.push(
            Finding::new(
                Status::Warn,
                format!("objects of {name} may still be stored as {}", list(old.iter().copied())),
            )
            .target(name)
            .evidence(crd_evidence(
                name,
                "status.storedVersions",
                list(crd.status.stored_versions.iter().map(String::as_str)),
            ))
            .cause(cause)
            .fix(fix),
        );
    }
    if clean {
        findings.pass("objects are stored as v1 only");
    }
}
