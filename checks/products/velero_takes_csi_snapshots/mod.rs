//! Whether Velero's server is set up to take CSI snapshots.

mod plugin;

use crate::knowledge::version::Version;
use crate::model::check::{Check, Group, How, Severity};
use crate::model::command::{Command, kubectl};
use crate::model::facts::{Facts, SnapshotApis};
use crate::model::finding::{Evidence, Finding, Findings, Fix, Status};
use crate::model::need::Need;
use crate::model::object::SNAPSHOT_GROUP;
use crate::products::asked_about;
use crate::products::velero::server::{Server, servers};
use crate::products::velero::{PRODUCT, is_inside};
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
    uses: &[Need::SnapshotApis],
    doc: include_str!("doc.md"),
    how: How::Looking(run),
};

/// The first release that speaks v1 of the snapshot API; those before it speak v1beta1.
const SPEAKS_V1: Version = Version::new(1, 9, 0);

fn run(facts: &Facts, findings: &mut Findings) {
    if asked_about(facts, &PRODUCT, is_inside, findings).is_none() {
        return;
    }
    let servers = servers(facts);
    if servers.is_empty() {
        findings.skip("no Deployment of Velero is visible: it is not installed, or runs elsewhere");
        return;
    }
    for server in servers {
        findings.push(look(&server, facts.snapshot_apis.seen()).target(server.place()));
    }
}

/// What evidence and fixes of a server share.
struct About<'a> {
    server: &'a Server<'a>,
    namespace: &'a str,
    name: &'a str,
}

impl About<'_> {
    fn seen(&self, path: &str, value: impl Into<String>) -> Evidence {
        Evidence::namespaced("Deployment", self.namespace, self.name, path, value)
    }

    fn args(&self) -> Evidence {
        self.seen("spec.template.spec.containers[].args", self.server.container.args.join(" "))
    }

    fn image(&self) -> Evidence {
        self.seen("spec.template.spec.containers[].image", self.server.container.image.clone())
    }

    fn command(&self, command: impl FnOnce(Command) -> Command) -> Option<Command> {
        let named = is_object_name(self.namespace) && is_object_name(self.name);
        named.then(|| command(kubectl("-n").word(self.namespace)))
    }

    fn edit(&self) -> Option<Command> {
        self.command(|kubectl| kubectl.words("edit deployment").word(self.name))
    }
}

fn look(server: &Server<'_>, apis: Option<&SnapshotApis>) -> Finding {
    let place = server.place();
    let metadata = &server.workload.metadata;
    let about =
        About { server, namespace: metadata.namespace.as_deref().unwrap_or_default(), name: metadata.name.as_str() };
    if let Some(finding) = does_not_run(&about) {
        return finding;
    }
    let Some(features) = server.features() else {
        return Finding::new(
            Status::Unknown,
            format!("whether Velero of {place} takes CSI snapshots cannot be told: its arguments come from a shell or a variable"),
        )
        .evidence(about.args());
    };
    if !features.iter().any(|feature| feature == "EnableCSI") {
        return Finding::new(
            Status::Fail,
            format!("Velero of {place} takes no CSI snapshots: its server lacks --features=EnableCSI"),
        )
        .evidence(about.args())
        .cause(
            "Without it Velero leaves CSI volumes out of its snapshots, and its backup is \"Completed\" all the same.",
        )
        .fix(Fix::text("Add --features=EnableCSI to the arguments of container velero.").commands(about.edit()));
    }
    let Some(version) = server.version() else {
        return Finding::new(
            Status::Unknown,
            format!(
                "whether Velero of {place} has the plugin that its release needs cannot be told: its image names no release of Velero: {}",
                server.container.image
            ),
        )
        .evidence(about.image());
    };
    let speaks = if version < SPEAKS_V1 { "v1beta1" } else { "v1" };
    if apis.is_some_and(|apis| !apis.serves(SNAPSHOT_GROUP, speaks)) {
        let finding = Finding::new(
            Status::Fail,
            format!(
                "Velero {version} of {place} speaks {speaks} of the snapshot API, which this cluster does not serve"
            ),
        )
        .evidence(about.image())
        .cause("Releases before 1.9 speak v1beta1, later ones v1.")
        .fix(
            Fix::text(if speaks == "v1" { "Install the snapshot CRDs." } else { "Upgrade Velero to 1.14 or later." })
                .command(
                    kubectl("get crd volumesnapshots.snapshot.storage.k8s.io -o")
                        .word("jsonpath={.spec.versions[*].name}"),
                ),
        );
        // A cluster without v1 is told about by its own checks.
        return if speaks == "v1" { finding.follows_from("SR102", None).follows_from("SR104", None) } else { finding };
    }
    plugin::judge(&about, version)
}

/// Without its server no backup is made.
fn does_not_run(about: &About<'_>) -> Option<Finding> {
    let (place, workload) = (about.server.place(), about.server.workload);
    if workload.status.ready_replicas > 0 {
        return None;
    }
    let wanted = workload.spec.replicas.unwrap_or(1);
    let finding = if wanted == 0 {
        Finding::new(Status::Fail, format!("Velero of {place} is scaled to 0"))
            .evidence(about.seen("spec.replicas", "0"))
            .fix(
                Fix::text("Scale it to 1.")
                    .commands(about.command(|kubectl| kubectl.words("scale --replicas=1 deployment").word(about.name))),
            )
    } else {
        Finding::new(Status::Fail, format!("Velero of {place} is not ready: 0/{wanted}"))
            .evidence(about.seen("status.readyReplicas", "0"))
            .fix(
                Fix::text("Look at the events and the log of its pods.")
                    .commands(about.command(|kubectl| kubectl.words("get pods -o wide"))),
            )
    };
    Some(finding.cause("Without its server no backup is made."))
}
