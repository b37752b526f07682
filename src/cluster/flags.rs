//! The connection flags, with kubectl's names and words (`kubernetes/cli-runtime`, `config_flags.go`).

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::Args;

/// The heading of these flags in the help, by which they are known.
pub(crate) const HEADING: &str = "Connection";

/// How to reach the cluster, and as whom. All flags may stand before or after the subcommand.
#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
pub struct ConnectionArgs {
    /// Path to the kubeconfig file to use for CLI requests [default: the list in $KUBECONFIG, ~/.kube/config; in a pod
    /// its service account]
    #[arg(long, global = true, help_heading = HEADING, value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,
    /// The name of the kubeconfig context to use
    #[arg(long, global = true, help_heading = HEADING, value_name = "NAME")]
    pub context: Option<String>,
    /// The name of the kubeconfig cluster to use
    #[arg(long, global = true, help_heading = HEADING, value_name = "NAME")]
    pub cluster: Option<String>,
    /// The name of the kubeconfig user to use
    #[arg(long, global = true, help_heading = HEADING, value_name = "NAME")]
    pub user: Option<String>,
    /// If present, the namespace scope for this CLI request
    #[arg(short, long, global = true, help_heading = HEADING)]
    pub namespace: Option<String>,
    /// Username to impersonate for the operation. User could be a regular user or a service account in a namespace.
    #[arg(long = "as", global = true, help_heading = HEADING, value_name = "USER")]
    pub as_user: Option<String>,
    /// Group to impersonate for the operation, this flag can be repeated to specify multiple groups.
    #[arg(long, global = true, help_heading = HEADING, value_name = "GROUP")]
    pub as_group: Vec<String>,
    /// UID to impersonate for the operation.
    #[arg(long, global = true, help_heading = HEADING, value_name = "UID")]
    pub as_uid: Option<String>,
    /// User extras to impersonate for the operation, this flag can be repeated to specify multiple values for the same
    /// key.
    #[arg(long, global = true, help_heading = HEADING, value_name = "KEY=VALUE", value_parser = user_extra)]
    pub as_user_extra: Vec<(String, String)>,
    /// The length of time to wait before giving up on a single server request. Non-zero values should contain a
    /// corresponding time unit (e.g. 1s, 2m, 3h); without one they are seconds. A value of zero means don't timeout
    /// requests. [default: 30s, and 1.8s to connect]
    #[arg(long, global = true, help_heading = HEADING, value_name = "DURATION")]
    pub request_timeout: Option<RequestTimeout>,
    /// The address and port of the Kubernetes API server
    #[arg(short, long, global = true, help_heading = HEADING, value_name = "URL")]
    pub server: Option<String>,
    /// Bearer token for authentication to the API server
    #[arg(long, global = true, help_heading = HEADING)]
    pub token: Option<Token>,
    /// Server name to use for server certificate validation. If it is not provided, the hostname used to contact the
    /// server is used
    #[arg(long, global = true, help_heading = HEADING, value_name = "NAME")]
    pub tls_server_name: Option<String>,
    /// Path to a cert file for the certificate authority
    #[arg(long, global = true, help_heading = HEADING, value_name = "FILE")]
    pub certificate_authority: Option<PathBuf>,
    /// Path to a client certificate file for TLS
    #[arg(long, global = true, help_heading = HEADING, value_name = "FILE")]
    pub client_certificate: Option<PathBuf>,
    /// Path to a client key file for TLS
    #[arg(long, global = true, help_heading = HEADING, value_name = "FILE")]
    pub client_key: Option<PathBuf>,
    /// If true, the server's certificate will not be checked for validity. This will make your HTTPS connections
    /// insecure
    #[arg(long, global = true, help_heading = HEADING)]
    pub insecure_skip_tls_verify: bool,
    /// If true, opt-out of response compression for all requests to the server
    #[arg(long, global = true, help_heading = HEADING)]
    pub disable_compression: bool,
}

fn user_extra(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("want KEY=VALUE".to_owned()),
    }
}

