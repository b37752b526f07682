//! Wrong calls, kubeconfigs, clusters that cannot be reached: one clear message and the right exit code, never a panic.

#![expect(clippy::unwrap_used, reason = "a test may")]

mod program;

use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;
use std::sync::Arc;

use futures::{StreamExt, stream};
use serde_json::Value;
use snapready_sim::scenario::{self, Scenario};
use snapready_sim::{Effect, Fault};
use tempfile::NamedTempFile;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use program::{Ended, Place, follow, program, program_at};

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
        (&["check", "--for", "velro"], "velero"),
        (&["check", "--for", "velero", "--select", "api"], "group products"),
        (&["check", "--select", "SR101", "--skip", "SR101"], ""),
        (&["check", "-q", "-v"], "--quiet"),
        (&["check", "--fail-on", "sometimes"], "sometimes"),
        (&["check", "--request-timeout", "soon"], "soon"),
        (&["explain", "SR999"], "SR999"),
        (&["explain", "\u{1b}[31mred"], "red"),
        (&["explain", "SR101", "-o", "junit"], "junit"),
        (&["explain", "mode:plian"], "plain"),
        (&["explain", "mode:plain", "-o", "junit"], "junit"),
        (&["roundtrip", "--mode", "plian"], "'plain'"),
        (&["preflight", "--mode", "plain,nosuch"], "nosuch"),
        (&["explain"], "CHECK"),
        (&["list", "-o", "junit"], "junit"),
        (&["demo", "--scenario", "sick"], "sick"),
        (&["demo", "--storage-class", "nosuch"], "nosuch"),
        (&["demo", "--snapshot-class", "nosuch"], "nosuch"),
        (&["demo", "--snapshot-class", "standard-snapshots", "--snapshot-class", "nosuch"], "nosuch"),
        (&["demo", "--all", "--storage-class", "standard"], "--all"),
        (&["cleanup"], "--run"),
        (&["cleanup", "--all", "--expired"], "--expired"),
        (&["cleanup", "--run", "../x"], "../x"),
        (&["cleanup", "--all", "-o", "junit"], "junit"),
    ];
    let runs = stream::iter(calls).map(async |(arguments, says)| refused(&call(arguments).await, arguments, says));
    runs.buffer_unordered(4).collect::<()>().await;
}

/// Nobody listens there, and nobody will while the tests run: a port that was free a moment ago may be another test's.
const CLOSED: &str = "http://127.0.0.1:1";

/// A kubeconfig that leads to this address.
fn kubeconfig(url: &str) -> NamedTempFile {
    let mut file = NamedTempFile::new().unwrap();
    write!(
        file,
        "{{kind: Config, current-context: c, clusters: [{{name: c, cluster: {{server: {url:?}}}}}], \
         users: [{{name: c, user: {{}}}}], contexts: [{{name: c, context: {{cluster: c, user: c}}}}]}}"
    )
    .unwrap();
    file
}

