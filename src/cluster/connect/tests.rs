//! Connecting with real files, real plugins and real listeners on loopback.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use tempfile::TempDir;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::*;
use crate::cluster::flags::RequestTimeout;

const SECRET: &str = "s3cr3t-t0ken";

const KUBECONFIG: &str = "
apiVersion: v1
kind: Config
current-context: prod
contexts:
- {name: prod, context: {cluster: east, user: admin, namespace: shop}}
- {name: test, context: {cluster: west, user: admin}}
clusters:
- {name: east, cluster: {server: 'http://user:pass@127.0.0.1:1/k8s'}}
- {name: west, cluster: {server: '127.0.0.1:1'}}
users:
- {name: admin, user: {token: s3cr3t-t0ken}}
";

/// A folder with files.
fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

fn args(kubeconfig: PathBuf) -> ConnectionArgs {
    ConnectionArgs { kubeconfig: Some(kubeconfig), ..ConnectionArgs::default() }
}

/// Connects, and sends the first request.
async fn reach(args: &ConnectionArgs) -> Result<(Connection, ServerVersion), ConnectError> {
    let connection = connect_in(args, &Environment::default()).await?;
    let version = server_version(&connection).await?;
    Ok((connection, version))
}

/// The error, which no part of shows a credential.
async fn error_of(args: &ConnectionArgs) -> ConnectError {
    let error = reach(args).await.unwrap_err();
    for text in [error.to_string(), error.next_step(), format!("{error:?}")] {
        assert!(!text.contains(SECRET), "{text}");
        assert!(!text.is_empty());
    }
    error
}

fn with(text: &str, change: &str, to: &str) -> TempDir {
    assert!(text.contains(change));
    folder(&[("config", &text.replace(change, to))])
}

#[tokio::test]
async fn without_a_kubeconfig_it_says_where_it_looked() {
    let home = folder(&[]);
    let environment = Environment { home: Some(home.path().to_owned()), ..Environment::default() };
    let error = connect_in(&ConnectionArgs::default(), &environment).await.unwrap_err();
    assert!(error.to_string().contains(home.path().join(".kube/config").to_str().unwrap()), "{error}");
    assert!(error.is_usage());

    let listed = std::env::join_paths([home.path().join("a"), home.path().join("b")]).unwrap();
    let environment = Environment { kubeconfig: Some(listed), ..environment };
    let error = connect_in(&ConnectionArgs::default(), &environment).await.unwrap_err();
    assert!(error.to_string().contains("/a, ") && error.to_string().contains("/b, "), "{error}");
}

#[tokio::test]
async fn files_that_are_no_kubeconfig_are_named_but_not_quoted() {
    let token_in_broken_yaml = format!("users:\n- name: a\n  user:\n    token: {SECRET}\n   bad: [\n");
    let token_in_wrong_place = format!("users: {SECRET}\n");
    let folder = folder(&[
        ("text", SECRET),
        ("broken", &token_in_broken_yaml),
        ("place", &token_in_wrong_place),
        ("list", &format!("- {SECRET}\n")),
    ]);
    std::fs::write(folder.path().join("binary"), [0xC3, 0x28, 0, 1, 2]).unwrap();
    for name in ["text", "broken", "place", "list", "binary"] {
        let error = error_of(&args(folder.path().join(name))).await;
        assert!(matches!(error, ConnectError::KubeconfigInvalid { .. }), "{name}: {error:?}");
        assert!(error.to_string().contains(name), "{error}");
        assert!(error.is_usage());
    }
    for path in [folder.path().to_owned(), folder.path().join("missing")] {
        let error = error_of(&args(path)).await;
        assert!(matches!(error, ConnectError::KubeconfigUnreadable { .. }), "{error:?}");
    }
}

