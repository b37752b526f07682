//! A server that answers with the worst text there is, or with null, in any field: never a panic, always one of the
//! published exit codes, and no report through which the text does anything but be read.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may")]

mod program;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Arc, Mutex};

use futures::{StreamExt, stream};
use serde_json::Value;
use snapready_sim::scenario;

use program::{Ended, Place};

const AT_A_TIME: usize = 4;

/// What hurts terminals, XML, Markdown and tables. Blinking is nothing that snapready does itself.
const WORST: &str = "\u{1b}[5mred\u{1b}]0;title\u{7}\u{0}\u{9b}2J]]><b>&amp;\u{fffe}\u{202e}\u{2066}rtl\u{200b}\u{200f}\r\n| ` <script> \u{85}\u{2028}";

/// It, so many bytes of text, and it again.
fn worst(bytes: usize) -> String {
    format!("{WORST}{}{WORST}", "long ".repeat(bytes / 5))
}

/// Where a value stands: the kind of the answer, and the path to it with `*` for every place in a list and every name
/// in a map whose names are free.
type Class = (String, String);

/// Calls `visit` for every value in an answer, from the inside out.
fn walk(answer: &mut Value, visit: &mut dyn FnMut(&Class, &mut Value)) {
    let object = if answer.get("object").is_some() { &answer["object"] } else { &*answer };
    let kind = object["kind"].as_str().unwrap_or("none").to_owned();
    below(answer, &mut (kind, String::new()), visit);
}

