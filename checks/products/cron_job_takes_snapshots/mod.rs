//! Whether a `CronJob` that takes snapshots by a script can do so: API version, class and rights.

use crate::knowledge::rights::rbac::{Account, Objects, Rbac, Request};
use crate::model::check::{Check, Group, How, Severity};
use crate::model::command::kubectl;
use crate::model::facts::{AccountQuestion, Facts};
use crate::model::finding::{Evidence, Finding, Findings, Fix, Status};
use crate::model::need::{Need, Rule};
use crate::model::object::SNAPSHOT_GROUP;
use crate::model::products::ProductObject;
use crate::products::kyma::{ACCOUNT, ARGUMENTS, COMMAND, CRON_JOB, PRODUCT};
use crate::products::objects::{about, evidence, objects, of_asked, place};
use crate::text::names::is_object_name;

/// See `doc.md`.
pub const CHECK: Check = Check {
    id: "SR616",
    slug: "cron-job-takes-snapshots",
    title: "The CronJob that takes snapshots can do so",
    group: Group::Products,
    severity: Severity::Error,
    since: "0.2.0",
    needs: &[Need::ProductObjects],
    uses: &[
        Need::Workloads,
        Need::SnapshotApis,
        Need::VolumeSnapshotClasses,
        Need::Roles,
        Need::RoleBindings,
        Need::AccountReviews,
    ],
    doc: include_str!("doc.md"),
    how: How::Looking(run),
};

const SNAPSHOTS: &str = "volumesnapshots";
/// What the script of Kyma's documentation does with `VolumeSnapshots`.
const VERBS: [&str; 4] = ["create", "get", "list", "delete"];

fn run(facts: &Facts, findings: &mut Findings) {
    match of_asked(facts, &PRODUCT, |product| *product == PRODUCT, &CRON_JOB, findings) {
        Some([]) => findings.skip("no CronJob that speaks of VolumeSnapshots is visible"),
        Some(jobs) => jobs.iter().for_each(|job| findings.push(judge(facts, job).target(place(job)))),
        None => {}
    }
}

fn judge(facts: &Facts, job: &ProductObject) -> Finding {
    let place = place(job);
    if job.is_on("spec.suspend") {
        return Finding::new(Status::Warn, format!("CronJob {place} is suspended: it takes no snapshots"))
            .evidence(evidence(&CRON_JOB, job, "spec.suspend", "true"))
            .cause("Somebody has stopped it.")
            .fix(Fix::text("Set spec.suspend to false.").commands(about(
                &CRON_JOB,
                job,
                "patch --type=merge -p {\"spec\":{\"suspend\":false}}",
            )));
    }
    let script = [job.all(COMMAND), job.all(ARGUMENTS)].concat().join("\n");
    let version = words_after(&script, "snapshot.storage.k8s.io/").into_iter().find(|version| {
        version.starts_with('v') && facts.snapshot_apis.seen().is_some_and(|apis| !apis.serves(SNAPSHOT_GROUP, version))
    });
    if let Some(version) = version {
        let finding = Finding::new(
            Status::Fail,
            format!(
                "the script of CronJob {place} speaks {version} of the snapshot API, which this cluster does not serve"
            ),
        )
        .evidence(evidence(&CRON_JOB, job, "script", format!("snapshot.storage.k8s.io/{version}")));
        if version == "v1" {
            return finding
                .cause("The snapshot CRDs are missing or too old.")
                .fix(
                    Fix::text("Install the snapshot CRDs.")
                        .command(kubectl("get crd volumesnapshots.snapshot.storage.k8s.io")),
                )
                .follows_from("SR102", None)
                .follows_from("SR104", None);
        }
        return finding
            .cause("v1beta1 is gone since the CRDs of 6.0; the script was written for older ones.")
            .fix(Fix::text("Write snapshot.storage.k8s.io/v1 in the script.").commands(about(&CRON_JOB, job, "edit")));
    }
    let class = words_after(&script, "volumeSnapshotClassName:").into_iter().next();
    if let (Some(class), Some(classes)) =
        (class.filter(|class| is_object_name(class)), facts.volume_snapshot_classes.seen())
        && !classes.iter().any(|known| known.metadata.name == class)
    {
        return Finding::new(
            Status::Fail,
            format!("the script of CronJob {place} names VolumeSnapshotClass {class}, which does not exist"),
        )
        .evidence(evidence(&CRON_JOB, job, "script", format!("volumeSnapshotClassName: {class}")))
        .cause("A snapshot of a class that does not exist never becomes ready.")
        .fix(Fix::text("Name a class that exists.").commands(about(&CRON_JOB, job, "edit")));
    }
    rights(facts, job)
}

