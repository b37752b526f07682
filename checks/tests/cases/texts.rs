//! Texts of real drivers (`tests/driver-texts.tsv`), as plain data: what is said of each, how soon, and what is not. The
//! embedded cluster replays the same table against the program.

use libtest_mimic::Trial;
use serde_json::{Value, json};
use snapready_checks::diagnosis::{Diagnosis, diagnose, timed_out};
use snapready_checks::model::object::ObjectName;
use snapready_checks::model::result::CheckResult;
use snapready_checks::model::round_trip::PodUser;
use snapready_checks::model::round_trip::StepId;
use snapready_checks::roundtrip::admission_allows::{Refusal, refused};

use crate::case::in_lines;
use crate::report;
use crate::round_trip::{Wait, in_words, with_driver};

const TABLE: &str = include_str!("../driver-texts.tsv");

/// A row: where a text comes from, and what it is to come to.
struct Row {
    name: &'static str,
    /// Who says it: the driver at a step, or a component of Kubernetes.
    place: &'static str,
    code: &'static str,
    text: String,
    check: &'static str,
    /// Seconds after which it is certain; `None`: it may pass.
    within: Option<u64>,
    says: Vec<&'static str>,
    silent: Vec<&'static str>,
}

/// One test for each text.
pub(crate) fn trials() -> impl Iterator<Item = Trial> {
    TABLE.lines().skip(1).map(|line| {
        let row = Row::read(line);
        Trial::test(format!("texts/{}", row.name), move || report(&row.wrong()))
    })
}

impl Row {
    fn read(line: &'static str) -> Self {
        let cells: Vec<&str> = line.split('\t').collect();
        let [name, place, code, text, check, within, says, silent, source] = cells[..] else { panic!("{line}") };
        assert!(!source.is_empty(), "{name} has no source");
        let parts = |cell: &'static str| cell.split("; ").filter(|part| !part.is_empty()).collect();
        let within = (within != "limit").then(|| within.parse().unwrap());
        Self { name, place, code, text: plain(text), check, within, says: parts(says), silent: parts(silent) }
    }

    fn wrong(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        let result = if self.place == "create" {
            in_words(refused(&Refusal {
                status: 403,
                reason: "Forbidden",
                message: &self.text,
                object: &ObjectName {
                    kind: "VolumeSnapshot".to_owned(),
                    namespace: Some("ns".to_owned()),
                    name: "snapshot".to_owned(),
                },
                own_namespace: true,
                user: PodUser::NonRoot,
            }))
        } else {
            let wait = self.wait(5);
            // Nothing is certain of the driver's first answer.
            if let Diagnosis::Certain(explanation) = self.wait(1).at(1, diagnose)
                && !self.code.is_empty()
            {
                wrong.push(format!("certain after a second: {}", in_words(*explanation).message));
            }
            match (wait.at(self.within.unwrap_or(3600), diagnose), self.within) {
                (Diagnosis::Certain(explanation), Some(_)) => in_words(*explanation),
                (Diagnosis::Certain(explanation), None) => {
                    wrong.push("certain, although it may pass".to_owned());
                    in_words(*explanation)
                }
                (Diagnosis::Waiting { .. }, within) => {
                    if within.is_some() {
                        wrong.push("not certain in time".to_owned());
                    }
                    in_words(wait.at(3600, timed_out))
                }
            }
        };
        wrong.extend(self.wrong_words(&result));
        wrong
    }

    fn wrong_words(&self, result: &CheckResult) -> Vec<String> {
        let mut wrong = Vec::new();
        if result.id != self.check {
            wrong.push(format!("{}, expected {}", result.id, self.check));
        }
        let said = format!("{}\n{}", result.cause.as_deref().unwrap_or_default(), in_lines(result.fix.as_ref()));
        let has = |part: &&&str| said.to_lowercase().contains(&part.to_lowercase());
        wrong.extend(self.says.iter().filter(|part| !has(part)).map(|part| format!("{said:?} lacks {part:?}")));
        wrong.extend(self.silent.iter().filter(has).map(|part| format!("{said:?} has {part:?}")));
        if self.within.is_some() && said.contains("likely: ") {
            wrong.push(format!("certain, and called likely: {said:?}"));
        }
        let shown: Vec<&String> = result.evidence.iter().map(|evidence| &evidence.value).collect();
        for text in shown.into_iter().chain([&result.message, &said]) {
            if text.chars().count() > 2000 || text.contains('\u{1b}') {
                wrong.push(format!("{} characters are shown: {text:.200}", text.chars().count()));
            }
        }
        if result.message.contains('\n') {
            wrong.push(format!("several lines: {}", result.message));
        }
        wrong
    }