fn below(value: &mut Value, class: &mut Class, visit: &mut dyn FnMut(&Class, &mut Value)) {
    let length = class.1.len();
    // A schema is data to snapready; its fields are as many as all others together.
    let in_schema = class.1.contains("/openAPIV3Schema/");
    let free = ["/labels", "/annotations", "/parameters", "/matchLabels"].iter().any(|map| class.1.ends_with(map));
    let mut step = |name: &str, value: &mut Value| {
        if !in_schema {
            class.1.push('/');
            class.1.push_str(if free { "*" } else { name });
        }
        below(value, class, visit);
        class.1.truncate(length);
    };
    match value {
        Value::Object(fields) => fields.iter_mut().for_each(|(name, value)| step(name, value)),
        Value::Array(values) => values.iter_mut().for_each(|value| step("*", value)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
    visit(class, value);
}

/// Every class that a call meets.
async fn classes(scenario: &str, call: &[&str]) -> BTreeSet<Class> {
    let place = Place::of(scenario::find(scenario).unwrap()).await;
    let seen: Arc<Mutex<BTreeSet<Class>>> = Arc::default();
    let see = Arc::clone(&seen);
    place.cluster.tamper(move |answer| {
        let mut seen = see.lock().unwrap();
        walk(answer, &mut |class, _| {
            seen.insert(class.clone());
        });
    });
    place.call(call).await;
    let seen = seen.lock().unwrap().clone();
    assert!(seen.len() > 100, "{seen:?}");
    seen
}

/// All formats, one of them with colours.
struct Reports {
    ended: Ended,
    folder: tempfile::TempDir,
}

const FORMATS: [&str; 6] = ["human", "json", "ndjson", "junit", "markdown", "prometheus"];

async fn call(place: &Place, arguments: &[&str]) -> Reports {
    let folder = tempfile::tempdir().unwrap();
    let mut call: Vec<String> = arguments.iter().map(|&argument| argument.to_owned()).collect();
    call.extend(["-v", "--color", "always", "--request-timeout", "5s"].map(ToOwned::to_owned));
    for format in FORMATS {
        call.push("--report".to_owned());
        call.push(format!("{format}={}", folder.path().join(format).display()));
    }
    let call: Vec<&str> = call.iter().map(String::as_str).collect();
    Reports { ended: place.call(&call).await, folder }
}

/// Without snapready's own colours.
fn without_colours(text: &str) -> String {
    let mut parts = text.split('\u{1b}');
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let own = part.strip_prefix('[').and_then(|rest| rest.split_once('m'));
        match own {
            // Blinking, hidden and turned text are not among them.
            Some((numbers, rest)) if numbers.split(';').all(|number| !matches!(number, "5" | "7" | "8")) => {
                plain.push_str(rest);
            }
            _ => {
                plain.push('\u{1b}');
                plain.push_str(part);
            }
        }
    }
    plain
}

fn harmless(text: &str, what: &str) {
    let bad = text
        .chars()
        .find(|c| (c.is_control() && *c != '\n') || "\u{202e}\u{2066}\u{2028}\u{200b}\u{200f}".contains(*c));
    assert_eq!(bad, None, "{what}");
}

/// As much as all fields of a run may come to together, if each of them is cut.
const LONGEST_REPORT: u64 = 10 << 20;

impl Reports {
    fn read(&self, format: &str, what: &str) -> String {
        let path = self.folder.path().join(format);
        let length = path.metadata().map_or(0, |metadata| metadata.len());
        assert!(length < LONGEST_REPORT, "{what}: {format} has {length} bytes");
        std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{what}: {format}: {error}: {:?}", self.ended))
    }

    /// Asserts that whatever the server said, it did no harm.
    fn assert_harmless(&self, what: &str) {
        let Ended { code, lines, errors } = &self.ended;
        assert!(matches!(code, Some(0..=4)), "{what}: {code:?} {errors}");
        assert!(!errors.contains("panicked"), "{what}: {errors}");
        harmless(&without_colours(errors), &format!("{what}: stderr"));
        let screen = lines.join("\n");
        harmless(&without_colours(&screen), &format!("{what}: stdout"));
        assert!((screen.len() + errors.len()) as u64 <= LONGEST_REPORT, "{what}: {}", screen.len() + errors.len());
        if !exists(self.folder.path(), "json") {
            // Without a cluster that could be looked at there is no report, but a message.
            assert!(matches!(code, Some(2 | 3)) && errors.contains("error: "), "{what}: {code:?} {errors}");
            return;
        }
        for format in ["human", "markdown", "prometheus"] {
            harmless(&self.read(format, what), &format!("{what}: {format}"));
        }
        let document: Value = serde_json::from_str(&self.read("json", what)).unwrap();
        assert_eq!(document["run"]["exitCode"].as_i64(), code.map(i64::from), "{what}");
        let events = self.read("ndjson", what);
        assert!(events.lines().all(|line| serde_json::from_str::<Value>(line).is_ok()), "{what}");
        // No control character stands in JSON as it is.
        assert!(!events.contains('\u{1b}') && !events.contains('\u{0}'), "{what}");
        let junit = self.read("junit", what);
        assert!(quick_junit::Report::deserialize_from_str(&junit).is_ok(), "{what}: {junit}");
        assert!(!junit.contains('\u{1b}') && !junit.contains('\u{202e}'), "{what}");
    }
}

fn exists(folder: &Path, format: &str) -> bool {
    folder.join(format).metadata().is_ok_and(|metadata| metadata.len() > 0)
}

/// What a round trip finds its objects and their states by. Everything else may be anything.
const NEEDED: [&str; 30] = [
    "apiVersion",
    "kind",
    "name",
    "namespace",
    "uid",
    "resourceVersion",
    "continue",
    "creationTimestamp",
    "deletionTimestamp",
    "type",
    "status",
    "phase",
    "provisioner",
    "driver",
    "volumeBindingMode",
    "reclaimPolicy",
    "deletionPolicy",
    "volumeMode",
    "volumeName",
    "storage",
    "restoreSize",
    "creationTime",
    "boundVolumeSnapshotContentName",
    "volumeSnapshotClassName",
    "storageClassName",
    "persistentVolumeClaimName",
    "gitVersion",
    "reason",
    "groupVersion",
    "version",
];

/// Appends a text to every string that is not needed, and puts it into every map with free names.
fn append_to_all(answer: &mut Value, text: &str) {
    walk(answer, &mut |(_, path), value| {
        let name = path.rsplit('/').next().unwrap_or_default();
        match value {
            Value::String(string) if !NEEDED.contains(&name) && !path.contains("/openAPIV3Schema/") => {
                string.push_str(text);
            }
            Value::Object(map) if matches!(name, "labels" | "annotations" | "parameters") => {
                map.insert(text.to_owned(), text.into());
            }
            _ => {}
        }
    });
}

const ROUND_TRIP: [&str; 7] =
    ["preflight", "--volume-mode", "filesystem", "--step-timeout", "4s", "--cleanup-timeout", "4s"];

#[tokio::test(flavor = "multi_thread")]
async fn the_worst_text_in_all_fields_at_once_does_nothing() {
    let scenarios = [
        "healthy",
        "snapshot-error",
        "provision-error",
        "image-missing",
        "unschedulable",
        "secret-missing",
        "quota",
        "policy",
        "forbidden-list",
        "two-controllers",
        "no-sidecar",
        "api-unauthorized",
        "restore-truncated",
        "never-ready",
        "delete-error",
    ];
    let runs = stream::iter(scenarios).map(async |name| {
        let place = Place::of(scenario::find(name).unwrap()).await;
        let text = worst(1000);
        place.cluster.tamper(move |answer| append_to_all(answer, &text));
        let reports = call(&place, &ROUND_TRIP).await;
        reports.assert_harmless(name);
        // As text it does arrive.
        reports.ended.lines.iter().any(|line| line.contains("<b>&amp;"))
    });
    let shown: Vec<bool> = runs.buffer_unordered(AT_A_TIME).collect().await;
    assert!(shown.iter().filter(|shown| **shown).count() > scenarios.len() / 2, "{shown:?}");
}

/// What is put into a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Into {
    /// The worst text, twice with much between, behind what is there.
    Appended,
    /// The same instead.
    Replaced,
    /// Null.
    Null,
}

