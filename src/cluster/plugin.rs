//! A kubeconfig's credential plugin: a program that prints credentials as an `ExecCredential`. It runs once, with a limit, and
//! again only when its token is about to expire. kube's own way runs it three times, and waits for it for ever.

use std::io::{ErrorKind, IsTerminal};
use std::process::{Output, Stdio};
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use futures::FutureExt;
use futures::future::{BoxFuture, Either};
use http::{HeaderValue, Request, header};
use jiff::{SignedDuration, Timestamp};
use kube::client::Body;
use kube::config::{AuthInfo, ExecConfig, ExecInteractiveMode};
use serde::Deserialize;
use serde_json::json;
use tokio::process::Command;
use tower::{BoxError, Layer, Service};

use crate::api::{NotRenewed, shorten};
use crate::cluster::error::ConnectError;
use crate::cluster::flags::{Limits, RequestTimeout};

/// A token that expires in less than this is renewed before the next request.
const MARGIN: SignedDuration = SignedDuration::from_secs(60);

/// What somebody may take who logs in with a browser and a second factor.
const LOGGING_IN: Duration = Duration::from_secs(300);

/// A credential plugin.
pub(super) struct Plugin {
    exec: ExecConfig,
    command: String,
    /// Whether somebody is there whom it may ask.
    interactive: bool,
    limit: Option<Duration>,
}

#[derive(Deserialize)]
struct ExecCredential {
    status: Option<ExecCredentialStatus>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ExecCredentialStatus {
    expiration_timestamp: Option<Timestamp>,
    token: Option<String>,
    client_certificate_data: Option<String>,
    client_key_data: Option<String>,
}

impl Plugin {
    /// `limit` is for each time that it runs; without one that was asked for, people get more time than programs.
    pub(super) fn new(exec: ExecConfig, asked: Option<RequestTimeout>) -> Result<Self, ConnectError> {
        let Some(command) = exec.command.clone().filter(|command| !command.is_empty()) else {
            return Err(ConnectError::Credentials {
                reason: "the kubeconfig's credential plugin has no command".to_owned(),
            });
        };
        let terminal = std::io::stdin().is_terminal();
        let interactive = match exec.interactive_mode {
            Some(ExecInteractiveMode::Never) => false,
            Some(ExecInteractiveMode::IfAvailable) | None => terminal,
            Some(ExecInteractiveMode::Always) if terminal => true,
            Some(ExecInteractiveMode::Always) => {
                let reason = "it has to ask somebody, and standard input is no terminal".to_owned();
                return Err(ConnectError::PluginFailed { command, reason });
            }
        };
        let limit = match asked {
            None if interactive => Some(LOGGING_IN),
            asked => Limits::from_flag(asked).request,
        };
        Ok(Self { exec, command, interactive, limit })
    }

    /// Runs it and puts what it gives into `user`, but for a token that expires, which comes back.
    pub(super) async fn log_in(self, user: &mut AuthInfo) -> Result<Option<Renewed>, ConnectError> {
        let status = self.run().await?;
        if let (Some(certificate), Some(key)) = (status.client_certificate_data, status.client_key_data) {
            user.client_certificate_data = Some(BASE64_STANDARD.encode(certificate));
            user.client_key_data = Some(BASE64_STANDARD.encode(key).into());
        } else if status.token.is_none() {
            return Err(self.failed("its answer holds no credentials"));
        }
        match (status.token, status.expiration_timestamp) {
            (Some(token), Some(expires_at)) => {
                let header = self.header(&token)?;
                Ok(Some(Renewed { plugin: Arc::new(self), header, expires_at }))
            }
            (token, _) => {
                user.token = token.map(Into::into);
                Ok(None)
            }
        }
    }

    fn failed(&self, reason: &str) -> ConnectError {
        ConnectError::PluginFailed { command: self.command.clone(), reason: reason.to_owned() }
    }

    fn header(&self, token: &str) -> Result<HeaderValue, ConnectError> {
        let mut header = HeaderValue::try_from(format!("Bearer {token}"))
            .map_err(|_| self.failed("its token holds characters that no header can carry"))?;
        header.set_sensitive(true);
        Ok(header)
    }