#[tokio::test]
async fn entries_that_do_not_exist_are_named_with_those_that_do() {
    let folder = folder(&[("config", KUBECONFIG)]);
    let config = || args(folder.path().join("config"));
    let gone = || Some("gone".to_owned());
    for (args, what, existing) in [
        (ConnectionArgs { context: gone(), ..config() }, "context", "prod, test"),
        (ConnectionArgs { cluster: gone(), ..config() }, "cluster", "east, west"),
        (ConnectionArgs { user: gone(), ..config() }, "user", "admin"),
    ] {
        let error = error_of(&args).await;
        assert_eq!(error.to_string(), format!("the kubeconfig has no {what} \"gone\""));
        assert_eq!(error.next_step(), format!("There are: {existing}."));
    }
    let none = with(KUBECONFIG, "current-context: prod", "");
    let error = error_of(&args(none.path().join("config"))).await;
    assert_eq!(error.next_step(), "Choose one with --context NAME; there are: prod, test.");
    let dangling = with(KUBECONFIG, "cluster: east, user", "cluster: gone, user");
    let error = error_of(&args(dangling.path().join("config"))).await;
    assert!(matches!(error, ConnectError::NoSuchEntry { what: "cluster", .. }), "{error:?}");
}

#[tokio::test]
async fn flags_win_over_the_kubeconfig() {
    let folder = folder(&[("config", KUBECONFIG)]);
    let config = || args(folder.path().join("config"));
    let plain = connect_in(&config(), &Environment::default()).await.unwrap();
    assert_eq!(plain.context.as_deref(), Some("prod"));
    assert_eq!(plain.namespace, "shop");
    assert_eq!(plain.server, "http://127.0.0.1:1/k8s");
    assert!(!plain.in_cluster);
    let args = ConnectionArgs { context: Some("test".to_owned()), ..config() };
    let other = connect_in(&args, &Environment::default()).await.unwrap();
    assert_eq!((other.namespace.as_str(), other.server.as_str()), ("default", "https://127.0.0.1:1"));
    let args = ConnectionArgs { namespace: Some("a".to_owned()), server: Some("http://b".to_owned()), ..config() };
    let third = connect_in(&args, &Environment::default()).await.unwrap();
    assert_eq!((third.namespace.as_str(), third.server.as_str()), ("a", "http://b"));
}

#[tokio::test]
async fn kubeconfigs_of_a_list_are_merged_and_missing_ones_ignored() {
    let folder = folder(&[("first", "current-context: test\n"), ("second", KUBECONFIG)]);
    let listed = ["missing", "", "first", "second"].map(|name| match name {
        "" => PathBuf::new(),
        name => folder.path().join(name),
    });
    let environment = Environment { kubeconfig: Some(std::env::join_paths(listed).unwrap()), ..Environment::default() };
    let connection = connect_in(&ConnectionArgs::default(), &environment).await.unwrap();
    assert_eq!(connection.context.as_deref(), Some("test"));
}

#[tokio::test]
async fn a_server_by_flag_needs_no_kubeconfig() {
    let args = ConnectionArgs { server: Some("http://127.0.0.1:1".to_owned()), ..ConnectionArgs::default() };
    let connection = connect_in(&args, &Environment::default()).await.unwrap();
    assert_eq!((connection.server.as_str(), connection.context), ("http://127.0.0.1:1", None));
    for server in ["ftp://a", "http://", "https://a b", ""] {
        let args = ConnectionArgs { server: Some(server.to_owned()), ..ConnectionArgs::default() };
        let error = error_of(&args).await;
        assert!(matches!(error, ConnectError::Server { .. }), "{server}: {error:?}");
    }
}

#[tokio::test]
async fn a_pod_without_a_service_account_is_told() {
    // This machine is no pod: the account's files do not exist.
    let environment = Environment { pod: true, ..Environment::default() };
    let error = connect_in(&ConnectionArgs::default(), &environment).await.unwrap_err();
    assert!(matches!(error, ConnectError::ServiceAccount { .. }), "{error:?}");
}

#[tokio::test]
async fn impersonating_a_group_takes_a_user() {
    let folder = folder(&[("config", KUBECONFIG)]);
    let args = ConnectionArgs { as_group: vec!["a".to_owned()], ..args(folder.path().join("config")) };
    assert_eq!(error_of(&args).await.to_string(), "--as-group: needs --as USER beside it");
}