/// What RBAC does not grant the accounts of these jobs, to ask about.
pub(super) fn questions(facts: &Facts) -> Vec<AccountQuestion> {
    let (Some(rbac), Ok(jobs)) = (Rbac::of(facts), objects(facts, &PRODUCT, &CRON_JOB)) else { return Vec::new() };
    let of_job = |job| {
        let account = account(job);
        let rule = |verb: &'static str| Rule::new(SNAPSHOT_GROUP, SNAPSHOTS, &[verb]);
        denied(&rbac, account).into_iter().map(move |verb| AccountQuestion {
            account_namespace: account.namespace.to_owned(),
            account_name: account.name.to_owned(),
            rule: rule(verb),
            namespace: Some(account.namespace.to_owned()),
        })
    };
    jobs.iter().flat_map(of_job).collect()
}

fn account(job: &ProductObject) -> Account<'_> {
    let namespace = job.metadata.namespace.as_deref().unwrap_or_default();
    Account { namespace, name: job.one(ACCOUNT).unwrap_or("default") }
}

fn request<'a>(account: Account<'a>, verb: &'a str) -> Request<'a> {
    let namespace = Some(account.namespace);
    Request { verb, group: SNAPSHOT_GROUP, resource: SNAPSHOTS, namespace, objects: Objects::Some }
}

/// The verbs that an account lacks in its namespace.
fn denied(rbac: &Rbac<'_>, account: Account<'_>) -> Vec<&'static str> {
    VERBS.into_iter().filter(|verb| !rbac.allows(account, request(account, verb))).collect()
}

fn rights(facts: &Facts, job: &ProductObject) -> Finding {
    let place = place(job);
    let account = account(job);
    let namespace = account.namespace;
    let Some(rbac) = Rbac::of(facts) else {
        return Finding::new(
            Status::Unknown,
            format!(
                "whether ServiceAccount {namespace}/{} of CronJob {place} may take snapshots cannot be told: roles were not read",
                account.name
            ),
        );
    };
    let denied = denied(&rbac, account);
    if denied.is_empty() {
        // What RBAC does not grant, another authorizer may.
        let who = if rbac.is_helped(account) { "RBAC with another authorizer lets" } else { "RBAC lets" };
        return Finding::new(Status::Pass, format!("{who} CronJob {place} take snapshots in {namespace}"))
            .evidence(Evidence::namespaced("ServiceAccount", namespace, account.name, "RBAC", VERBS.join(", ")));
    }
    let named = is_object_name(namespace) && is_object_name(account.name);
    let asked = denied.first().filter(|verb| rbac.answer(account, request(account, verb)) == Some(false));
    let asked = asked.map(|verb| {
        let value = format!("{verb} {SNAPSHOTS}.{SNAPSHOT_GROUP}: denied");
        Evidence::cluster("SubjectAccessReview", &account.user(), "status.allowed", value)
    });
    let finding = Finding::new(
        Status::Fail,
        format!(
            "RBAC grants ServiceAccount {namespace}/{} of CronJob {place} no {} on volumesnapshots",
            account.name,
            denied.join(", ")
        ),
    )
    .evidence(Evidence::namespaced(
        "ServiceAccount",
        namespace,
        account.name,
        "RBAC",
        format!("no rule for {}", denied.join(", ")),
    ));
    asked
        .into_iter()
        .fold(finding, Finding::evidence)
        .cause("No role that is bound to it in this namespace grants that.")
        .fix(Fix::text("Grant it with a Role and a RoleBinding.").commands(named.then_some(()).into_iter().flat_map(
            |()| {
                let verbs = VERBS.join(",");
                [
                    kubectl("-n")
                        .word(namespace)
                        .words("create role volume-snapshotter --resource=volumesnapshots.snapshot.storage.k8s.io")
                        .word(format!("--verb={verbs}")),
                    kubectl("-n")
                        .word(namespace)
                        .words("create rolebinding volume-snapshotter --role=volume-snapshotter")
                        .word(format!("--serviceaccount={namespace}:{}", account.name)),
                ]
            },
        )))
}

/// The words that follow a text.
fn words_after<'a>(script: &'a str, text: &str) -> Vec<&'a str> {
    let word = |rest: &'a str| {
        let rest = rest.trim_start_matches([' ', '"', '\'']);
        rest.split(|c: char| !(c.is_ascii_alphanumeric() || "-.".contains(c))).next().unwrap_or_default()
    };
    script.split(text).skip(1).map(word).filter(|word| !word.is_empty()).collect()
}
