//! Wrong calls, clusters that cannot be reached, and hostile text: one clear message and the right exit code, never a panic.

#![expect(clippy::unwrap_used, reason = "a test may")]

mod program;

use std::io::Write;
use std::process::Stdio;

use futures::{StreamExt, stream};
use serde_json::{Value, json};
use snapready::sim::scenario::{self, Driver, Scenario, SnapshotClass};
use snapready::sim::{Effect, Fault};

use program::{Ended, Place, follow, program};

fn healthy() -> &'static Scenario {
    scenario::find("healthy").unwrap()
}

async fn call(arguments: &[&str]) -> Ended {
    follow(program(arguments), async |_, _, _| {}).await
}

/// Asserts that the call is refused with one message, which says this.
fn refused(ended: &Ended, call: &[&str], says: &str) {
    assert_eq!(ended.code, Some(2), "{call:?}: {ended:?}");
    assert!(ended.lines.is_empty(), "{call:?}: {ended:?}");
    assert_eq!(ended.errors.matches("error: ").count(), 1, "{call:?}: {}", ended.errors);
    assert!(ended.errors.contains(says), "{call:?}: {}", ended.errors);
    assert!(!ended.errors.contains("panicked") && !ended.errors.contains('\u{1b}'), "{call:?}: {}", ended.errors);
}

#[tokio::test]
async fn wrong_calls_are_refused() {
    let calls: &[(&[&str], &str)] = &[
        (&["chekc"], "chekc"),
        (&["check", "--nonsense"], "--nonsense"),
        (&["check", "-o", "yaml"], "yaml"),
        (&["check", "-o", "json", "--report", "junit=-"], "stdout"),
        (&["check", "--report", "junit=-", "--report", "json=-"], "stdout"),
        (&["check", "--report", "junit"], "FORMAT=PATH"),
        (&["check", "--report", "=x"], "format"),
        (&["check", "--report", "json="], "FORMAT=PATH"),
        (&["check", "--report", "xml=a.xml"], "xml"),
        (&["check", "--report", "json=/nonexistent/a.json"], "/nonexistent/a.json"),
        (&["check", "--report", "json=/tmp"], "/tmp"),
        (&["check", "--report", "json=/tmp/a", "--report", "junit=/tmp/../tmp/a"], "/tmp"),
        (&["check", "--select", "SR999"], "SR999"),
        (&["check", "--skip", "no-such-check"], "no-such-check"),
        (&["check", "--select", "SR101", "--skip", "SR101"], ""),
        (&["check", "-q", "-v"], "--quiet"),
        (&["check", "--fail-on", "sometimes"], "sometimes"),
        (&["check", "--request-timeout", "soon"], "soon"),
        (&["explain", "SR999"], "SR999"),
        (&["explain", "\u{1b}[31mred"], "there is no check"),
        (&["explain", "SR101", "-o", "junit"], "junit"),
        (&["explain"], "CHECK"),
        (&["list", "-o", "junit"], "junit"),
        (&["demo", "--scenario", "sick"], "sick"),
        (&["demo", "--size", "64 potatoes"], "--size"),
        (&["demo", "--size", "0"], "--size"),
        (&["demo", "--size=-1Gi"], "--size"),
        (&["demo", "--size", "999999999999999999999Ei"], "--size"),
        (&["demo", "--image", "not an image"], "image"),
        (&["demo", "--image", ""], "image"),
        (&["demo", "--storage-class", "nosuch"], "nosuch"),
        (&["demo", "--storage-class", "No/Name"], "No/Name"),
        (&["demo", "--snapshot-class", "nosuch"], "nosuch"),
        (&["demo", "--all", "--storage-class", "standard"], "--all"),
        (&["demo", "--volume-mode", "tape"], "tape"),
        (&["demo", "--parallel", "0"], "--parallel"),
        (&["demo", "--timeout", "-5"], "-5"),
        (&["demo", "--step-timeout", "dance=5m"], "dance"),
        (&["demo", "--step-timeout", "snapshot=tomorrow"], "tomorrow"),
        (&["demo", "--keep", "maybe"], "maybe"),
        (&["demo", "--source", "detached"], "--source"),
        (&["cleanup"], "--run"),
        (&["cleanup", "--all", "--expired"], "--expired"),
        (&["cleanup", "--run", "../x"], "../x"),
        (&["cleanup", "--all", "-o", "junit"], "junit"),
    ];
    let runs = stream::iter(calls).map(async |(arguments, says)| refused(&call(arguments).await, arguments, says));
    runs.buffer_unordered(4).collect::<()>().await;
}

