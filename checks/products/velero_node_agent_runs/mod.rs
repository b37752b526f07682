//! Whether Velero's node-agent runs where somebody needs it.

use crate::knowledge::control_plane::arguments::is_on;
use crate::model::check::{Check, Group, How, Severity};
use crate::model::command::kubectl;
use crate::model::facts::Facts;
use crate::model::finding::{Evidence, Finding, Findings, Fix, Status};
use crate::model::kubernetes::Workload;
use crate::model::need::Need;
use crate::products::asked_about;
use crate::products::objects::{objects, place};
use crate::products::product::Product;
use crate::products::velero::server::{Server, agents, servers};
use crate::products::velero::{PRODUCT, SCHEDULE, is_inside};
use crate::text::names::is_object_name;
use crate::text::words::list;

/// See `doc.md`.
pub const CHECK: Check = Check {
    id: "SR613",
    slug: "velero-node-agent-runs",
    title: "Velero's node-agent runs where backups need it",
    group: Group::Products,
    severity: Severity::Error,
    since: "0.2.0",
    needs: &[Need::Workloads],
    uses: &[Need::ProductObjects],
    doc: include_str!("doc.md"),
    how: How::Looking(run),
};

fn run(facts: &Facts, findings: &mut Findings) {
    let Some(product) = asked_about(facts, &PRODUCT, is_inside, findings) else { return };
    let servers = servers(facts);
    if servers.is_empty() {
        findings.skip("no Deployment of Velero is visible: it is not installed, or runs elsewhere");
        return;
    }
    for server in servers {
        findings.push(look(facts, product, &server).target(server.place()));
    }
}

/// What asks for the node-agent; why it is not known otherwise.
fn users(facts: &Facts, product: &Product, server: &Server<'_>) -> Result<Vec<String>, Box<Finding>> {
    let mut users: Vec<String> =
        ["default-volumes-to-fs-backup", "default-snapshot-move-data", "default-volumes-to-restic"]
            .into_iter()
            .filter(|flag| is_on(server.container, flag))
            .map(|flag| format!("--{flag} of the server"))
            .collect();
    let schedules = objects(facts, product, &SCHEDULE)?;
    for schedule in schedules {
        let here = schedule.metadata.namespace.as_deref() == Some(server.namespace());
        let asks = schedule.is_on("spec.template.snapshotMoveData")
            || schedule.is_on("spec.template.defaultVolumesToFsBackup");
        if here && asks && !schedule.is_on("spec.paused") {
            users.push(format!("Schedule {}", place(schedule)));
        }
    }
    Ok(users)
}

fn look(facts: &Facts, product: &Product, server: &Server<'_>) -> Finding {
    let namespace = server.namespace();
    let place = server.place();
    let agents = agents(facts, namespace);
    let users = users(facts, product, server);
    // One for Windows has no node to run on where there is none; all of them together have.
    let nowhere = agents.iter().all(|agent| agent.status.desired_number_scheduled == 0);
    let lacks = |agent: &&&Workload| nowhere || agent.status.number_ready < agent.status.desired_number_scheduled;
    let missing: Vec<&&Workload> = agents.iter().filter(lacks).collect();
    let get = || is_object_name(namespace).then(|| kubectl("-n").word(namespace).words("get daemonsets,pods -o wide"));
    let seen = |agent: &Workload| {
        let ready = format!("{} of {}", agent.status.number_ready, agent.status.desired_number_scheduled);
        Evidence::namespaced("DaemonSet", namespace, &agent.metadata.name, "status.numberReady", ready)
    };
    match (agents.as_slice(), users) {
        ([], Err(unseen)) if unseen.status == Status::Unknown => *unseen,
        ([], Ok(users)) if !users.is_empty() => Finding::new(
            Status::Fail,
            format!("Velero of {place} has no node-agent, which {} needs", list(users.iter().map(String::as_str))),
        )
        .evidence(Evidence::namespaced(
            "Deployment",
            namespace,
            &server.workload.metadata.name,
            "metadata.namespace",
            namespace,
        ))
        .cause("Data is moved, and files of volumes are read, by a pod of node-agent on each node.")
        .fix(
            Fix::text("Install it: velero install --use-node-agent, or deployNodeAgent: true of the chart.")
                .commands(get()),
        ),
        ([], _) => Finding::new(
            Status::Skip,
            format!("nothing that is visible asks Velero of {place} to move data or to read files of volumes"),
        ),
        (_, users) if !missing.is_empty() => {
            let names: Vec<&str> = missing.iter().map(|agent| agent.metadata.name.as_str()).collect();
            let needed = users.is_ok_and(|users| !users.is_empty());
            let finding = Finding::new(
                if needed { Status::Fail } else { Status::Warn },
                format!("{} of {namespace} is not ready on every node", list(names)),
            )
            .cause("Volumes on those nodes are not moved and not read: their part of the backup fails.")
            .fix(Fix::text("Look at the pods that are not ready.").commands(get()));
            missing.iter().fold(finding, |finding, agent| finding.evidence(seen(agent)))
        }
        (agents, _) => {
            let finding = Finding::new(
                Status::Pass,
                format!("{} of {namespace} is ready", list(agents.iter().map(|agent| agent.metadata.name.as_str()))),
            );
            agents.iter().fold(finding, |finding, agent| finding.evidence(seen(agent)))
        }
    }
}