fn put(value: &mut Value, text: &str, how: Into) {
    match (how, &mut *value) {
        (Into::Null, value) => *value = Value::Null,
        (Into::Appended, Value::String(string)) => string.push_str(text),
        (Into::Replaced, Value::String(string)) => text.clone_into(string),
        _ => {}
    }
}

/// Longer than all limits; a megabyte in each field of each kind would be minutes.
const LONG: usize = 100 << 10;
const MEGABYTE: usize = 1 << 20;

/// Puts something into all values of these classes.
fn tamper(place: &Place, classes: BTreeSet<Class>, how: Into, bytes: usize) {
    let text = worst(bytes);
    place.cluster.tamper(move |answer| {
        // Of a list with many objects the first one is enough: the rest would be gigabytes.
        let mut met = BTreeSet::new();
        walk(answer, &mut |class, value| {
            if classes.contains(class) && (how == Into::Null || met.insert(class.clone())) {
                put(value, &text, how);
            }
        });
    });
}

/// Each run changes one field of each kind: kinds are read independently of one another.
fn one_of_each_kind(classes: &BTreeSet<Class>) -> Vec<BTreeSet<Class>> {
    let mut by_kind: BTreeMap<&str, Vec<&Class>> = BTreeMap::new();
    for class in classes {
        by_kind.entry(&class.0).or_default().push(class);
    }
    let most = by_kind.values().map(Vec::len).max().unwrap_or_default();
    (0..most).map(|at| by_kind.values().filter_map(|classes| classes.get(at)).copied().cloned().collect()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_worst_text_in_any_field_does_nothing_to_a_check() {
    let mut all = classes("healthy", &["check"]).await;
    all.extend(classes("forbidden-list", &["check"]).await);
    let groups = one_of_each_kind(&all);
    let text = |number: usize| if number.is_multiple_of(2) { Into::Appended } else { Into::Replaced };
    let bytes = |number: usize| if number.is_multiple_of(10) { MEGABYTE } else { LONG };
    let runs = groups
        .iter()
        .enumerate()
        .flat_map(|(number, group)| [(group, text(number), bytes(number)), (group, Into::Null, 0)]);
    let runs = stream::iter(runs).map(async |(group, how, bytes)| {
        let place = Place::of(scenario::find("healthy").unwrap()).await;
        tamper(&place, group.clone(), how, bytes);
        call(&place, &["check"]).await.assert_harmless(&format!("{how:?} {group:?}"));
    });
    runs.buffer_unordered(AT_A_TIME).collect::<()>().await;
}

/// How many fields are tried in round trips; they are spread over all that there are.
const SAMPLES: usize = 24;

#[tokio::test(flavor = "multi_thread")]
async fn the_worst_text_in_a_field_does_nothing_to_a_round_trip() {
    let looked_at = classes("healthy", &["check"]).await;
    let all = classes("healthy", &["roundtrip", "--volume-mode", "filesystem"]).await;
    let own: Vec<Class> = all.difference(&looked_at).cloned().collect();
    let samples = own.iter().step_by(own.len().div_ceil(SAMPLES)).enumerate();
    let runs = stream::iter(samples).map(async |(number, class)| {
        let how = [Into::Appended, Into::Null, Into::Replaced][number % 3];
        let place = Place::of(scenario::find("healthy").unwrap()).await;
        tamper(&place, BTreeSet::from([class.clone()]), how, MEGABYTE);
        let arguments = [&["roundtrip"], &ROUND_TRIP[1..]].concat();
        call(&place, &arguments).await.assert_harmless(&format!("{how:?} {class:?}"));
    });
    runs.buffer_unordered(AT_A_TIME).collect::<()>().await;
}
