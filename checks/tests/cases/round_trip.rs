//! The cases of the round trip's checks: what was seen while a step waited, or at its end, and what follows.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};
use snapready_checks::diagnosis::{Diagnosis, RULES, diagnose, timed_out};
use snapready_checks::knowledge::growth::Point;
use snapready_checks::model::chain::{Chain, Event};
use snapready_checks::model::check::Check;
use snapready_checks::model::command::Command;
use snapready_checks::model::finding::Status;
use snapready_checks::model::nulls;
use snapready_checks::model::object::ObjectName;
use snapready_checks::model::result::CheckResult;
use snapready_checks::model::round_trip::{DataVerdict, Origin, PodUser, StepId, VolumeMode};
use snapready_checks::moment::{Explanation, Moment, Subject};
use snapready_checks::products::round_trip_is_in_time::{Times, in_time};
use snapready_checks::products::round_trip_rehearses::{Done, rehearsed};
use snapready_checks::roundtrip::CHECKS;
use snapready_checks::roundtrip::admission_allows::{NoRoom, Refusal, no_room, refused};
use snapready_checks::roundtrip::data_intact::compared;
use snapready_checks::roundtrip::device_denied::{Admitted, Denied, Device, denied};
use snapready_checks::roundtrip::everything_removed::{StuckObject, stuck};
use snapready_checks::roundtrip::round_trip::vanished;
use snapready_checks::roundtrip::write_succeeds::{Blame, not_written};

use crate::case::{in_lines, read as read_case};
use crate::cluster::Cluster;
use crate::judge::{hostile_commands, read, with_one_hostile_text};
use crate::{entries, judge, of_round_trip, root};

/// A file of `cases/`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Case {
    #[serde(flatten)]
    pub(crate) moment: What,
    pub(crate) expect: Expected,
}

/// What happened.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum What {
    /// A step waits.
    Wait(Box<Wait>),
    /// The API server refused a create.
    Refusal { status: u16, reason: String, message: String, object: ObjectName, user: Option<PodUser> },
    /// An object does not go away.
    #[serde(rename_all = "camelCase")]
    Stuck {
        object: ObjectName,
        deletion_timestamp: Option<String>,
        #[serde(default)]
        finalizers: Vec<String>,
        #[serde(default)]
        being_created: bool,
        error: Option<String>,
    },
    /// An object was deleted by somebody else.
    Vanished { step: StepId, object: ObjectName },
    /// The restored data was compared.
    Compared(DataVerdict),
    /// The writer's report is not good enough.
    #[serde(rename_all = "camelCase")]
    Written { blame: String, text: String, volume_mode: Option<VolumeMode> },
    /// A pod cannot open its device.
    #[serde(rename_all = "camelCase")]
    Device {
        text: String,
        user: PodUser,
        /// What was refused before.
        #[serde(default)]
        refused: Vec<RefusedUser>,
        #[serde(default)]
        own_namespace: bool,
    },
    /// A quota has no room, as is known beforehand.
    #[serde(rename_all = "camelCase")]
    NoRoom { resource: String, hard: u64, free: u64, needed: u64, in_bytes: bool },
    /// Plain round trips that passed, with backup products that wait.
    Measured(Box<Measured>),
    /// Round trips that were made, with a backup product that does the same.
    Rehearsed(Box<Rehearsed>),
}

/// What came of round trips, and the mode whose finding counts.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rehearsed {
    cluster: Cluster,
    mode: String,
    done: Vec<Trip>,
}

/// What came of a round trip of the StorageClass `fast`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Trip {
    mode: String,
    snapshot_class: String,
    status: Status,
    data: Option<DataVerdict>,
    diagnosis: Option<String>,
}

impl Rehearsed {
    fn wrong(&self, expected: &Expected, check: &Check) -> Vec<String> {
        let done = |trip: &Trip| Done {
            label: format!("fast → {}, Filesystem, {}", trip.snapshot_class, trip.mode),
            mode: trip.mode.clone(),
            storage_class: "fast".to_owned(),
            snapshot_class: Some(trip.snapshot_class.clone()),
            status: trip.status,
            data: trip.data,
            diagnosis: trip.diagnosis.clone().map(|id| (id, None)),
        };
        let done: Vec<Done> = self.done.iter().map(done).collect();
        let found = rehearsed(&read(self.cluster.facts()), &done);
        let mut of_mode = found.into_iter().filter(|finding| {
            finding.target.as_deref().and_then(|target| target.split(' ').next_back()) == Some(self.mode.as_str())
        });
        match of_mode.next() {
            None if expected.nothing => Vec::new(),
            None => vec!["nothing was found".to_owned()],
            Some(finding) => differences(&CheckResult::of(check, finding), expected, check),
        }
    }
}