/// What would be answered with "cannot be reached" if a cluster were looked for first.
#[tokio::test]
async fn wrong_values_are_refused_before_a_cluster_is_looked_for() {
    let garbage = NamedTempFile::new().unwrap();
    let garbage = garbage.path().to_str().unwrap();
    let calls: &[(&str, &[&str], &str)] = &[
        ("roundtrip", &["--size", "64 potatoes"], "--size"),
        ("roundtrip", &["--size", "0"], "--size"),
        ("roundtrip", &["--size=-1Gi"], "--size"),
        ("roundtrip", &["--size", ""], "--size"),
        ("roundtrip", &["--size", "1Mi"], "too small"),
        ("roundtrip", &["--size", "1\u{1b}[31mGi"], "--size"),
        ("preflight", &["--size", "999999999999999999999Ei"], "--size"),
        ("roundtrip", &["--image", "not an image"], "--image"),
        ("roundtrip", &["--image", ""], "--image"),
        ("roundtrip", &["--image", "busybox:\u{e9}"], "--image"),
        ("preflight", &["--image", "busybox\u{1b}[31m"], "--image"),
        ("roundtrip", &["--storage-class", "No/Name"], "No/Name"),
        ("preflight", &["--storage-class", ""], "name"),
        ("roundtrip", &["--storage-class", "a\nb"], "name"),
        ("roundtrip", &["--snapshot-class", "$(rm)"], "$(rm)"),
        ("roundtrip", &["--all", "--storage-class", "standard"], "--all"),
        ("roundtrip", &["--all-snapshot-classes", "--snapshot-class", "gold"], "--all-snapshot-classes"),
        ("roundtrip", &["--for", "velro"], "velero"),
        ("roundtrip", &["--volume-mode", "tape"], "tape"),
        ("roundtrip", &["--parallel", "0"], "--parallel"),
        ("roundtrip", &["--parallel", "many"], "--parallel"),
        ("roundtrip", &["--timeout", "-5"], "-5"),
        ("roundtrip", &["--timeout", "1 fortnight"], "fortnight"),
        ("roundtrip", &["--cleanup-timeout", "later"], "later"),
        ("roundtrip", &["--step-timeout", "dance=5m"], "dance"),
        ("roundtrip", &["--step-timeout", "snapshot=tomorrow"], "tomorrow"),
        ("roundtrip", &["--keep", "maybe"], "maybe"),
        ("roundtrip", &["--unknown", "what"], "what"),
        ("cleanup", &["--all", "--cleanup-timeout", "-1"], "-1"),
        ("check", &["--color", "pink"], "pink"),
        ("check", &["--context", "nowhere"], "nowhere"),
        ("check", &["--cluster", "nowhere"], "nowhere"),
        ("check", &["--user", "nowhere"], "nowhere"),
        ("check", &["--namespace", "Bad_Name"], "--namespace"),
        ("roundtrip", &["--namespace", "a.b"], "--namespace"),
        ("cleanup", &["--all", "-n", ""], "--namespace"),
        ("check", &["--as", ""], "--as"),
        ("check", &["--as", "a\nb"], "--as"),
        ("check", &["--as-group", "g"], "--as USER"),
        ("check", &["--as", "a", "--as-uid", "\u{1b}"], "--as-uid"),
        ("check", &["--as", "a", "--as-user-extra", "novalue"], "KEY=VALUE"),
        ("check", &["--server", "ftp://x"], "http"),
        ("check", &["--server", "http://"], "address"),
        ("check", &["--token", "a b"], "--token"),
        ("check", &["--tls-server-name", "bad name"], "server name"),
        ("check", &["--certificate-authority", "/nonexistent"], "/nonexistent"),
        ("check", &["--certificate-authority", garbage], "certificate authority"),
        ("check", &["--client-certificate", "/nonexistent"], "/nonexistent"),
        ("check", &["--client-key", "/nonexistent"], "/nonexistent"),
        ("check", &["--client-certificate", garbage, "--client-key", garbage], "certificate"),
    ];
    let kubeconfig = kubeconfig(CLOSED);
    let kubeconfig = ["--kubeconfig", kubeconfig.path().to_str().unwrap()];
    let runs = stream::iter(calls).map(async |(command, flags, says)| {
        let arguments = [&[*command][..], flags, &kubeconfig].concat();
        refused(&call(&arguments).await, &arguments, says);
    });
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
    let authority =
        |line: &str| whole.replace("http://", "https://").replace("    server:", &format!("    {line}\n    server:"));
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
        (file("missing-authority", authority("certificate-authority: /nonexistent/ca.pem").as_bytes()), "ca.pem"),
        (file("bad-authority", authority("certificate-authority-data: AAAA").as_bytes()), "certificate"),
        (file("no-base64", authority("certificate-authority-data: \"%\"").as_bytes()), "certificate"),
        (
            file("escape", whole.replace("current-context: simulated", "current-context: \"\\e[31m\"").as_bytes()),
            "context",
        ),
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

/// A file that its reader may not read. To root no file is one, so root calls the program as somebody else, who gets a copy
/// of the program to run: its own folder may be closed to others.
#[tokio::test]
async fn a_kubeconfig_that_may_not_be_read_is_a_wrong_call() {
    let file = kubeconfig(CLOSED);
    std::fs::set_permissions(file.path(), std::fs::Permissions::from_mode(0o000)).unwrap();
    let arguments = ["check", "--kubeconfig", file.path().to_str().unwrap()];
    let folder = tempfile::tempdir().unwrap();
    let command = if std::fs::File::open(file.path()).is_ok() {
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        let copy = folder.path().join("snapready");
        // Had this process the copy open for writing, a child that another test starts would inherit it for a moment, and the
        // copy could not be executed: "text file busy".
        let copied = std::process::Command::new("cp").arg(env!("CARGO_BIN_EXE_snapready")).arg(&copy).status();
        assert!(copied.unwrap().success());
        let mut command = program_at(&copy, arguments);
        command.uid(NOBODY);
        command
    } else {
        program(arguments)
    };
    refused(&follow(command, async |_, _, _| {}).await, &arguments, "ermission");
}

/// The user that owns nothing.
const NOBODY: u32 = 65_534;

/// Answers the request on every connection with these bytes, and keeps it open.
fn answering(bytes: &'static [u8]) -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let mut open = Vec::new();
        for mut stream in listener.incoming().flatten() {
            // Whoever has left is not answered.
            let _gone = stream.read(&mut [0; 4096]).and_then(|_| stream.write_all(bytes));
            open.push(stream);
        }
    });
    format!("http://{address}")
}