#[tokio::test]
async fn certificates_that_cannot_be_used_are_named() {
    let folder = folder(&[("pem", "no certificate"), ("config", KUBECONFIG)]);
    let config =
        || ConnectionArgs { server: Some("https://127.0.0.1:1".to_owned()), ..args(folder.path().join("config")) };
    let file = |name: &str| Some(folder.path().join(name));
    for (args, part) in [
        (ConnectionArgs { certificate_authority: file("gone"), ..config() }, "gone"),
        (ConnectionArgs { certificate_authority: file("pem"), ..config() }, "PEM"),
        (ConnectionArgs { client_certificate: file("pem"), ..config() }, "client key"),
        (ConnectionArgs { client_certificate: file("pem"), client_key: file("gone"), ..config() }, "gone"),
        (ConnectionArgs { client_certificate: file("pem"), client_key: file("pem"), ..config() }, "certificate"),
    ] {
        let error = error_of(&args).await;
        assert!(matches!(error, ConnectError::Certificate { .. }), "{error:?}");
        assert!(error.to_string().contains(part), "{error}");
        assert!(error.is_usage());
    }
    let text = KUBECONFIG.replace("server: 'http", "certificate-authority-data: '%%', server: 'http");
    std::fs::write(folder.path().join("config"), text).unwrap();
    let error = error_of(&args(folder.path().join("config"))).await;
    assert!(error.to_string().contains("base64"), "{error}");
}

/// A kubeconfig whose user logs in with a shell script.
fn plugin(script: &str, server: &str) -> TempDir {
    let exec = serde_json::json!({"exec": {
        "apiVersion": "client.authentication.k8s.io/v1", "command": "sh", "args": ["-c", script],
        "interactiveMode": "Never", "installHint": "Please install sh.",
    }});
    let text = KUBECONFIG.replace("{token: s3cr3t-t0ken}", &exec.to_string());
    folder(&[("config", &text.replace("http://user:pass@127.0.0.1:1/k8s", server))])
}

#[tokio::test]
async fn plugins_that_fail_are_named_and_their_output_is_not() {
    let broken = format!("echo {SECRET}; echo first >&2; echo 'session expired' >&2; exit 3");
    let config = plugin(&broken, "http://127.0.0.1:1");
    let error = error_of(&args(config.path().join("config"))).await;
    assert_eq!(error.to_string(), "the credential plugin \"sh\" failed: exit status: 3: session expired");
    assert!(!error.is_usage());

    let config = plugin(&format!("echo '{{\"status\": {SECRET}'"), "http://127.0.0.1:1");
    let error = error_of(&args(config.path().join("config"))).await;
    assert_eq!(error.to_string(), "the credential plugin \"sh\" failed: its answer holds no credentials");

    let config = plugin("exit 1", "http://127.0.0.1:1");
    let path = config.path().join("config");
    let text = std::fs::read_to_string(&path).unwrap().replace("\"sh\"", "\"no-such-plugin\"");
    std::fs::write(&path, text).unwrap();
    let error = error_of(&args(path)).await;
    assert_eq!(
        error.to_string(),
        "the credential plugin \"no-such-plugin\" cannot be started: there is no such program"
    );
    assert_eq!(error.next_step(), "Please install sh.");
}

/// Answers every request on a loopback port with the same bytes, and remembers what came.
struct Listener {
    address: String,
    heard: Arc<Mutex<String>>,
}

async fn talk(mut stream: impl AsyncRead + AsyncWrite + Unpin, answer: &str, heard: &Mutex<String>) {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        match stream.read(&mut byte).await {
            Ok(1) => request.push(byte[0]),
            _ => return,
        }
    }
    heard.lock().unwrap().push_str(&String::from_utf8_lossy(&request));
    let _ = stream.write_all(answer.as_bytes()).await;
    let _ = stream.shutdown().await;
}