/// What plain round trips of a `StorageClass` took: GiB and seconds.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Measured {
    cluster: Cluster,
    #[serde(default)]
    snapshots: Vec<(u64, u64)>,
    #[serde(default)]
    restores: Vec<(u64, u64)>,
}

impl Measured {
    /// What is found about that; `None` if nothing is.
    fn found(&self, check: &Check, cluster: Value) -> Option<CheckResult> {
        let points = |measured: &[(u64, u64)]| {
            let point = |(gib, seconds): &(u64, u64)| Point { bytes: gib << 30, milliseconds: seconds * 1_000 };
            measured.iter().map(point).collect()
        };
        let times = Times {
            label: "fast → default class, Filesystem".to_owned(),
            storage_class: "fast".to_owned(),
            snapshots: points(&self.snapshots),
            restores: points(&self.restores),
        };
        let mut found = in_time(&read(cluster), &[times]);
        assert!(found.len() < 2, "a case is about one product and one step: {found:#?}");
        Some(CheckResult::of(check, found.pop()?))
    }

    fn wrong(&self, expected: &Expected, check: &Check) -> Vec<String> {
        let cluster = self.cluster.facts();
        let Some(result) = self.found(check, cluster.clone()) else {
            return if expected.nothing { Vec::new() } else { vec!["nothing was found".to_owned()] };
        };
        let mut wrong = differences(&result, expected, check);
        let hostile = with_one_hostile_text(&cluster).into_iter().filter_map(|facts| self.found(check, facts)?.fix);
        wrong.extend(hostile.flat_map(hostile_commands));
        wrong
    }
}

/// An object that was refused with pods that run as another user.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RefusedUser {
    kind: String,
    message: String,
}

/// A step that waits.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Wait {
    pub(crate) step: StepId,
    /// Since the step began, and since its pod was seen.
    pub(crate) seconds: u64,
    /// The cluster; with the driver's `CSIDriver` object if not given.
    #[serde(default = "with_driver")]
    pub(crate) cluster: Cluster,
    /// Its control plane in an earlier look, ten seconds before.
    pub(crate) earlier: Option<Cluster>,
    /// The step's objects, and events.
    pub(crate) objects: Vec<Value>,
    /// The node of the pod that used the source.
    pub(crate) source_node: Option<String>,
}

