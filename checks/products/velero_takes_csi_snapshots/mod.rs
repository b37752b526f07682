//! Whether Velero's server is set up to take CSI snapshots.

use crate::knowledge::products::table::{Product, Rule};
use crate::knowledge::products::velero::{Server, servers};
use crate::knowledge::version::Version;
use crate::model::check::{Check, Group, How, Severity};
use crate::model::command::{Command, kubectl};
use crate::model::facts::Facts;
use crate::model::finding::{Evidence, Finding, Findings, Fix, Status};
use crate::model::need::Need;
use crate::text::names::is_object_name;

/// See `doc.md`.
pub const CHECK: Check = Check {
    id: "SR611",
    slug: "velero-takes-csi-snapshots",
    title: "Velero is set up to take CSI snapshots",
    group: Group::Products,
    severity: Severity::Error,
    since: "0.2.0",
    needs: &[Need::Workloads],
    uses: &[],
    doc: include_str!("doc.md"),
    how: How::Looking(run),
};

/// Plugin releases by Velero's (velero-plugin-for-csi README, "Compatibility").
const PAIRS: [((u32, u32), u32); 6] =
    [((1, 8), 2), ((1, 9), 3), ((1, 10), 4), ((1, 11), 5), ((1, 12), 6), ((1, 13), 7)];

fn run(facts: &Facts, findings: &mut Findings) {
    if !Product::asked(facts).iter().any(|product| product.rule == Rule::Velero) {
        findings.skip("Velero was not named: --for velero");
        return;
    }
    let servers = servers(facts);
    if servers.is_empty() {
        findings.skip("no Deployment of Velero is visible: it is not installed, or runs elsewhere");
        return;
    }
    for server in servers {
        findings.push(look(&server).target(server.place()));
    }
}

fn look(server: &Server<'_>) -> Finding {
    let place = server.place();
    let metadata = &server.workload.metadata;
    let namespace = metadata.namespace.as_deref().unwrap_or_default();
    let seen = |path: &str, value: String| Evidence::namespaced("Deployment", namespace, &metadata.name, path, value);
    let edit = || -> Option<Command> {
        [namespace, &metadata.name]
            .into_iter()
            .all(is_object_name)
            .then(|| kubectl("-n").word(namespace).words("edit deployment").word(metadata.name.as_str()))
    };
    let args = || seen("spec.template.spec.containers[].args", server.container.args.join(" "));
    let image = || seen("spec.template.spec.containers[].image", server.container.image.clone());
    if server.workload.status.ready_replicas == 0 {
        let wanted = server.workload.spec.replicas.unwrap_or(1);
        return Finding::new(Status::Fail, format!("Velero of {place} is not ready: 0/{wanted}"))
            .evidence(seen("status.readyReplicas", "0".to_owned()))
            .cause("Without its server no backup is made.")
            .fix(
                Fix::text("Look at the events and the log of its pods.").commands(
                    is_object_name(namespace).then(|| kubectl("-n").word(namespace).words("get pods -o wide")),
                ),
            );
    }
    if !server.features().iter().any(|feature| feature == "EnableCSI") {
        return Finding::new(
            Status::Fail,
            format!("Velero of {place} takes no CSI snapshots: its server lacks --features=EnableCSI"),
        )
        .evidence(args())
        .cause(
            "Without it Velero leaves CSI volumes out of its snapshots, and its backup is \"Completed\" all the same.",
        )
        .fix(Fix::text("Add --features=EnableCSI to the arguments of container velero.").commands(edit()));
    }
    let Some(version) = server.version() else {
        return Finding::new(
            Status::Skip,
            format!("the image of {place} names no version of Velero's: {}", server.container.image),
        )
        .evidence(image());
    };
    match (server.csi_plugin(), pair(version)) {
        (Some(plugin), _) if version >= Version::new(1, 14, 0) => Finding::new(
            Status::Fail,
            format!("Velero {version} of {place} has velero-plugin-for-csi, which is built in since 1.14"),
        )
        .evidence(seen("spec.template.spec.initContainers[].image", plugin.image.clone()))
        .cause("The server does not start with both, or takes the old plugin's actions beside its own.")
        .fix(Fix::text("Remove the init container velero-plugin-for-csi.").commands(edit())),
        (None, Some(minor)) => Finding::new(
            Status::Fail,
            format!("Velero {version} of {place} lacks velero-plugin-for-csi"),
        )
        .evidence(image())
        .cause("Until 1.13 the CSI support is a plugin that an init container copies.")
        .fix(
            Fix::text(format!(
                "Add the plugin of release 0.{minor}: velero plugin add velero/velero-plugin-for-csi:v0.{minor}.0"
            ))
            .commands(edit()),
        ),
        (Some(plugin), Some(minor)) => match plugin_version(&plugin.image) {
            Some(found) if found.minor != minor => Finding::new(
                Status::Warn,
                format!("Velero {version} of {place} has velero-plugin-for-csi {found}; 0.{minor} belongs to it"),
            )
            .evidence(seen("spec.template.spec.initContainers[].image", plugin.image.clone()))
            .cause("Other pairs are not tested together.")
            .fix(Fix::text(format!("Use velero/velero-plugin-for-csi:v0.{minor}.0.")).commands(edit())),
            _ => pass(server, version).evidence(args()),
        },
        _ => pass(server, version).evidence(args()),
    }
}

fn pass(server: &Server<'_>, version: Version) -> Finding {
    Finding::new(Status::Pass, format!("{} {version}, EnableCSI", server.place()))
}

fn pair(version: Version) -> Option<u32> {
    PAIRS
        .iter()
        .find(|((major, minor), _)| (version.major, version.minor) == (*major, *minor))
        .map(|(_, plugin)| *plugin)
}

fn plugin_version(image: &str) -> Option<Version> {
    Version::parse(image.rsplit_once(':')?.1)
}