#[tokio::test]
async fn a_kubeconfig_that_cannot_be_used_is_a_wrong_call() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let good = Place::of(healthy()).await;
    let whole = good.cluster.kubeconfig();
    let files = [
        (folder.path().join("missing").to_str().unwrap().to_owned(), "missing"),
        (folder.path().to_str().unwrap().to_owned(), ""),
        (file("binary", b"\xff\xfe\x00\x01"), "binary"),
        (file("unclosed", b"apiVersion: [v1\n"), "unclosed"),
        (file("list", b"- a\n- b\n"), "list"),
        (file("no-context", whole.replace("current-context: simulated\n", "").as_bytes()), "context"),
        (file("no-cluster", whole.replace("    cluster: simulated\n", "    cluster: lost\n").as_bytes()), "lost"),
        (file("no-server", whole.replace("http://", "gopher://").as_bytes()), "http"),
        (file("empty", b""), ""),
    ];
    for (path, says) in &files {
        for arguments in [&["check", "--kubeconfig", path][..], &["cleanup", "--all", "--kubeconfig", path]] {
            refused(&call(arguments).await, arguments, says);
        }
        let arguments = ["check", "-o", "json", "--kubeconfig", path];
        refused(&call(&arguments).await, &arguments, says);
    }
    let arguments = ["check", "--context", "nowhere"];
    refused(&good.call(&arguments).await, &arguments, "nowhere");
}

#[tokio::test]
async fn a_cluster_that_does_not_answer_is_inconclusive() {
    let unauthorized = Place::of(scenario::find("api-unauthorized").unwrap()).await;
    let gone = Place::of(healthy()).await;
    gone.cluster.restart_api(std::time::Duration::ZERO).await.unwrap();
    let mut closed = tempfile::NamedTempFile::new().unwrap();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let config = gone.cluster.kubeconfig().replace(&gone.cluster.url(), &format!("http://127.0.0.1:{port}"));
    closed.write_all(config.as_bytes()).unwrap();
    let closed = closed.path().to_str().unwrap();

    for command in ["check", "roundtrip", "preflight"] {
        let nobody = call(&[command, "--kubeconfig", closed]).await;
        let unknown = unauthorized.call(&[command]).await;
        for ended in [nobody, unknown] {
            assert_eq!(ended.code, Some(3), "{command}: {ended:?}");
            assert!(ended.lines.is_empty(), "{command}: {ended:?}");
            assert_eq!(ended.errors.matches("error: ").count(), 1, "{command}: {}", ended.errors);
        }
        let nobody = call(&[command, "--kubeconfig", closed, "-o", "json"]).await;
        let unknown = unauthorized.call(&[command, "-o", "json"]).await;
        for ended in [nobody, unknown] {
            assert_eq!(ended.code, Some(3), "{command}: {ended:?}");
            let document: Value = serde_json::from_str(&ended.lines.join("\n")).unwrap();
            assert_eq!(document["run"]["exitCode"], 3);
            assert_eq!(document["run"]["errors"].as_array().unwrap().len(), 1, "{document:#}");
            assert_eq!(ended.errors.matches("error: ").count(), 1, "{command}: {}", ended.errors);
        }
    }
    assert_eq!(call(&["cleanup", "--all", "--kubeconfig", closed]).await.code, Some(3));
    assert_eq!(unauthorized.call(&["cleanup", "--all"]).await.code, Some(3));
}

