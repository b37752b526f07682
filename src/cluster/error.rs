//! Why no connection came about, for people: what happened, and what to do next.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::Duration;

/// Why no connection came about. `Display` says what happened in one line, [`ConnectError::next_step`] what to do.
/// Neither ever holds a token, a key or a line of the kubeconfig.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// A flag that cannot be used like this.
    #[error("{flag}: {reason}")]
    Flag {
        /// The flag.
        flag: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// There is no kubeconfig, and this is not a pod.
    #[error("no kubeconfig found: looked at {}, and this is not a pod", list_paths(looked_at))]
    NoKubeconfig {
        /// Where it was looked for.
        looked_at: Vec<PathBuf>,
    },
    /// A kubeconfig that cannot be read.
    #[error("kubeconfig {} cannot be read: {reason}", path.display())]
    KubeconfigUnreadable {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        reason: String,
    },
    /// A file that is not a kubeconfig. Nothing of its content is repeated: it may hold credentials.
    #[error("kubeconfig {} is not valid: {reason}", path.display())]
    KubeconfigInvalid {
        /// The file.
        path: PathBuf,
        /// What is wrong, with line and column.
        reason: String,
    },
    /// No context is current, and none was named.
    #[error("the kubeconfig has no current context")]
    NoCurrentContext {
        /// The contexts that exist.
        contexts: Vec<String>,
    },
    /// A context, cluster or user that the kubeconfig does not have.
    #[error("the kubeconfig has no {what} {name:?}")]
    NoSuchEntry {
        /// `context`, `cluster` or `user`.
        what: &'static str,
        /// Its name.
        name: String,
        /// Those that exist.
        existing: Vec<String>,
    },
    /// A cluster without a server, or a server that is not a URL.
    #[error("{reason}")]
    Server {
        /// What is wrong.
        reason: String,
    },
    /// A certificate or key that cannot be used.
    #[error("{what} cannot be used: {reason}")]
    Certificate {
        /// Which one, and where from.
        what: String,
        /// What is wrong.
        reason: String,
    },
    /// The pod's service account cannot be used.
    #[error("this pod's service account cannot be used: {reason}")]
    ServiceAccount {
        /// What is wrong.
        reason: String,
    },
    /// The kubeconfig's credential plugin is not installed.
    #[error("the credential plugin {command:?} cannot be started: {reason}")]
    PluginMissing {
        /// The command.
        command: String,
        /// The system's reason.
        reason: String,
        /// The kubeconfig's own hint on how to install it.
        install_hint: Option<String>,
    },
    /// The kubeconfig's credential plugin failed.
    #[error("the credential plugin {command:?} failed: {reason}")]
    PluginFailed {
        /// The command.
        command: String,
        /// Its exit status and the last line that it wrote to stderr, or what is wrong with its answer.
        reason: String,
    },
    /// The kubeconfig's credential plugin does not end.
    #[error("the credential plugin {command:?} did not end within {}", humantime::format_duration(*limit))]
    PluginTimedOut {
        /// The command.
        command: String,
        /// The limit that ran out.
        limit: Duration,
    },
    /// Credentials that cannot be used.
    #[error("the credentials cannot be used: {reason}")]
    Credentials {
        /// What is wrong.
        reason: String,
    },
    /// The proxy cannot be used.
    #[error("the proxy cannot be used: {reason}")]
    Proxy {
        /// What is wrong.
        reason: String,
    },
    /// The server's name is unknown.
    #[error("cannot reach the API server {server}: its name cannot be looked up: {reason}")]
    NameUnknown {
        /// The URL.
        server: String,
        /// The resolver's reason.
        reason: String,
    },
    /// Nothing listens there, or no route leads there.
    #[error("cannot reach the API server {server}: {reason}")]
    Unreachable {
        /// The URL.
        server: String,
        /// The system's reason.
        reason: String,
    },
    /// Nothing came back in time.
    #[error("cannot reach the API server {server}: no answer within {}", humantime::format_duration(*limit))]
    TimedOut {
        /// The URL.
        server: String,
        /// The limit that ran out.
        limit: Duration,
    },
    /// The server's certificate is not trusted, or it speaks no TLS.
    #[error("no secure connection to the API server {server}: {reason}")]
    Tls {
        /// The URL.
        server: String,
        /// What is wrong.
        reason: String,
        /// What to do about it.
        next: &'static str,
    },
    /// The credentials were refused (401).
    #[error("the API server {server} does not accept the credentials: they have expired, or it does not know them")]
    Unauthorized {
        /// The URL.
        server: String,
    },
    /// The caller may not even ask for the version (403).
    #[error("the API server {server} refuses the caller: {reason}")]
    Forbidden {
        /// The URL.
        server: String,
        /// The server's reason.
        reason: String,
    },
    /// Something answers, but not as an API server.
    #[error("{server} does not answer like a Kubernetes API server: {reason}")]
    NotKubernetes {
        /// The URL.
        server: String,
        /// What came back.
        reason: String,
    },
}