/// A bearer token. It has no way to show itself.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// The token itself, for the request that carries it and nothing else.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token(…)")
    }
}

impl FromStr for Token {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let visible = text.bytes().all(|byte| byte.is_ascii_graphic());
        if text.is_empty() || !visible {
            return Err("a token is not empty and has no spaces, line ends or other special characters");
        }
        Ok(Self(text.to_owned()))
    }
}

/// How long a single request may take; `None` for no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestTimeout(pub Option<Duration>);

impl FromStr for RequestTimeout {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let duration = match text.parse::<u64>() {
            Ok(seconds) => Duration::from_secs(seconds),
            Err(_) => humantime::parse_duration(text).map_err(|_| "want a duration such as 30s, 2m or 0".to_owned())?,
        };
        Ok(Self((!duration.is_zero()).then_some(duration)))
    }
}

/// The limits that follow from `--request-timeout`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Limits {
    /// Name look-up, TCP and TLS together.
    pub(super) connect: Option<Duration>,
    /// From sending a request to the end of the answer; of a watch to its beginning.
    pub(super) request: Option<Duration>,
}

impl Limits {
    /// Without the flag a server that is not there is reported within 2 s, but one that is slow is waited for.
    pub(super) fn from_flag(flag: Option<RequestTimeout>) -> Self {
        match flag {
            Some(RequestTimeout(limit)) => Self { connect: limit, request: limit },
            None => Self { connect: Some(Duration::from_millis(1800)), request: Some(Duration::from_secs(30)) },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::{Parser, Subcommand};

    #[derive(Debug, Parser)]
    struct Program {
        #[command(flatten)]
        connection: ConnectionArgs,
        #[command(subcommand)]
        command: Command,
    }

    #[derive(Debug, Subcommand)]
    enum Command {
        Check,
    }

    fn parse(arguments: &[&str]) -> Result<ConnectionArgs, clap::Error> {
        Program::try_parse_from(std::iter::once(&"snapready").chain(arguments)).map(|program| {
            let Command::Check = program.command;
            program.connection
        })
    }

    #[test]
    fn flags_stand_before_and_after_the_subcommand() {
        for arguments in [
            ["--context", "prod", "-n", "a", "--as-group=x", "--as-group=y", "check"],
            ["check", "--context", "prod", "-n", "a", "--as-group=x", "--as-group=y"],
        ] {
            let parsed = parse(&arguments).unwrap();
            assert_eq!(parsed.context.as_deref(), Some("prod"));
            assert_eq!(parsed.namespace.as_deref(), Some("a"));
            assert_eq!(parsed.as_group, ["x", "y"]);
        }
    }

    #[test]
    fn request_timeout_is_read_as_kubectl_does() {
        let seconds = |n| RequestTimeout(Some(Duration::from_secs(n)));
        for (text, expected) in [
            ("30", seconds(30)),
            ("30s", seconds(30)),
            ("1m30s", seconds(90)),
            ("0", RequestTimeout(None)),
            ("0s", RequestTimeout(None)),
        ] {
            assert_eq!(text.parse(), Ok(expected), "{text}");
        }
        for text in ["", "-1", "soon", "1 fortnight", "99999999999999999999999", "1.5"] {
            assert!(text.parse::<RequestTimeout>().is_err(), "{text}");
        }
    }

    #[test]
    fn bad_values_are_refused_without_repeating_a_token() {
        assert!(parse(&["check", "--as-user-extra", "novalue"]).is_err());
        let parsed = parse(&["check", "--token", "s3cret"]).unwrap();
        assert!(!format!("{parsed:?}").contains("s3cret"));
    }

    #[test]
    fn a_server_that_is_not_there_is_reported_within_two_seconds() {
        let limits = Limits::from_flag(None);
        assert!(limits.connect.is_some_and(|limit| limit < Duration::from_secs(2)), "{limits:?}");
        let unlimited = Limits::from_flag(Some(RequestTimeout(None)));
        assert_eq!((unlimited.connect, unlimited.request), (None, None));
    }
}
