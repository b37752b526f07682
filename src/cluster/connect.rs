//! Connecting: from flags to a client that has a time limit, a name, and no retries of its own.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Request, header};
use kube::Config;
use kube::client::{AuthError, ClientBuilder};
use snapready_checks::model::kubernetes::ServerVersion;
use snapready_checks::model::nulls;

use crate::api::{Client, Failure, NoAnswer, Policy, shorten};
use crate::cluster::error::ConnectError;
use crate::cluster::flags::{ConnectionArgs, Limits};
use crate::cluster::kubeconfig::{self, Chosen, Environment};
use crate::cluster::plugin::{Authorized, Plugin, Renewed};

/// A cluster that can be asked.
#[derive(Clone)]
pub struct Connection {
    /// The client, with the limit of `--request-timeout`.
    pub client: Client,
    /// The kubeconfig context, if one was used.
    pub context: Option<String>,
    /// The API server's URL, without credentials.
    pub server: String,
    /// The namespace that was asked for, else the context's or the pod's own, else `default`.
    pub namespace: String,
    /// Whether the pod's service account is used.
    pub in_cluster: bool,
    /// How long a single request may take; `None` for no limit.
    pub request_timeout: Option<Duration>,
    /// How long connecting may take; `None` for no limit.
    pub connect_timeout: Option<Duration>,
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection")
            .field("context", &self.context)
            .field("server", &self.server)
            .field("namespace", &self.namespace)
            .field("in_cluster", &self.in_cluster)
            .finish_non_exhaustive()
    }
}

impl Connection {
    /// A connection to a URL without credentials: the embedded cluster's. Reads neither kubeconfig nor environment.
    pub fn to_url(url: &str) -> Result<Self, ConnectError> {
        let cluster_url = url
            .parse()
            .map_err(|error| ConnectError::Server { reason: format!("the server's address is not a URL: {error}") })?;
        let chosen = Chosen { config: Config::new(cluster_url), context: None, in_cluster: false, plugin: None };
        let limits = Limits::from_flag(None);
        check_url(&chosen.config)?;
        build(chosen, limits, None)
    }
}

/// Makes a connection. No request is sent to the API server, but a credential plugin runs. Whether the server answers is seen by
/// the first request, [`server_version`].
pub async fn connect(args: &ConnectionArgs) -> Result<Connection, ConnectError> {
    connect_in(args, &Environment::of_process()).await
}

async fn connect_in(args: &ConnectionArgs, environment: &Environment) -> Result<Connection, ConnectError> {
    let mut chosen = kubeconfig::choose(args, environment)?;
    check_url(&chosen.config)?;
    let limits = Limits::from_flag(args.request_timeout);
    let token = match chosen.plugin.take() {
        Some(exec) => Plugin::new(exec, args.request_timeout)?.log_in(&mut chosen.config.auth_info).await?,
        None => None,
    };
    build(chosen, limits, token)
}

fn check_url(config: &Config) -> Result<(), ConnectError> {
    match config.cluster_url.scheme_str() {
        Some("http" | "https") if config.cluster_url.host().is_some() => Ok(()),
        _ => Err(ConnectError::Server { reason: "the server's address is not an http or https URL".to_owned() }),
    }
}

fn build(chosen: Chosen, limits: Limits, token: Option<Renewed>) -> Result<Connection, ConnectError> {
    let Chosen { mut config, context, in_cluster, plugin: _ } = chosen;
    // kube retries every method, POST included, up to 15 times and in silence.
    config.default_retry = false;
    if config.cluster_url.scheme_str() == Some("http") {
        // Nothing is encrypted, so nobody has to be trusted, and the system's certificates are many to read.
        config.root_cert.get_or_insert_default();
    }
    config.connect_timeout = limits.connect;
    config.read_timeout = None;
    config.write_timeout = limits.request;
    config
        .headers
        .push((header::USER_AGENT, HeaderValue::from_static(concat!("snapready/", env!("CARGO_PKG_VERSION")))));
    let server = shown(&config.cluster_url);
    let namespace = config.default_namespace.clone();
    let builder = ClientBuilder::try_from(config).map_err(|error| of_client(&error))?;
    let client = Client::new(builder.with_layer(&Authorized(token)).build(), limits.request);
    let (request_timeout, connect_timeout) = (limits.request, limits.connect);
    Ok(Connection { client, context, server, namespace, in_cluster, request_timeout, connect_timeout })
}

