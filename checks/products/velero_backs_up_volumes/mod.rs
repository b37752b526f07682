//! Whether Velero's `Schedules` back the volumes up, or leave some out without a word.

use wildmatch::WildMatch;

use crate::knowledge::control_plane::arguments::is_on;
use crate::model::check::{Check, Group, How, Severity};
use crate::model::facts::Facts;
use crate::model::finding::{Evidence, Finding, Findings, Fix, Status};
use crate::model::need::Need;
use crate::model::products::ProductObject;
use crate::model::volumes::PersistentVolumeClaim;
use crate::products::objects::{about, evidence, of_asked, place};
use crate::products::velero::server::{Server, servers};
use crate::products::velero::{EXCLUDED, INCLUDED, PRODUCT, SCHEDULE, SELECTORS, VOLUME_POLICY, is_inside};
use crate::text::words::plural;

/// See `doc.md`.
pub const CHECK: Check = Check {
    id: "SR618",
    slug: "velero-backs-up-volumes",
    title: "Velero's Schedules back up the volumes",
    group: Group::Products,
    severity: Severity::Warning,
    since: "0.2.0",
    needs: &[Need::ProductObjects, Need::PersistentVolumeClaims],
    uses: &[Need::Workloads, Need::MountedClaims],
    doc: include_str!("doc.md"),
    how: How::Looking(run),
};

fn run(facts: &Facts, findings: &mut Findings) {
    match of_asked(facts, &PRODUCT, is_inside, &SCHEDULE, findings) {
        Some([]) => {
            findings.skip("there is no Schedule; a backup that is made by hand says itself what it takes");
        }
        Some(schedules) => schedules.iter().for_each(|one| findings.push(judge(facts, one).target(place(one)))),
        None => {}
    }
}

/// Whether a `Schedule` has volumes snapshotted, and their files read: what it says itself, else the server.
struct Ways {
    snapshots: bool,
    files: bool,
}

fn ways(facts: &Facts, schedule: &ProductObject) -> Option<Ways> {
    let servers = servers(facts);
    let server = servers.iter().find(|server| Some(server.namespace()) == schedule.metadata.namespace.as_deref())?;
    let by_server = ["default-volumes-to-fs-backup", "default-volumes-to-restic"];
    let files = match schedule.one("spec.template.defaultVolumesToFsBackup") {
        Some(said) => said == "true",
        None => by_server.into_iter().any(|flag| is_on(server.container, flag)),
    };
    let enabled = Server::features(server)?.iter().any(|feature| feature == "EnableCSI");
    Some(Ways { snapshots: enabled && schedule.one("spec.template.snapshotVolumes") != Some("false"), files })
}

fn judge(facts: &Facts, schedule: &ProductObject) -> Finding {
    let name = place(schedule);
    if schedule.is_on("spec.paused") {
        return Finding::new(Status::Skip, format!("Schedule {name} is paused"));
    }
    if let Some(policy) = schedule.one(VOLUME_POLICY) {
        return Finding::new(
            Status::Skip,
            format!(
                "which volumes Schedule {name} leaves out, its volume policy says, ConfigMap {policy}; snapready does not read it"
            ),
        );
    }
    let Some(Ways { snapshots, files }) = ways(facts, schedule) else {
        return Finding::new(
            Status::Unknown,
            format!("how Schedule {name} backs up volumes cannot be told: the arguments of its Velero cannot be read"),
        );
    };
    match (snapshots, files) {
        (false, false) => Finding::new(Status::Warn, format!("the backups of Schedule {name} are without the data of CSI volumes"))
            .evidence(said(schedule, "spec.template.snapshotVolumes"))
            .evidence(said(schedule, "spec.template.defaultVolumesToFsBackup"))
            .cause("It neither has CSI volumes snapshotted nor reads their files, but for pods with the annotation backup.velero.io/backup-volumes; its backups are Completed all the same.")
            .fix(Fix::text("Leave snapshotVolumes out, or set defaultVolumesToFsBackup to true.").commands(about(&SCHEDULE, schedule, "edit"))),
        // Velero takes a snapshot of a claim whose files no pod lets it read.
        (true, _) => Finding::new(Status::Pass, format!("Schedule {name} has CSI volumes snapshotted")),
        (false, true) => unmounted(facts, schedule),
    }
}

/// Files are read through the pod that mounts a volume: where there is none, nobody reads them.
fn unmounted(facts: &Facts, schedule: &ProductObject) -> Finding {
    let name = place(schedule);
    let (Some(claims), Some(mounted)) = (facts.persistent_volume_claims.seen(), facts.mounted_claims.seen()) else {
        let message =
            format!("which claims the backups of Schedule {name} leave out cannot be told: pods could not be listed");
        return Finding::new(Status::Unknown, message);
    };
    let is_mounted = |claim: &PersistentVolumeClaim| {
        let namespace = claim.metadata.namespace.as_deref().unwrap_or_default();
        mounted.iter().any(|one| one.namespace == namespace && one.name == claim.metadata.name)
    };
    let mut left_out: Vec<&PersistentVolumeClaim> = claims
        .iter()
        .filter(|claim| claim.status.phase == "Bound" && takes(schedule, claim) && !is_mounted(claim))
        .collect();
    left_out.sort_by_key(|claim| (&claim.metadata.namespace, &claim.metadata.name));
    if left_out.is_empty() {
        return Finding::new(
            Status::Pass,
            format!("Schedule {name} reads the files of volumes, and pods mount all of them"),
        );
    }
    let selects = SELECTORS.iter().any(|path| schedule.one(path).is_some());
    let those = if selects { " of those that its labels select" } else { "" };
    let finding = Finding::new(
        Status::Warn,
        format!(
            "the backups of Schedule {name} are without {}{those} that no pod mounts",
            plural(left_out.len(), "claim")
        ),
    )
    .cause("It reads the files of a volume through the pod that mounts it, and has no snapshots taken.");
    let shown = left_out.iter().take(5).map(|claim| {
        let namespace = claim.metadata.namespace.as_deref().unwrap_or_default();
        Evidence::namespaced("PersistentVolumeClaim", namespace, &claim.metadata.name, "pods that mount it", "none")
    });
    shown.fold(finding, Finding::evidence).fix(
        Fix::text("Have CSI volumes snapshotted as well (--features=EnableCSI, and snapshotVolumes not false), or mount them while the backup runs.")
            .commands(about(&SCHEDULE, schedule, "edit")),
    )
}

/// Whether a claim lies in the namespaces that a `Schedule` is for.
fn takes(schedule: &ProductObject, claim: &PersistentVolumeClaim) -> bool {
    let namespace = claim.metadata.namespace.as_deref().unwrap_or_default();
    let names = |path: &str| schedule.all(path).iter().any(|pattern| WildMatch::new(pattern).matches(namespace));
    (schedule.all(INCLUDED).is_empty() || names(INCLUDED)) && !names(EXCLUDED)
}

fn said(schedule: &ProductObject, path: &str) -> Evidence {
    evidence(&SCHEDULE, schedule, path, schedule.one(path).unwrap_or("not set"))
}