    /// The step that waits, with the text as the sidecars and kubelets of Kubernetes wrap it.
    fn wait(&self, times: u64) -> Wait {
        let answer = format!("rpc error: code = {} desc = {}", self.code, self.text);
        let provisioning = || format!("failed to provision volume with StorageClass \"fast\": {answer}");
        let (step, mut objects) = match self.place {
            "provision" => (StepId::Provision, claim("source", &provisioning())),
            "provisioner" => (StepId::Provision, claim("source", &self.text)),
            "restore" => (StepId::Restore, claim("restored", &provisioning())),
            "restorer" => (StepId::Restore, claim("restored", &self.text)),
            "snapshot" => {
                let answer = quoted(&answer);
                let text = format!(
                    "Failed to check and update snapshot content: failed to take snapshot of the volume vol-1: {answer}"
                );
                (StepId::Snapshot, snapshot(Some(&text), None))
            }
            "content" => (StepId::Snapshot, snapshot(Some(&self.text), None)),
            "controller" => (StepId::Snapshot, snapshot(None, Some(&self.text))),
            "mount" => (StepId::Restore, pod(&format!("MountVolume.SetUp failed for volume \"pvc-1\" : {answer}"))),
            other => panic!("nothing comes from {other}"),
        };
        for event in objects.iter_mut().filter(|object| object["kind"] == "Event") {
            event["count"] = json!(times);
        }
        Wait { step, seconds: 0, cluster: with_driver(), earlier: None, objects, source_node: None }
    }
}

fn event(kind: &str, name: &str, reason: &str, message: &str) -> Value {
    json!({
        "kind": "Event", "type": "Warning", "reason": reason, "message": message,
        "involvedObject": { "kind": kind, "name": name },
    })
}

fn claim(name: &str, message: &str) -> Vec<Value> {
    vec![
        json!({
            "kind": "PersistentVolumeClaim", "status": { "phase": "Pending" },
            "metadata": { "name": name, "namespace": "snapready-7f3a9c" },
        }),
        event("PersistentVolumeClaim", name, "ProvisioningFailed", message),
    ]
}

/// The snapshot has the error of its content, or one that it has got itself.
fn snapshot(of_content: Option<&str>, own: Option<&str>) -> Vec<Value> {
    let metadata = json!({ "name": "snapshot", "namespace": "snapready-7f3a9c" });
    match (of_content, own) {
        (Some(message), _) => vec![
            json!({
                "kind": "VolumeSnapshot", "metadata": metadata,
                "status": {
                    "boundVolumeSnapshotContentName": "snapcontent-1", "readyToUse": false, "error": { "message": message },
                },
            }),
            json!({
                "kind": "VolumeSnapshotContent", "metadata": { "name": "snapcontent-1" },
                "spec": { "driver": "good.csi", "volumeSnapshotClassName": "gold" },
                "status": { "readyToUse": false, "error": { "message": message } },
            }),
            event("VolumeSnapshotContent", "snapcontent-1", "SnapshotContentCheckandUpdateFailed", message),
        ],
        (None, message) => vec![
            json!({
                "kind": "VolumeSnapshot", "metadata": metadata,
                "status": { "readyToUse": false, "error": { "message": message } },
            }),
            event("VolumeSnapshot", "snapshot", "SnapshotContentCreationFailed", message.unwrap_or_default()),
        ],
    }
}

fn pod(message: &str) -> Vec<Value> {
    vec![
        json!({
            "kind": "PersistentVolumeClaim", "status": { "phase": "Bound" },
            "metadata": { "name": "restored", "namespace": "snapready-7f3a9c" },
        }),
        json!({
            "kind": "Pod", "metadata": { "name": "reader", "namespace": "snapready-7f3a9c" },
            "status": { "phase": "Pending" },
        }),
        event("Pod", "reader", "FailedMount", message),
    ]
}

/// A text of the table: `\n`, `\t` and `\u001b` are such characters, `⟦x*3⟧` is `xxx`.
fn plain(text: &str) -> String {
    let text = text.replace("\\n", "\n").replace("\\t", "\t").replace("\\u001b", "\u{1b}");
    let Some((before, rest)) = text.split_once('⟦') else { return text };
    let (repeated, after) = rest.split_once('⟧').unwrap();
    let (part, times) = repeated.rsplit_once('*').unwrap();
    format!("{before}{}{after}", part.repeat(times.parse().unwrap()))
}

/// As Go's `%q`, for the characters of the table.
fn quoted(text: &str) -> String {
    let text = text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n").replace('\t', "\\t");
    format!("\"{}\"", text.replace('\u{1b}', "\\x1b"))
}

/// The table speaks of every place, and of all reported kinds at least once.
pub(crate) fn table() -> Vec<String> {
    let rows: Vec<Row> = TABLE.lines().skip(1).map(Row::read).collect();
    let mut wrong = Vec::new();
    for place in
        ["create", "provision", "provisioner", "snapshot", "content", "controller", "restore", "restorer", "mount"]
    {
        if !rows.iter().any(|row| row.place == place) {
            wrong.push(format!("no text from {place}"));
        }
    }
    if rows.iter().map(|row| row.text.len()).max() < Some(1 << 16) {
        wrong.push("no text has 64 KiB".to_owned());
    }
    let mut names: Vec<&str> = rows.iter().map(|row| row.name).collect();
    names.sort_unstable();
    names.dedup();
    if names.len() != rows.len() {
        wrong.push("two texts have one name".to_owned());
    }
    wrong
}