/// A cluster with a certificate that nobody has signed.
async fn untrusted() -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let files = concat!(env!("CARGO_MANIFEST_DIR"), "/src/cluster/connect/testdata");
    let certificate = CertificateDer::from_pem_file(format!("{files}/server.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_file(format!("{files}/server.key")).unwrap();
    let config = ServerConfig::builder().with_no_client_auth().with_single_cert(vec![certificate], key).unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            // The client leaves in the middle.
            let _refused = acceptor.accept(stream).await;
        }
    });
    format!("https://{address}")
}

/// Nothing on stdout but the document that was asked for, one message, exit code 3.
#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_that_does_not_answer_is_inconclusive() {
    const DENY: &[Fault] = &[Fault::always(&[], &[], Effect::Forbidden)];
    let unauthorized = Place::of(scenario::find("api-unauthorized").unwrap()).await;
    let forbidden = Place::of(&Scenario { api: DENY, ..*healthy() }).await;
    let no_kubernetes = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi";
    let servers = [
        (CLOSED.to_owned(), "refused"),
        // A server that takes the request and never answers; and one that is not there.
        (answering(b""), "1s"),
        ("http://192.0.2.1:6443".to_owned(), "http://192.0.2.1:6443"),
        (answering(no_kubernetes.as_bytes()), "/version"),
        (answering(b"SSH-2.0-OpenSSH_9.6\r\n"), "http://127.0.0.1"),
        ("https://name.invalid:6443".to_owned(), "name.invalid"),
        (untrusted().await, "certificate"),
        (unauthorized.cluster.url(), "credential"),
        (forbidden.cluster.url(), "refuses the caller"),
    ];
    let commands: [&[&str]; 4] = [&["check"], &["roundtrip"], &["preflight"], &["cleanup", "--all"]];
    let calls = servers.iter().flat_map(|server| commands.map(|command| (server, command)));
    let runs = stream::iter(calls).map(async |((url, says), command)| {
        let file = kubeconfig(url);
        let to = ["--kubeconfig", file.path().to_str().unwrap(), "--request-timeout", "1s"];
        let one_message = |ended: &Ended, what: &str| {
            assert_eq!(ended.code, Some(3), "{what}: {ended:?}");
            assert_eq!(ended.errors.matches("error: ").count(), 1, "{what}: {}", ended.errors);
            assert!(ended.errors.to_lowercase().contains(says), "{what}: {}", ended.errors);
        };
        let ended = call(&[command, &to].concat()).await;
        let what = format!("{command:?} {url}");
        one_message(&ended, &what);
        assert!(ended.lines.is_empty(), "{what}: {ended:?}");

        let ended = call(&[command, &to, &["-o", "json"]].concat()).await;
        one_message(&ended, &what);
        if command != ["cleanup", "--all"] {
            let document: Value = serde_json::from_str(&ended.lines.join("\n")).unwrap();
            assert_eq!(document["run"]["exitCode"], 3);
            assert_eq!(document["run"]["errors"].as_array().unwrap().len(), 1, "{document:#}");
        }
    });
    runs.buffer_unordered(8).collect::<()>().await;
}

/// A report's file appears when it is complete; when there is none, nothing of it stays.
#[tokio::test]
async fn a_run_without_a_report_leaves_no_file() {
    let place = Place::of(healthy()).await;
    let wrong = kubeconfig("ftp://x");
    let path = |file: &NamedTempFile| file.path().to_str().unwrap().to_owned();
    for (kubeconfig, flags) in [(Some(path(&wrong)), vec![]), (None, vec!["--storage-class", "nosuch"])] {
        let folder = tempfile::tempdir().unwrap();
        let report = format!("junit={}", folder.path().join("report.xml").display());
        let mut arguments = vec!["roundtrip", "--report", &report];
        arguments.extend(flags);
        let ended = match &kubeconfig {
            Some(kubeconfig) => call(&[&arguments[..], &["--kubeconfig", kubeconfig]].concat()).await,
            None => place.call(&arguments).await,
        };
        assert_eq!(ended.code, Some(2), "{arguments:?}: {ended:?}");
        let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
        assert!(left.is_empty(), "{arguments:?}: {left:?}");
    }
}

/// A pipeline that collects a report finds one, also when there was no cluster.
#[tokio::test]
async fn a_report_for_a_program_is_written_without_a_cluster() {
    let closed = kubeconfig(CLOSED);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("report.xml");
    let report = format!("junit={}", path.display());
    let ended = call(&["check", "--report", &report, "--kubeconfig", closed.path().to_str().unwrap()]).await;
    assert_eq!(ended.code, Some(3), "{ended:?}");
    let text = std::fs::read_to_string(path).unwrap();
    let mut reader = quick_xml::Reader::from_str(&text);
    let mut names = Vec::new();
    loop {
        match reader.read_event().unwrap() {
            quick_xml::events::Event::Start(start) => names.push(start.name().as_ref().to_vec()),
            quick_xml::events::Event::Eof => break,
            _ => {}
        }
    }
    assert!(names.iter().any(|name| name == b"error"), "{text}");
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