impl ConnectError {
    /// Whether the call itself was wrong (exit code 2): trying again cannot help. All others mean that the answer is
    /// inconclusive (exit code 3).
    #[must_use]
    pub fn is_usage(&self) -> bool {
        match self {
            Self::Flag { .. }
            | Self::NoKubeconfig { .. }
            | Self::KubeconfigUnreadable { .. }
            | Self::KubeconfigInvalid { .. }
            | Self::NoCurrentContext { .. }
            | Self::NoSuchEntry { .. }
            | Self::Server { .. }
            | Self::Certificate { .. }
            | Self::Proxy { .. } => true,
            Self::ServiceAccount { .. }
            | Self::PluginMissing { .. }
            | Self::PluginFailed { .. }
            | Self::PluginTimedOut { .. }
            | Self::Credentials { .. }
            | Self::NameUnknown { .. }
            | Self::Unreachable { .. }
            | Self::TimedOut { .. }
            | Self::Tls { .. }
            | Self::Unauthorized { .. }
            | Self::Forbidden { .. }
            | Self::NotKubernetes { .. } => false,
        }
    }

    /// What to do, as a sentence.
    #[must_use]
    pub fn next_step(&self) -> String {
        match self {
            Self::Flag { .. } => "See `snapready --help`.".to_owned(),
            Self::NoKubeconfig { .. } => {
                "Name one with --kubeconfig FILE or $KUBECONFIG, or try without a cluster: `snapready demo`.".to_owned()
            }
            Self::KubeconfigUnreadable { .. } => {
                "Name another one with --kubeconfig FILE, or correct the file's permissions.".to_owned()
            }
            Self::KubeconfigInvalid { path, .. } => {
                format!("Correct it; `kubectl config view --kubeconfig {}` reads the same file.", path.display())
            }
            Self::NoCurrentContext { contexts } if contexts.is_empty() => {
                "It has no contexts at all: name another one with --kubeconfig FILE.".to_owned()
            }
            Self::NoCurrentContext { contexts } => {
                format!("Choose one with --context NAME; there are: {}.", names(contexts))
            }
            Self::NoSuchEntry { what, existing, .. } if existing.is_empty() => {
                format!("It has no {what}s at all: name another kubeconfig with --kubeconfig FILE.")
            }
            Self::NoSuchEntry { existing, .. } => format!("There are: {}.", names(existing)),
            Self::Server { .. } => {
                "Give the address as https://HOST:PORT, in the kubeconfig or with --server.".to_owned()
            }
            Self::Certificate { .. } => "Correct the kubeconfig or the flag that names it.".to_owned(),
            Self::ServiceAccount { .. } => {
                "Set automountServiceAccountToken: true in the pod, or name a kubeconfig with --kubeconfig FILE."
                    .to_owned()
            }
            Self::PluginMissing { install_hint: Some(hint), .. } => hint.clone(),
            Self::PluginMissing { install_hint: None, .. } => {
                "Install it or put it into $PATH: the kubeconfig's user needs it to log in.".to_owned()
            }
            Self::PluginFailed { command, .. } => {
                format!(
                    "Log in again as your provider describes, then try the same: {command:?} must succeed on its own."
                )
            }
            Self::PluginTimedOut { command, .. } => format!(
                "Run {command:?} on its own to see what it waits for; if it is only slow, give it longer: --request-timeout 2m."
            ),
            Self::Credentials { .. } => "Correct the kubeconfig's user, or log in again.".to_owned(),
            Self::Proxy { .. } => {
                "Correct proxy-url in the kubeconfig or $HTTPS_PROXY; http, https and socks5 proxies are known."
                    .to_owned()
            }
            Self::NameUnknown { .. } => {
                "Check the server's name in the kubeconfig, the DNS and, if there is one, the VPN.".to_owned()
            }
            Self::Unreachable { .. } => {
                "Check that the cluster runs and that this machine may reach it (VPN, proxy, firewall); \
                 `kubectl cluster-info` asks the same server."
                    .to_owned()
            }
            Self::TimedOut { .. } => {
                "Check VPN, proxy and firewall; if the server is only slow, give it longer: --request-timeout 30s."
                    .to_owned()
            }
            Self::Tls { next, .. } => (*next).to_owned(),
            Self::Unauthorized { .. } => {
                "Log in again; `kubectl auth whoami` with the same flags shows who the server takes you for.".to_owned()
            }
            Self::Forbidden { .. } => {
                "Ask an administrator to bind ClusterRole system:discovery; with --as, the right to impersonate."
                    .to_owned()
            }
            Self::NotKubernetes { .. } => {
                "Check the server's address in the kubeconfig: it may be a proxy, a login page or another service."
                    .to_owned()
            }
        }
    }
}

fn list_paths(paths: &[PathBuf]) -> String {
    match paths {
        [] => "no place, for neither $KUBECONFIG nor a home directory is set".to_owned(),
        paths => paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", "),
    }
}

/// Names in a row, of a long list only the first.
fn names(names: &[String]) -> String {
    const SHOWN: usize = 10;
    let mut text = names.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ");
    if names.len() > SHOWN {
        let _ = write!(text, " and {} more", names.len() - SHOWN);
    }
    text
}