/// A URL without user and password.
fn shown(url: &http::Uri) -> String {
    let text = url.to_string();
    let text = match (text.split_once("://"), url.authority().and_then(|authority| authority.as_str().rsplit_once('@')))
    {
        (Some((scheme, rest)), Some((user, _))) => {
            format!("{scheme}://{}", rest.get(user.len() + 1..).unwrap_or_default())
        }
        _ => text,
    };
    text.trim_end_matches('/').to_owned()
}

/// kube's errors in building a client.
fn of_client(error: &kube::Error) -> ConnectError {
    match error {
        kube::Error::Auth(AuthError::ReadTokenFile(source, path)) => {
            ConnectError::Credentials { reason: format!("token file {}: {source}", path.display()) }
        }
        kube::Error::Auth(AuthError::InvalidBearerToken(_) | AuthError::InvalidBasicAuth(_)) => {
            ConnectError::Credentials {
                reason: "the token or password holds characters that no header can carry".to_owned(),
            }
        }
        kube::Error::Auth(_) => ConnectError::Credentials { reason: "the kubeconfig's user cannot be used".to_owned() },
        kube::Error::InferKubeconfig(error) => kubeconfig::of_kube(error),
        kube::Error::RustlsTls(error) => {
            ConnectError::Certificate { what: "a certificate or key".to_owned(), reason: error.to_string() }
        }
        kube::Error::ProxyProtocolUnsupported { .. } | kube::Error::ProxyProtocolDisabled { .. } => {
            ConnectError::Proxy { reason: "its protocol is not supported".to_owned() }
        }
        kube::Error::HttpError(_) => {
            ConnectError::Flag { flag: "--as", reason: "a user, group or key that no header can carry".to_owned() }
        }
        error => ConnectError::Server { reason: error.to_string() },
    }
}

/// How often the first request is sent while the server is too busy to answer it.
const TRIES: u32 = 5;

/// The first request of a run: shows whether the API server answers and knows the caller. Who cannot be reached is told at
/// once.
pub async fn server_version(connection: &Connection) -> Result<ServerVersion, ConnectError> {
    let server = connection.server.clone();
    let not_kubernetes = |reason: String| ConnectError::NotKubernetes { server: server.clone(), reason };
    let request = Request::get("/version").body(Bytes::new()).map_err(|error| not_kubernetes(error.to_string()))?;
    let policy = Policy::tries(TRIES, &|_| {}).if_answered();
    match connection.client.ask(request, &policy, |answer| Ok(answer.clone())).await {
        Ok(body) => match nulls::from_slice::<ServerVersion>(&body) {
            Ok(version) if !version.git_version.is_empty() => Ok(version),
            Ok(_) => Err(not_kubernetes("its answer to GET /version holds no gitVersion".to_owned())),
            Err(_) => Err(not_kubernetes("its answer to GET /version is not JSON".to_owned())),
        },
        Err(Failure { no_answer: Some(why), .. }) => Err(unreachable(why, connection)),
        Err(failure) => Err(match failure.status {
            401 => ConnectError::Unauthorized { server },
            403 => ConnectError::Forbidden { server, reason: shorten(&failure.message) },
            _ => not_kubernetes(format!("GET /version: {failure}")),
        }),
    }
}

fn unreachable(why: NoAnswer, connection: &Connection) -> ConnectError {
    let server = connection.server.clone();
    match why {
        NoAnswer::TimedOut { connecting } => {
            let limit = if connecting { connection.connect_timeout } else { connection.request_timeout };
            match limit {
                Some(limit) => ConnectError::TimedOut { server, limit },
                // Without a limit of snapready's own it is the system's.
                None => ConnectError::Unreachable { server, reason: "connection timed out".to_owned() },
            }
        }
        NoAnswer::NameUnknown(reason) => ConnectError::NameUnknown { server, reason },
        NoAnswer::Tls { reason, next } => ConnectError::Tls { server, reason, next },
        NoAnswer::NoConnection(reason) => ConnectError::Unreachable { server, reason },
        NoAnswer::Credentials => ConnectError::Credentials { reason: "they could not be renewed".to_owned() },
        NoAnswer::Broken(reason) | NoAnswer::Other(reason) => ConnectError::NotKubernetes { server, reason },
    }
}

#[cfg(test)]
mod tests;