async fn listen(answer: String, tls: Option<TlsAcceptor>) -> Listener {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let heard = Arc::new(Mutex::new(String::new()));
    let heard_here = Arc::clone(&heard);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            match &tls {
                None => talk(stream, &answer, &heard_here).await,
                Some(tls) => {
                    if let Ok(stream) = tls.accept(stream).await {
                        talk(stream, &answer, &heard_here).await;
                    }
                }
            }
        }
    });
    Listener { address, heard }
}

fn answer(status: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len())
}

fn version() -> String {
    answer("200 OK", r#"{"major":"1","minor":"36","gitVersion":"v1.36.0"}"#)
}

fn at(url: String) -> ConnectionArgs {
    ConnectionArgs { server: Some(url), token: SECRET.parse().ok(), ..ConnectionArgs::default() }
}

#[tokio::test]
async fn the_first_request_says_who_asks() {
    let listener = listen(version(), None).await;
    let args = ConnectionArgs {
        as_user: Some("jane".to_owned()),
        as_group: vec!["a".to_owned(), "b".to_owned()],
        as_uid: Some("7".to_owned()),
        as_user_extra: vec![("scope".to_owned(), "x".to_owned()), ("scope".to_owned(), "y".to_owned())],
        ..at(format!("http://{}", listener.address))
    };
    let (_, version) = reach(&args).await.unwrap();
    assert_eq!(version.git_version, "v1.36.0");
    let heard = listener.heard.lock().unwrap().to_lowercase();
    for line in [
        "get /version http/1.1",
        concat!("user-agent: snapready/", env!("CARGO_PKG_VERSION")),
        "authorization: bearer s3cr3t-t0ken",
        "impersonate-user: jane",
        "impersonate-group: a",
        "impersonate-group: b",
        "impersonate-uid: 7",
        "impersonate-extra-scope: x",
        "impersonate-extra-scope: y",
    ] {
        assert!(heard.lines().any(|heard| heard == line), "{line}: {heard}");
    }
}

#[tokio::test]
async fn a_plugins_token_is_sent() {
    let listener = listen(version(), None).await;
    let script = format!("echo '{{\"status\": {{\"token\": \"{SECRET}\"}}}}'");
    let config = plugin(&script, &format!("http://{}", listener.address));
    reach(&args(config.path().join("config"))).await.unwrap();
    assert!(listener.heard.lock().unwrap().contains(SECRET));
}

/// A plugin that counts in a file how often it ran, and gives a token with this expiry.
fn counting(count: &Path, expiry: &str, server: &str) -> TempDir {
    let status = format!("{{\"status\": {{\"token\": \"{SECRET}\", \"expirationTimestamp\": \"{expiry}\"}}}}");
    plugin(&format!("echo x >> '{}' || exit 1; echo '{status}'", count.display()), server)
}

#[tokio::test]
async fn a_plugin_runs_once_and_again_when_its_token_expires() {
    let folder = tempfile::tempdir().unwrap();
    let count = folder.path().join("count");
    let runs = || std::fs::read_to_string(&count).unwrap().len() / 2;
    let listener = listen(version(), None).await;
    let server = format!("http://{}", listener.address);

    let config = counting(&count, "2100-01-01T00:00:00Z", &server);
    let (connection, _) = reach(&args(config.path().join("config"))).await.unwrap();
    server_version(&connection).await.unwrap();
    assert_eq!(runs(), 1);
    assert!(listener.heard.lock().unwrap().contains(SECRET));

    let config = counting(&count, "2000-01-01T00:00:00Z", &server);
    let (connection, _) = reach(&args(config.path().join("config"))).await.unwrap();
    assert_eq!(runs(), 3);
    // One that cannot be renewed fails this request, and not the connection.
    std::fs::remove_file(&count).unwrap();
    std::fs::create_dir(&count).unwrap();
    let error = server_version(&connection).await.unwrap_err();
    assert!(matches!(error, ConnectError::Credentials { .. }), "{error:?}");
    std::fs::remove_dir(&count).unwrap();
    server_version(&connection).await.unwrap();
}

#[tokio::test]
async fn a_plugin_that_does_not_end_is_ended() {
    let config = plugin("exec sleep 600", "http://127.0.0.1:1");
    let limit = Duration::from_millis(300);
    let request_timeout = Some(RequestTimeout(Some(limit)));
    let error = error_of(&ConnectionArgs { request_timeout, ..args(config.path().join("config")) }).await;
    assert_eq!(error.to_string(), "the credential plugin \"sh\" did not end within 300ms");
    assert!(error.next_step().contains("--request-timeout"));
}

#[tokio::test]
async fn a_plugins_certificate_is_used() {
    let pem = |name: &str| format!("-----BEGIN {name}-----\nAAAA\n-----END {name}-----\n");
    let status = serde_json::json!({ "status": {
        "clientCertificateData": pem("CERTIFICATE"), "clientKeyData": pem("PRIVATE KEY") } });
    let config = plugin(&format!("cat <<'END'\n{status}\nEND"), "https://127.0.0.1:1");
    // That the key is none shows that it arrived.
    let error = error_of(&args(config.path().join("config"))).await;
    assert!(matches!(error, ConnectError::Certificate { .. }), "{error:?}");
}

#[tokio::test]
async fn a_plugin_that_asks_is_told_the_cluster() {
    let listener = listen(version(), None).await;
    // The answer's token is what the plugin was told.
    let script = "printf '{\"status\": {\"token\": \"%s\"}}' \"$(printf %s \"$KUBERNETES_EXEC_INFO\" | grep -o 'http://[^\"]*')\"";
    let config = plugin(script, &format!("http://{}", listener.address));
    let path = config.path().join("config");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace("\"interactiveMode\"", "\"provideClusterInfo\": true, \"interactiveMode\""))
        .unwrap();
    reach(&args(path)).await.unwrap();
    let told = format!("bearer http://{}\r\n", listener.address);
    assert!(listener.heard.lock().unwrap().to_lowercase().contains(&told), "{}", listener.heard.lock().unwrap());
}

