//! Whether the secrets exist that the `VolumeSnapshotClasses` refer to.

use crate::knowledge::classes::secrets::{SecretReference, secret_references, unknown_reserved};
use crate::model::check::{Check, Group, How, Severity};
use crate::model::command::kubectl;
use crate::model::facts::Facts;
use crate::model::finding::{Evidence, Finding, Findings, Fix, Status};
use crate::model::kubernetes::VolumeSnapshotClass;
use crate::model::need::Need;
use crate::model::probe::Probe;
use crate::text::names::fix_with;
use crate::text::words::plural;

/// See `doc.md`.
pub const CHECK: Check = Check {
    id: "SR214",
    slug: "snapshot-class-secrets-exist",
    title: "The secrets of the VolumeSnapshotClasses exist",
    group: Group::Classes,
    severity: Severity::Error,
    since: "0.1.0",
    needs: &[Need::VolumeSnapshotClasses],
    uses: &[Need::ClassSecrets],
    doc: include_str!("doc.md"),
    how: How::Looking(run),
};

fn run(facts: &Facts, findings: &mut Findings) {
    let Some(classes) = facts.volume_snapshot_classes.seen() else {
        return;
    };
    if classes.is_empty() {
        findings.skip("there is no VolumeSnapshotClass");
        return;
    }
    let mut none = 0;
    for class in classes {
        let found = look(facts, class);
        none += usize::from(found.is_none());
        if let Some(finding) = found {
            findings.push(finding.target(&class.metadata.name));
        }
    }
    if none == classes.len() {
        let verb = if none == 1 { "refers" } else { "refer" };
        findings.pass(format!("{} {verb} to no secret", plural(none, "VolumeSnapshotClass")));
    }
}

/// One finding for a class that refers to secrets or has reserved parameters: the worst of them.
fn look(facts: &Facts, class: &VolumeSnapshotClass) -> Option<Finding> {
    let references = secret_references(class).into_iter().map(|reference| judge(facts, class, reference));
    let unknown = unknown_reserved(class).into_iter().map(|key| {
        refused(
            class,
            key,
            "is set",
            format!("VolumeSnapshotClass {} has a parameter that is refused: {key}", class.metadata.name),
        )
        .cause("Parameters below csi.storage.k8s.io/ are reserved, and no release knows this one. It may be misspelt.")
    });
    let findings: Vec<Finding> = references.chain(unknown).collect();
    let worst = findings.iter().map(|finding| finding.status).max()?;
    findings.into_iter().find(|finding| finding.status == worst)
}

fn judge(facts: &Facts, class: &VolumeSnapshotClass, reference: SecretReference<'_>) -> Finding {
    let class_name = class.metadata.name.as_str();
    match reference {
        SecretReference::Half { missing } => {
            let message = format!("VolumeSnapshotClass {class_name} names a secret by half: {missing} is missing");
            refused(class, &missing, "not set", message)
                .cause("Name and namespace of a secret belong together; the class is refused.")
        }
        SecretReference::Template { text, .. } => {
            Finding::new(Status::Skip, format!("the secret of {class_name} follows from each snapshot: {text}"))
        }
        SecretReference::Fixed { parameter, namespace, name } => {
            let exists = facts
                .class_secrets
                .seen()
                .into_iter()
                .flatten()
                .find(|secret| secret.namespace == namespace && secret.name == name);
            let secret = format!("secret {namespace}/{name} of VolumeSnapshotClass {class_name}");
            match exists.map(|secret| &secret.exists) {
                Some(Probe::Seen { value }) if **value => Finding::new(Status::Pass, format!("{secret} exists")),
                Some(Probe::Seen { .. }) => Finding::new(Status::Fail, format!("{secret} does not exist"))
                    .evidence(Evidence::cluster(
                        "VolumeSnapshotClass",
                        class_name,
                        &format!("parameters[{parameter}]"),
                        name,
                    ))
                    .evidence(Evidence::namespaced("Secret", namespace, name, "metadata.name", "not found"))
                    .cause("The csi-snapshotter reads it for every snapshot; without it none is made.")
                    .fix(fix_with(
                        Fix::text("Make the secret as the driver's documentation says, or correct the class."),
                        [namespace, name],
                        |[namespace, name]| {
                            kubectl("-n")
                                .word(namespace)
                                .words("create secret generic")
                                .word(name)
                                .words("--from-literal=KEY=VALUE")
                        },
                    )),
                Some(Probe::Forbidden { rule }) => Finding::new(
                    Status::Unknown,
                    format!("whether the {secret} exists: not allowed to look ({rule} in {namespace})"),
                ),
                Some(Probe::Failed { reason }) => {
                    Finding::new(Status::Unknown, format!("whether the {secret} exists: {reason}"))
                }
                Some(Probe::NotServed | Probe::NotCollected) | None => {
                    Finding::new(Status::Unknown, format!("whether the {secret} exists was not looked at"))
                }
            }
        }
    }
}

fn refused(class: &VolumeSnapshotClass, key: &str, value: &str, message: String) -> Finding {
    let name = class.metadata.name.as_str();
    Finding::new(Status::Fail, message)
        .evidence(Evidence::cluster("VolumeSnapshotClass", name, &format!("parameters[{key}]"), value))
        .fix(fix_with(
            Fix::text("Make the class anew with right parameters; they cannot be changed later."),
            [name],
            |[name]| kubectl("get volumesnapshotclass").word(name).words("-o yaml"),
        ))
}