pub(crate) fn with_driver() -> Cluster {
    let driver = json!({ "objects": [{ "kind": "CSIDriver", "metadata": { "name": "good.csi" } }] });
    serde_json::from_value(driver).unwrap()
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Expected {
    /// The rule that holds; none if it is waited for.
    pub(crate) rule: Option<String>,
    /// Rules that would hold as well, and are asked later.
    #[serde(default)]
    pub(crate) also: Vec<String>,
    /// Whether the rule does not hold a second earlier.
    #[serde(default)]
    not_before: bool,
    /// The check that reports it; the folder's if not given.
    check: Option<String>,
    status: Option<Status>,
    /// What is waited for.
    #[serde(default)]
    waiting: Vec<String>,
    #[serde(default)]
    message: Vec<String>,
    #[serde(default)]
    cause: Vec<String>,
    /// Parts of the fix; advice stands in it by its name.
    #[serde(default)]
    fix: Vec<String>,
    #[serde(default)]
    without: Vec<String>,
    /// Whether nothing is to be found.
    #[serde(default)]
    nothing: bool,
}

/// All cases.
pub(crate) fn cases() -> impl Iterator<Item = Case> {
    let files = of_round_trip().flat_map(|check| entries(&root().join(judge::folder(check)).join("cases")));
    files.map(|file: PathBuf| read_case(&file))
}

/// All that has to hold for a case of a check.
pub(crate) fn case(check: &Check, file: &Path) -> Vec<String> {
    read_case::<Case>(file).wrong(check)
}

fn subject(volume_mode: VolumeMode) -> Subject {
    Subject {
        label: "fast → default class, Filesystem".to_owned(),
        storage_class: "fast".to_owned(),
        driver: Some("good.csi".to_owned()),
        snapshot_class: None,
        volume_mode,
        origin: Origin::default(),
    }
}

/// Advice as its own name.
pub(crate) fn in_words(explanation: Explanation) -> CheckResult {
    explanation.result(|advice| Some(Command::read(format!("{advice:?}"))))
}

impl Wait {
    /// Calls a function with the moment, `seconds` into the step.
    pub(crate) fn at<T>(&self, seconds: u64, then: impl FnOnce(&Moment<'_>) -> T) -> T {
        self.with(self.cluster.facts(), &self.objects, seconds, then)
    }

    fn with<T>(&self, cluster: Value, objects: &[Value], seconds: u64, then: impl FnOnce(&Moment<'_>) -> T) -> T {
        let mut facts = read(cluster);
        let earlier = self.earlier.as_ref().map(|earlier| {
            let latest = facts.clone();
            let earlier = read(earlier.facts());
            (facts.pods, facts.workloads) = (earlier.pods, earlier.workloads);
            facts.look_again(latest, Duration::from_secs(10))
        });
        let of = |kind: &str| objects.iter().find(|object| object["kind"] == kind);
        let chain: Chain = nulls::from_value(json!({
            "claim": of("PersistentVolumeClaim"),
            "pod": of("Pod"),
            "volumeSnapshot": of("VolumeSnapshot").or_else(|| of("VolumeGroupSnapshot")),
            "isGroup": of("VolumeGroupSnapshot").is_some(),
            "volumeSnapshotContent": of("VolumeSnapshotContent"),
            "sourceNode": self.source_node,
        }))
        .unwrap();
        let events: Vec<Event> = objects
            .iter()
            .filter(|object| object["kind"] == "Event")
            .map(|object| nulls::from_value(object.clone()).unwrap())
            .collect();
        then(&Moment {
            step: self.step,
            elapsed: Duration::from_secs(seconds),
            pod_elapsed: Duration::from_secs(seconds),
            facts: &facts,
            earlier: earlier.as_ref(),
            subject: &subject(VolumeMode::Filesystem),
            chain: &chain,
            events: &events,
        })
    }

    /// The rules that hold, in their order.
    pub(crate) fn rules(&self, seconds: u64) -> Vec<&'static str> {
        self.at(seconds, |moment| {
            let of_step = RULES.iter().filter(|rule| rule.steps.contains(&moment.step));
            of_step.filter(|rule| (rule.explains)(moment).is_some()).map(|rule| rule.name).collect()
        })
    }

    fn wrong(&self, expected: &Expected, check: &Check) -> Vec<String> {
        let mut wrong = Vec::new();
        let wanted: Vec<&str> = expected.rule.iter().chain(&expected.also).map(String::as_str).collect();
        let holds = self.rules(self.seconds);
        if holds != wanted {
            wrong.push(format!("rules {holds:?}, expected {wanted:?}"));
        }
        if let (true, Some(rule)) = (expected.not_before, &expected.rule)
            && self.rules(self.seconds - 1).contains(&rule.as_str())
        {
            wrong.push(format!("{rule} holds a second earlier"));
        }
        let result = match self.at(self.seconds, diagnose) {
            Diagnosis::Certain(explanation) => in_words(*explanation),
            Diagnosis::Waiting { waiting_for, .. } => {
                wrong.extend(lacking("waits for", &waiting_for, &expected.waiting));
                in_words(self.at(self.seconds, timed_out))
            }
        };
        wrong.extend(differences(&result, expected, check));
        wrong.extend(self.text_of_the_cluster_in_commands());
        wrong
    }

    /// No text from the cluster gets into a command unless it is a name.
    fn text_of_the_cluster_in_commands(&self) -> Vec<String> {
        let seen = json!({ "cluster": self.cluster.facts(), "objects": self.objects });
        let fixes = with_one_hostile_text(&seen).into_iter().filter_map(|mut seen| {
            let objects = seen["objects"].as_array().unwrap().clone();
            self.with(seen["cluster"].take(), &objects, self.seconds, |moment| {
                let explanation = match diagnose(moment) {
                    Diagnosis::Certain(explanation) => *explanation,
                    Diagnosis::Waiting { .. } => timed_out(moment),
                };
                // What advice comes to is worded elsewhere.
                explanation.result(|_| None).fix
            })
        });
        fixes.flat_map(hostile_commands).collect()
    }
}

impl Case {
    fn wrong(&self, check: &Check) -> Vec<String> {
        let filesystem = subject(VolumeMode::Filesystem);
        let explanation = match &self.moment {
            What::Wait(wait) => return wait.wrong(&self.expect, check),
            What::Measured(measured) => return measured.wrong(&self.expect, check),
            What::Rehearsed(rehearsed) => return rehearsed.wrong(&self.expect, check),
            What::Refusal { status, reason, message, object, user } => refused(&Refusal {
                status: *status,
                reason,
                message,
                object,
                own_namespace: false,
                user: user.unwrap_or(PodUser::NonRoot),
            }),
            What::Stuck { object, deletion_timestamp, finalizers, being_created, error } => stuck(&StuckObject {
                object: object.clone(),
                deletion_timestamp: deletion_timestamp.clone(),
                finalizers: finalizers.clone(),
                being_created: *being_created,
                error: error.clone(),
            }),
            What::NoRoom { resource, hard, free, needed, in_bytes } => no_room(&NoRoom {
                namespace: "shop",
                quota: "team",
                resource,
                hard: *hard,
                free: *free,
                needed: *needed,
                in_bytes: *in_bytes,
            }),
            What::Vanished { step, object } => vanished(&filesystem, *step, object),
            What::Compared(verdict) => compared(&filesystem, *verdict, "what was measured", []),
            What::Written { blame, text, volume_mode } => {
                let blame = match blame.as_str() {
                    "image" => Blame::Image,
                    "volume" => Blame::Volume,
                    "node" => Blame::Node,
                    "measured" => Blame::Measured,
                    "unreadable" => Blame::Unreadable,
                    other => panic!("nothing is blamed as {other}"),
                };
                let writer =
                    ObjectName { kind: "Pod".to_owned(), namespace: Some("ns".to_owned()), name: "writer".to_owned() };
                not_written(&subject(volume_mode.unwrap_or(VolumeMode::Filesystem)), &writer, blame, "why", text)
            }
            What::Device { text, user, refused, own_namespace } => {
                let object = |kind: &str, name: &str| ObjectName {
                    kind: kind.to_owned(),
                    namespace: Some("ns".to_owned()),
                    name: name.to_owned(),
                };
                let refused = refused.iter().map(|one| (object(&one.kind, "writer"), one.message.clone())).collect();
                let check = CHECKS.iter().find(|known| known.id == check.id).unwrap();
                denied(
                    check,
                    &subject(VolumeMode::Block),
                    &Denied {
                        device: &Device::read(text).unwrap(),
                        text,
                        claim: &object("PersistentVolumeClaim", "source"),
                        pod: &object("Pod", "writer"),
                        admitted: &Admitted { user: *user, refused },
                        own_namespace: *own_namespace,
                    },
                )
            }
        };
        differences(&in_words(explanation), &self.expect, check)
    }
}

fn differences(result: &CheckResult, expected: &Expected, check: &Check) -> Vec<String> {
    let mut wrong = Vec::new();
    let id = expected.check.as_deref().unwrap_or(check.id);
    let status = expected.status.unwrap_or(Status::Fail);
    if result.id != id || result.status != status {
        wrong.push(format!("{} {:?}, expected {id} {status:?}", result.id, result.status));
    }
    let fix = in_lines(result.fix.as_ref());
    wrong.extend(lacking("message", &result.message, &expected.message));
    wrong.extend(lacking("cause", result.cause.as_deref().unwrap_or_default(), &expected.cause));
    wrong.extend(lacking("fix", &fix, &expected.fix));
    wrong.extend(
        expected.without.iter().filter(|part| fix.contains(part.as_str())).map(|part| format!("fix has {part:?}")),
    );
    if result.status != Status::Pass && (result.cause.is_none() || fix.is_empty()) {
        wrong.push("no cause or no fix".to_owned());
    }
    // A fix is read after the clean-up: what the run created is gone.
    let gone = ["snapready-7f3a9c", "snapcontent-1"];
    let commands = result.fix.iter().flat_map(|fix| &fix.commands).map(ToString::to_string);
    let kept = result.id == "SR312";
    wrong.extend(
        commands
            .filter(|command| !kept && gone.iter().any(|name| command.contains(name)))
            .map(|command| format!("{command} names what is gone")),
    );
    wrong
}

fn lacking(what: &str, text: &str, parts: &[String]) -> Vec<String> {
    let lacks = |part: &&String| !text.to_lowercase().contains(&part.to_lowercase());
    parts.iter().filter(lacks).map(|part| format!("{what} {text:?} lacks {part:?}")).collect()
}