/// Nobody reads stdout.
#[tokio::test]
async fn a_closed_pipe_is_no_error() {
    for arguments in [
        &["demo", "-o", "ndjson"][..],
        &["demo"],
        &["demo", "--list"],
        &["list"],
        &["list", "-o", "json"],
        &["explain", "SR101"],
        &["rbac"],
        &["--help"],
    ] {
        let mut command = program(arguments);
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        command.stdout(Stdio::from(writer));
        let output = command.spawn().unwrap().wait_with_output().await.unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(!errors.contains("panicked"), "{arguments:?}: {errors}");
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {errors}");
    }
}

#[tokio::test]
async fn looking_changes_nothing() {
    let place = Place::of(healthy()).await;
    let ended = place.call(&["check"]).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let requests = place.cluster.requests();
    assert!(requests.len() > 10, "{requests:?}");
    for request in requests {
        let review = request.method == "POST" && request.path.starts_with("/apis/authorization.k8s.io/v1/selfsubject");
        assert!(request.method == "GET" || review, "{request:?}");
        assert_eq!(request.user_agent, concat!("snapready/", env!("CARGO_PKG_VERSION")));
    }
    assert_eq!(place.cluster.objects(), []);
}

/// What hurts terminals, XML, Markdown and tables.
const WORST: &str =
    "\u{1b}[31mred\u{1b}]0;title\u{7}\u{0}\u{9b}2J]]><b>&amp;\u{fffe}\u{202e}\u{2066}rtl\u{200b}\r\n| ` \u{85}\u{2028}";

fn worst() -> &'static str {
    let text = format!("{WORST}{}{WORST}", "long ".repeat(20 * 1024));
    Box::leak(text.into_boxed_str())
}

fn harmless(text: &str, what: &str) {
    let bad =
        text.chars().find(|c| (c.is_control() && *c != '\n') || matches!(c, '\u{202e}' | '\u{2066}' | '\u{2028}'));
    assert_eq!(bad, None, "{what}");
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_text_stays_text() {
    let text = worst();
    let fault = |effect| -> &'static [Fault] {
        Box::leak(Box::new([Fault::always(&["create"], &["persistentvolumeclaims"], effect)]))
    };
    let class = SnapshotClass { secret: Some(text), ..healthy().snapshot_classes[0] };
    let scenarios = [
        ("status.error", Scenario { snapshot: Driver::Fails("INVALID_ARGUMENT", text), ..*healthy() }),
        ("event", Scenario { provision: Driver::Fails("INVALID_ARGUMENT", text), ..*healthy() }),
        ("restore", Scenario { restore: Driver::Fails("INVALID_ARGUMENT", text), ..*healthy() }),
        ("webhook", Scenario { api: fault(Effect::Denied(text, text)), ..*healthy() }),
        ("quota", Scenario { api: fault(Effect::ExceededQuota(text)), ..*healthy() }),
        ("class", Scenario { snapshot_classes: Box::leak(Box::new([class])), ..*healthy() }),
    ];
    let runs = stream::iter(scenarios).map(async |(what, scenario)| {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
        let report = |name: &str| format!("{name}={}", path(name));
        let place = Place::of(&scenario).await;
        let ended = place
            .call(&[
                "preflight",
                "--volume-mode",
                "filesystem",
                "--step-timeout",
                "6s",
                "--report",
                &report("json"),
                "--report",
                &report("junit"),
                "--report",
                &report("markdown"),
                "--report",
                &report("prometheus"),
                "--report",
                &report("ndjson"),
                "-v",
            ])
            .await;
        assert!(matches!(ended.code, Some(1 | 3)), "{what}: {:?} {}", ended.code, ended.errors);
        harmless(&ended.lines.join("\n"), what);
        harmless(&ended.errors, what);
        let read = |name: &str| std::fs::read_to_string(path(name)).unwrap();
        let document: Value = serde_json::from_str(&read("json")).unwrap();
        assert_eq!(document["leftovers"], json!([]), "{what}");
        for line in read("ndjson").lines() {
            serde_json::from_str::<Value>(line).unwrap();
        }
        quick_junit::Report::deserialize_from_str(&read("junit")).expect(what);
        harmless(&read("markdown"), what);
        harmless(&read("prometheus"), what);
        assert!(place.cluster.objects().is_empty(), "{what}: {:?}", place.cluster.objects());
    });
    runs.buffer_unordered(3).collect::<()>().await;
}