#[tokio::test]
async fn a_proxy_is_used_unless_the_server_is_excepted() {
    let proxy = listen(answer("502 Bad Gateway", ""), None).await;
    let server = "https://api.example.invalid:6443";
    let config = with(KUBECONFIG, "http://user:pass@127.0.0.1:1/k8s", server);
    let args = args(config.path().join("config"));
    let mut environment = Environment::default();
    environment.proxies.https = Some(format!("http://{}", proxy.address));
    let connection = connect_in(&args, &environment).await.unwrap();
    server_version(&connection).await.unwrap_err();
    assert!(proxy.heard.lock().unwrap().starts_with("CONNECT api.example.invalid:6443 "));

    environment.proxies.https = Some("gopher://proxy".to_owned());
    let error = connect_in(&args, &environment).await.unwrap_err();
    assert!(matches!(error, ConnectError::Proxy { .. }), "{error:?}");
    environment.proxies.none = Some("example.invalid".to_owned());
    connect_in(&args, &environment).await.unwrap();
}

#[tokio::test]
async fn a_token_by_flag_replaces_every_other_credential() {
    let listener = listen(version(), None).await;
    let config = plugin("exit 1", &format!("http://{}", listener.address));
    let args = ConnectionArgs { token: SECRET.parse().ok(), ..args(config.path().join("config")) };
    reach(&args).await.unwrap();
    assert!(listener.heard.lock().unwrap().contains(SECRET));
}

