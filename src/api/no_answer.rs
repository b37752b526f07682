//! Why a request got no answer, read from the types in its chain of causes and not from their wording.

use std::error::Error;
use std::io;

use super::limit::Elapsed;

/// The credentials of a request could not be renewed, so that it was not sent.
#[derive(Debug, thiserror::Error)]
#[error("the credentials could not be renewed")]
pub(crate) struct NotRenewed;

/// Why a request got no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NoAnswer {
    /// Its time is over.
    TimedOut {
        /// To connect; else to be answered.
        connecting: bool,
    },
    /// The name cannot be looked up.
    NameUnknown(String),
    /// The certificate is not trusted, or no TLS is spoken.
    Tls {
        /// For people.
        reason: String,
        /// What to do.
        next: &'static str,
    },
    /// The connection could not be opened.
    NoConnection(String),
    /// The connection was opened and broke.
    Broken(String),
    /// Credentials for the request could not be had.
    Credentials,
    /// Something else.
    Other(String),
}

impl NoAnswer {
    /// Whether the same request may well be answered a moment later.
    pub(super) fn is_transient(&self) -> bool {
        matches!(self, Self::NoConnection(_) | Self::Broken(_) | Self::TimedOut { .. })
    }

    /// Whether the request was never sent.
    pub(super) fn was_not_sent(&self) -> bool {
        match self {
            Self::TimedOut { connecting } => *connecting,
            Self::NameUnknown(_) | Self::NoConnection(_) | Self::Credentials => true,
            // A server may refuse a client's certificate after the request was sent (TLS 1.3).
            Self::Tls { .. } | Self::Broken(_) | Self::Other(_) => false,
        }
    }

    /// For people, as the end of a sentence.
    pub(crate) fn reason(&self) -> String {
        match self {
            Self::TimedOut { connecting: true } => "no connection in time".to_owned(),
            Self::TimedOut { connecting: false } => "no answer in time".to_owned(),
            Self::NameUnknown(reason) => format!("the server's name cannot be looked up: {reason}"),
            Self::Tls { reason, .. } | Self::NoConnection(reason) | Self::Broken(reason) | Self::Other(reason) => {
                reason.clone()
            }
            Self::Credentials => "the credentials could not be renewed".to_owned(),
        }
    }

    /// Reads the chain of causes.
    pub(super) fn of(error: &(dyn Error + 'static)) -> Self {
        let mut connecting = false;
        let mut broken = None;
        let mut next = Some(error);
        // Sources may form a cycle; no real chain is this long.
        for _ in 0..32 {
            let Some(error) = next else { break };
            if error.is::<Elapsed>() {
                return Self::TimedOut { connecting: false };
            }
            if let Some(kube::Error::Auth(_)) = error.downcast_ref() {
                return Self::Credentials;
            }
            // A plugin's token that could not be renewed, or a token file.
            if error.is::<NotRenewed>() || error.is::<kube::client::AuthError>() {
                return Self::Credentials;
            }
            if let Some(tls) = error.downcast_ref::<rustls::Error>() {
                return of_tls(tls);
            }
            if let Some(client) = error.downcast_ref::<hyper_util::client::legacy::Error>() {
                connecting |= client.is_connect();
            }
            if let Some(http) = error.downcast_ref::<hyper::Error>()
                && (http.is_incomplete_message() || http.is_closed() || http.is_canceled())
            {
                broken = Some("the connection was closed before the answer was complete".to_owned());
            }
            // The resolver's error has no type of its own outside of hyper-util.
            if connecting && error.to_string() == "dns error" {
                let reason = error.source().map_or_else(String::new, ToString::to_string);
                let reason = reason.strip_prefix("failed to lookup address information: ").unwrap_or(&reason);
                return Self::NameUnknown(reason.to_owned());
            }
            next = error.source();
            if let Some(system) = error.downcast_ref::<io::Error>() {
                if system.kind() == io::ErrorKind::TimedOut {
                    return Self::TimedOut { connecting };
                }
                broken = Some(plain(system));
                // An io::Error hides what it wraps from `source`.
                if let Some(inner) = system.get_ref() {
                    next = Some(inner);
                }
            }
        }
        match broken {
            Some(reason) if connecting => Self::NoConnection(reason),
            Some(reason) => Self::Broken(reason),
            None if connecting => Self::NoConnection(innermost(error)),
            None => Self::Other(innermost(error)),
        }
    }
}

/// The system's words without the number of the error.
fn plain(error: &io::Error) -> String {
    let text = error.to_string();
    match text.split_once(" (os error") {
        Some((text, _)) => text.to_lowercase(),
        None => text,
    }
}

fn innermost(error: &(dyn Error + 'static)) -> String {
    let mut innermost = error;
    for _ in 0..32 {
        match innermost.source() {
            Some(source) => innermost = source,
            None => break,
        }
    }
    innermost.to_string()
}

fn of_tls(error: &rustls::Error) -> NoAnswer {
    use rustls::CertificateError as Bad;
    const AUTHORITY: &str =
        "Check certificate-authority-data in the kubeconfig, or name the right one with --certificate-authority FILE.";
    const NAME: &str = "Check the server's address, or give the name in its certificate with --tls-server-name NAME.";
    const DATE: &str = "Renew the server's certificate, and check this machine's clock.";
    const OTHER: &str =
        "Check that the address is the API server's and not another port's, and that no proxy is in between.";
    let (reason, next) = match error {
        rustls::Error::InvalidCertificate(bad) => match bad {
            Bad::UnknownIssuer => {
                ("its certificate was issued by an authority that is not trusted".to_owned(), AUTHORITY)
            }
            Bad::NotValidForName | Bad::NotValidForNameContext { .. } => {
                ("its certificate is for another name".to_owned(), NAME)
            }
            Bad::Expired | Bad::ExpiredContext { .. } => ("its certificate has expired".to_owned(), DATE),
            Bad::NotValidYet | Bad::NotValidYetContext { .. } => ("its certificate is not valid yet".to_owned(), DATE),
            bad => (format!("its certificate is not valid: {bad}"), AUTHORITY),
        },
        rustls::Error::InvalidMessage(_) => ("it does not speak TLS".to_owned(), OTHER),
        rustls::Error::AlertReceived(alert) => (format!("it ended the TLS handshake: {alert:?}"), OTHER),
        error => (error.to_string(), OTHER),
    };
    NoAnswer::Tls { reason, next }
}