    /// What it prints is never shown: credentials are in it.
    async fn run(&self) -> Result<ExecCredentialStatus, ConnectError> {
        let output = self.started()?;
        let output = match self.limit {
            Some(limit) => tokio::time::timeout(limit, output)
                .await
                .map_err(|_| ConnectError::PluginTimedOut { command: self.command.clone(), limit })?,
            None => output.await,
        };
        let output = output.map_err(|error| self.failed(&error.to_string()))?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            let last = said.lines().map(str::trim).rfind(|line| !line.is_empty()).unwrap_or_default();
            let status = output.status.to_string();
            return Err(self.failed(&if last.is_empty() { status } else { format!("{status}: {}", shorten(last)) }));
        }
        let text = String::from_utf8(output.stdout).unwrap_or_default();
        let credential: Option<ExecCredential> = serde_saphyr::from_str(&text).ok();
        credential
            .and_then(|credential| credential.status)
            .ok_or_else(|| self.failed("its answer holds no credentials"))
    }

    /// Starts it. It is killed when nobody waits for its output any more.
    fn started(&self) -> Result<impl Future<Output = std::io::Result<Output>> + use<>, ConnectError> {
        let mut spec = json!({ "interactive": self.interactive });
        if let (Some(cluster), Some(spec)) = (&self.exec.cluster, spec.as_object_mut()) {
            spec.insert("cluster".to_owned(), json!(cluster));
        }
        let info = json!({ "apiVersion": self.exec.api_version, "kind": "ExecCredential", "spec": spec });
        let mut command = Command::new(&self.command);
        command
            .args(self.exec.args.iter().flatten())
            .envs(self.exec.env.iter().flatten().filter_map(|entry| Some((entry.get("name")?, entry.get("value")?))))
            .env("KUBERNETES_EXEC_INFO", info.to_string())
            .stdin(if self.interactive { Stdio::inherit() } else { Stdio::null() })
            .stdout(Stdio::piped())
            .stderr(if self.interactive { Stdio::inherit() } else { Stdio::piped() })
            .kill_on_drop(true);
        let child = command.spawn().map_err(|error| ConnectError::PluginMissing {
            command: self.command.clone(),
            reason: match error.kind() {
                ErrorKind::NotFound => "there is no such program".to_owned(),
                ErrorKind::PermissionDenied => "it may not be executed".to_owned(),
                _ => "the system refused".to_owned(),
            },
            install_hint: self.exec.install_hint.clone().filter(|hint| !hint.is_empty()),
        })?;
        Ok(child.wait_with_output())
    }
}

/// A token that expires, and what renews it.
#[derive(Clone)]
pub(super) struct Renewed {
    plugin: Arc<Plugin>,
    header: HeaderValue,
    expires_at: Timestamp,
}

impl Renewed {
    async fn again(mut self) -> Result<Self, ConnectError> {
        let status = self.plugin.run().await?;
        let token = status.token.ok_or_else(|| self.plugin.failed("its answer holds no token any more"))?;
        self.header = self.plugin.header(&token)?;
        // A token that does not say when it expires is good for the rest of the run.
        self.expires_at = status.expiration_timestamp.unwrap_or(Timestamp::MAX);
        Ok(self)
    }

    fn is_expiring(&self) -> bool {
        Timestamp::now().duration_until(self.expires_at) < MARGIN
    }
}

/// Sends a plugin's token with every request, if there is one.
#[derive(Clone)]
pub(super) struct Authorized(pub(super) Option<Renewed>);

impl<S> Layer<S> for Authorized {
    type Service = Authorizing<S>;

    fn layer(&self, inner: S) -> Authorizing<S> {
        Authorizing { inner, token: self.0.clone(), renewal: None, refused: false }
    }
}

/// A service whose requests carry a token.
pub(super) struct Authorizing<S> {
    inner: S,
    token: Option<Renewed>,
    renewal: Option<BoxFuture<'static, Result<Renewed, ConnectError>>>,
    /// The token could not be renewed: the next request fails of it, and the one after that tries again.
    refused: bool,
}

impl<S> Service<Request<Body>> for Authorizing<S>
where
    S: Service<Request<Body>, Error = BoxError>,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = Either<S::Future, std::future::Ready<Result<S::Response, BoxError>>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        if let Some(token) = self.token.as_ref().filter(|token| !self.refused && token.is_expiring()) {
            let renewal = self.renewal.get_or_insert_with(|| token.clone().again().boxed());
            let renewed = ready!(renewal.as_mut().poll(context));
            self.renewal = None;
            match renewed {
                Ok(token) => self.token = Some(token),
                Err(_) => self.refused = true,
            }
        }
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        if std::mem::take(&mut self.refused) {
            return Either::Right(std::future::ready(Err(NotRenewed.into())));
        }
        if let Some(token) = &self.token {
            request.headers_mut().insert(header::AUTHORIZATION, token.header.clone());
        }
        Either::Left(self.inner.call(request))
    }
}