#[tokio::test]
async fn answers_that_are_no_version_are_told_apart() {
    let refused = r#"{"kind":"Status","message":"users \"jane\" is forbidden","code":403}"#;
    for (answer, expected) in [
        (answer("401 Unauthorized", "{}"), "does not accept the credentials"),
        (answer("403 Forbidden", refused), "refuses the caller: users \"jane\" is forbidden"),
        (answer("200 OK", "<html>Log in</html>"), "not JSON"),
        (answer("200 OK", "{}"), "gitVersion"),
        (answer("404 Not Found", "page not found"), "404 Not Found page not found"),
        (answer("500 Internal Server Error", ""), "500"),
        (answer("302 Found", ""), "302"),
        ("SSH-2.0-OpenSSH_9.6\r\n".to_owned(), "does not answer like a Kubernetes API server"),
        (String::new(), "does not answer like a Kubernetes API server"),
    ] {
        let listener = listen(answer, None).await;
        let error = error_of(&at(format!("http://{}", listener.address))).await;
        assert!(error.to_string().contains(expected), "{expected}: {error}");
        assert!(error.to_string().contains(&listener.address), "{error}");
        assert!(!error.is_usage());
    }
}

#[tokio::test]
async fn servers_that_are_not_there_are_told_apart() {
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let error = error_of(&at(format!("https://{free}"))).await;
    assert_eq!(error.to_string(), format!("cannot reach the API server https://{free}: connection refused"));

    // Longer than a label of a name can be: no resolver has to be asked.
    let error = error_of(&at(format!("http://{}.example.com", "a".repeat(64)))).await;
    assert!(matches!(error, ConnectError::NameUnknown { .. }), "{error:?}");

    // Takes the connection, and says nothing.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    for scheme in ["http", "https"] {
        let limit = Duration::from_millis(50);
        let url = format!("{scheme}://{}", silent.local_addr().unwrap());
        let args = ConnectionArgs { request_timeout: Some(RequestTimeout(Some(limit))), ..at(url.clone()) };
        let error = error_of(&args).await;
        assert_eq!(error.to_string(), format!("cannot reach the API server {url}: no answer within 50ms"));
    }
}

fn testdata(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src/cluster/connect/testdata").join(name)
}

/// A server with one of the certificates in `testdata`.
async fn tls(certificate: &str) -> Listener {
    let chain = vec![CertificateDer::from_pem_file(testdata(certificate)).unwrap()];
    let key = PrivateKeyDer::from_pem_file(testdata("server.key")).unwrap();
    let config = ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key).unwrap();
    listen(version(), Some(TlsAcceptor::from(Arc::new(config)))).await
}

#[tokio::test]
async fn certificates_of_servers_are_verified() {
    for (certificate, authority, expected) in [
        ("server.pem", "ca.pem", None),
        ("server.pem", "other-ca.pem", Some("authority that is not trusted")),
        ("other-name.pem", "ca.pem", Some("for another name")),
        ("expired.pem", "ca.pem", Some("has expired")),
    ] {
        let listener = tls(certificate).await;
        let args = ConnectionArgs {
            certificate_authority: Some(testdata(authority)),
            ..at(format!("https://{}", listener.address))
        };
        match expected {
            None => assert_eq!(reach(&args).await.unwrap().1.git_version, "v1.36.0"),
            Some(expected) => {
                let error = error_of(&args).await;
                assert!(matches!(error, ConnectError::Tls { .. }), "{error:?}");
                assert!(error.to_string().contains(expected), "{error}");
            }
        }
        let args = ConnectionArgs { certificate_authority: None, insecure_skip_tls_verify: true, ..args };
        reach(&args).await.unwrap();
    }
}

#[tokio::test]
async fn the_servers_name_can_be_given() {
    let listener = tls("other-name.pem").await;
    let args = ConnectionArgs {
        certificate_authority: Some(testdata("ca.pem")),
        tls_server_name: Some("api.example.com".to_owned()),
        ..at(format!("https://{}", listener.address))
    };
    reach(&args).await.unwrap();
}

#[tokio::test]
async fn a_port_without_tls_is_told() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            // Any HTTP server's answer to a TLS handshake.
            let _ = stream.read(&mut [0; 16]).await;
            let _ = stream.write_all(answer("400 Bad Request", "").as_bytes()).await;
        }
    });
    let error = error_of(&at(url.clone())).await;
    assert_eq!(error.to_string(), format!("no secure connection to the API server {url}: it does not speak TLS"));
}
