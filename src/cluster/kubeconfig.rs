//! From flags and files to a client's configuration: flag, else kubeconfig, else the pod's service account.

use std::collections::HashMap;
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use kube::Config;
use kube::config::{
    AuthInfo, Cluster, Context, ExecAuthCluster, ExecConfig, Kubeconfig, KubeconfigError, LoadDataError,
};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use crate::cluster::error::ConnectError;
use crate::cluster::flags::ConnectionArgs;
use crate::cluster::proxy::Variables;

/// What of the environment counts.
#[derive(Debug, Clone, Default)]
pub(super) struct Environment {
    /// `$KUBECONFIG`.
    pub(super) kubeconfig: Option<OsString>,
    /// The home directory.
    pub(super) home: Option<PathBuf>,
    /// Whether this is a pod, by `$KUBERNETES_SERVICE_HOST`.
    pub(super) pod: bool,
    /// The proxy variables.
    pub(super) proxies: Variables,
}

impl Environment {
    pub(super) fn of_process() -> Self {
        Self {
            kubeconfig: std::env::var_os("KUBECONFIG"),
            home: std::env::home_dir(),
            pod: std::env::var_os("KUBERNETES_SERVICE_HOST").is_some_and(|host| !host.is_empty()),
            proxies: Variables::of_process(),
        }
    }
}

/// A configuration and where it comes from.
#[derive(Debug)]
pub(super) struct Chosen {
    pub(super) config: Config,
    pub(super) context: Option<String>,
    pub(super) in_cluster: bool,
    /// The credential plugin, if it is what the user logs in with.
    pub(super) plugin: Option<ExecConfig>,
}

/// Chooses; reads files, but sends nothing.
pub(super) fn choose(args: &ConnectionArgs, environment: &Environment) -> Result<Chosen, ConnectError> {
    check_flags(args)?;
    let (kubeconfig, looked_at) = read(args.kubeconfig.as_deref(), environment)?;
    let wants_kubeconfig =
        args.context.is_some() || args.cluster.is_some() || args.user.is_some() || args.server.is_some();
    match kubeconfig {
        Some(kubeconfig) => from_kubeconfig(kubeconfig, args, &environment.proxies),
        None if environment.pod && !wants_kubeconfig => from_pod(args),
        None if args.server.is_some() => from_kubeconfig(Kubeconfig::default(), args, &environment.proxies),
        None => Err(ConnectError::NoKubeconfig { looked_at }),
    }
}

/// Whether a text is a DNS label, as names of namespaces are.
fn is_label(text: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=63).contains(&text.len()) && text.bytes().all(inner) && !text.starts_with('-') && !text.ends_with('-')
}

fn check_flags(args: &ConnectionArgs) -> Result<(), ConnectError> {
    if args.as_user.is_none() {
        for (flag, given) in [
            ("--as-group", !args.as_group.is_empty()),
            ("--as-uid", args.as_uid.is_some()),
            ("--as-user-extra", !args.as_user_extra.is_empty()),
        ] {
            if given {
                return Err(ConnectError::Flag { flag, reason: "needs --as USER beside it".to_owned() });
            }
        }
    }
    if args.namespace.as_ref().is_some_and(|name| !is_label(name)) {
        let reason = "not a name that Kubernetes accepts for a namespace".to_owned();
        return Err(ConnectError::Flag { flag: "--namespace", reason });
    }
    for (flag, value) in [("--as", &args.as_user), ("--as-uid", &args.as_uid)]
        .into_iter()
        .filter_map(|(flag, value)| Some((flag, value.as_ref()?)))
        .chain(args.as_group.iter().map(|group| ("--as-group", group)))
        .chain(args.as_user_extra.iter().map(|(_, value)| ("--as-user-extra", value)))
    {
        if value.is_empty() || http::HeaderValue::from_str(value).is_err() {
            return Err(ConnectError::Flag { flag, reason: "cannot be empty or hold control characters".to_owned() });
        }
    }
    Ok(())
}

/// The kubeconfig, merged from its files by kubectl's rules, and where it was looked for. A file that is named by the flag
/// has to exist; those of `$KUBECONFIG` and the default one need not.
fn read(flag: Option<&Path>, environment: &Environment) -> Result<(Option<Kubeconfig>, Vec<PathBuf>), ConnectError> {
    if let Some(path) = flag {
        return Ok((Some(read_file(path)?), vec![path.to_owned()]));
    }
    let listed: Vec<PathBuf> = match &environment.kubeconfig {
        Some(list) => std::env::split_paths(list).filter(|path| !path.as_os_str().is_empty()).collect(),
        None => Vec::new(),
    };
    let paths = match (&environment.home, listed.is_empty()) {
        (Some(home), true) => vec![home.join(".kube").join("config")],
        _ => listed,
    };
    let mut merged: Option<Kubeconfig> = None;
    for path in &paths {
        if !path.exists() {
            continue;
        }
        let next = read_file(path)?;
        merged = Some(match merged {
            None => next,
            Some(merged) => merged.merge(next).map_err(|error| invalid(path, &error))?,
        });
    }
    // An empty file is what `kubectl config` leaves when everything is deleted: as if there were none.
    Ok((merged.filter(|config| !config.contexts.is_empty() || !config.clusters.is_empty()), paths))
}

fn read_file(path: &Path) -> Result<Kubeconfig, ConnectError> {
    Kubeconfig::read_from(path).map_err(|error| match error {
        KubeconfigError::ReadConfig(source, path) if source.kind() != io::ErrorKind::InvalidData => {
            ConnectError::KubeconfigUnreadable { path, reason: system(&source) }
        }
        error => invalid(path, &error),
    })
}

/// Only the place is told: the reader's own message quotes the file, and with it credentials.
fn invalid(path: &Path, error: &KubeconfigError) -> ConnectError {
    let reason = match error {
        KubeconfigError::Parse(error) => match error.location() {
            Some(location) => {
                format!("line {}, column {} is not what a kubeconfig holds there", location.line(), location.column())
            }
            None => "it is not YAML, or not a kubeconfig".to_owned(),
        },
        KubeconfigError::ReadConfig(..) => "it is not a text file".to_owned(),
        KubeconfigError::KindMismatch => "its kind differs from that of another file in $KUBECONFIG".to_owned(),
        KubeconfigError::ApiVersionMismatch => {
            "its apiVersion differs from that of another file in $KUBECONFIG".to_owned()
        }
        _ => "it is not a kubeconfig".to_owned(),
    };
    ConnectError::KubeconfigInvalid { path: path.to_owned(), reason }
}

/// The system's words without the number of the error.
fn system(error: &io::Error) -> String {
    let text = error.to_string();
    text.split_once(" (os error").map_or(text.clone(), |(text, _)| text.to_lowercase())
}

fn from_kubeconfig(kubeconfig: Kubeconfig, args: &ConnectionArgs, proxies: &Variables) -> Result<Chosen, ConnectError> {
    let name = args.context.clone().or(kubeconfig.current_context).filter(|name| !name.is_empty());
    let context = match &name {
        Some(name) => find("context", name, kubeconfig.contexts, |entry| (entry.name, entry.context))?,
        None if args.cluster.is_some() || args.server.is_some() => Context::default(),
        None => {
            let contexts = kubeconfig.contexts.into_iter().map(|context| context.name).collect();
            return Err(ConnectError::NoCurrentContext { contexts });
        }
    };
    let mut cluster = match args.cluster.as_ref().unwrap_or(&context.cluster) {
        name if name.is_empty() => Cluster::default(),
        name => find("cluster", name, kubeconfig.clusters, |entry| (entry.name, entry.cluster))?,
    };
    let mut user = match args.user.as_ref().or(context.user.as_ref()) {
        Some(name) if !name.is_empty() => {
            find("user", name, kubeconfig.auth_infos, |entry| (entry.name, entry.auth_info))?
        }
        _ => AuthInfo::default(),
    };
    override_cluster(&mut cluster, args)?;
    override_user(&mut user, args)?;
    if user.auth_provider.as_ref().is_some_and(|provider| provider.name != "oidc") {
        let reason = "the kubeconfig's auth-provider is not supported any more".to_owned();
        return Err(ConnectError::Credentials { reason });
    }
    let server = cluster.server.as_deref().unwrap_or_default();
    if server.is_empty() {
        return Err(ConnectError::Server { reason: "the kubeconfig's cluster has no server".to_owned() });
    }
    let url: http::Uri = with_scheme(server).parse().map_err(|error| not_a_url(&error))?;

    // For a plugin that asks for it, and kube's only public way to the authority's bytes.
    let for_plugin = ExecAuthCluster::try_from(&cluster).map_err(|error| of_kube(&error))?;
    let root_cert = for_plugin.certificate_authority_data.as_deref().map(authorities).transpose()?;
    // kube must not see the plugin: it would run it.
    let plugin = user.exec.take().filter(|_| needs_plugin(&user)).map(|mut exec| {
        exec.cluster = exec.provide_cluster_info.then_some(for_plugin);
        exec
    });
    let proxy = cluster.proxy_url.filter(|proxy| !proxy.is_empty()).or_else(|| proxies.proxy_for(&url));

    let mut config = Config::new(url);
    if let Some(namespace) = args.namespace.as_ref().or(context.namespace.as_ref()).filter(|name| !name.is_empty()) {
        config.default_namespace.clone_from(namespace);
    }
    config.root_cert = root_cert;
    config.accept_invalid_certs = cluster.insecure_skip_tls_verify.unwrap_or(false);
    config.disable_compression = cluster.disable_compression.unwrap_or(false);
    config.tls_server_name = cluster.tls_server_name.filter(|name| !name.is_empty());
    config.proxy_url = proxy.map(|proxy| proxy.parse()).transpose().map_err(|error: http::uri::InvalidUri| {
        ConnectError::Proxy { reason: format!("its address is not a URL: {error}") }
    })?;
    config.auth_info = user;
    Ok(Chosen { config, context: name, in_cluster: false, plugin })
}

/// Whether a user has no other credentials than a plugin's, in the order in which kube takes them.
fn needs_plugin(user: &AuthInfo) -> bool {
    let password = user.username.is_some() && user.password.is_some();
    user.auth_provider.is_none() && !password && user.token.is_none() && user.token_file.is_none()
}

/// The certificates in a PEM file.
fn authorities(pem: &[u8]) -> Result<Vec<Vec<u8>>, ConnectError> {
    let bad = |reason: &str| ConnectError::Certificate {
        what: "the certificate authority".to_owned(),
        reason: reason.to_owned(),
    };
    let certificates: Vec<Vec<u8>> = CertificateDer::pem_slice_iter(pem)
        .map(|certificate| certificate.map(|certificate| certificate.to_vec()))
        .collect::<Result<_, _>>()
        .map_err(|_| bad("it is not PEM"))?;
    if certificates.is_empty() { Err(bad("it holds no certificate in PEM")) } else { Ok(certificates) }
}

fn not_a_url(error: &http::uri::InvalidUri) -> ConnectError {
    ConnectError::Server { reason: format!("the server's address is not a URL: {error}") }
}

fn from_pod(args: &ConnectionArgs) -> Result<Chosen, ConnectError> {
    let mut config = Config::incluster().map_err(|error| ConnectError::ServiceAccount {
        reason: error.to_string().split(" (os error").take(1).collect(),
    })?;
    config.default_namespace = config.default_namespace.trim().to_owned();
    override_user(&mut config.auth_info, args)?;
    if let Some(path) = &args.certificate_authority {
        config.root_cert_file = Some(path.clone());
    }
    if args.tls_server_name.is_some() {
        config.tls_server_name.clone_from(&args.tls_server_name);
    }
    config.accept_invalid_certs |= args.insecure_skip_tls_verify;
    config.disable_compression |= args.disable_compression;
    if let Some(namespace) = &args.namespace {
        config.default_namespace.clone_from(namespace);
    }
    Ok(Chosen { config, context: None, in_cluster: true, plugin: None })
}

fn find<E, T: Default>(
    what: &'static str,
    name: &str,
    entries: Vec<E>,
    part: impl Fn(E) -> (String, Option<T>),
) -> Result<T, ConnectError> {
    let mut existing = Vec::new();
    for (entry, value) in entries.into_iter().map(part) {
        if entry == name {
            return Ok(value.unwrap_or_default());
        }
        existing.push(entry);
    }
    Err(ConnectError::NoSuchEntry { what, name: name.to_owned(), existing })
}

/// An empty field is as good as none, as in Go.
fn without_empty(fields: &mut [&mut Option<String>]) {
    for field in fields {
        if field.as_ref().is_some_and(String::is_empty) {
            **field = None;
        }
    }
}

fn override_cluster(cluster: &mut Cluster, args: &ConnectionArgs) -> Result<(), ConnectError> {
    without_empty(&mut [&mut cluster.certificate_authority, &mut cluster.certificate_authority_data]);
    if args.server.is_some() {
        cluster.server.clone_from(&args.server);
    }
    if let Some(path) = &args.certificate_authority {
        cluster.certificate_authority = Some(text("--certificate-authority", path)?);
        cluster.certificate_authority_data = None;
    }
    if args.tls_server_name.is_some() {
        cluster.tls_server_name.clone_from(&args.tls_server_name);
    }
    if args.insecure_skip_tls_verify {
        cluster.insecure_skip_tls_verify = Some(true);
    }
    if args.disable_compression {
        cluster.disable_compression = Some(true);
    }
    Ok(())
}

/// Credentials by flag replace those of the kubeconfig's user, whatever their kind: the API server looks at a client
/// certificate before a token, so one that stayed would win over `--token`.
fn override_user(user: &mut AuthInfo, args: &ConnectionArgs) -> Result<(), ConnectError> {
    without_empty(&mut [
        &mut user.client_certificate,
        &mut user.client_certificate_data,
        &mut user.client_key,
        &mut user.token_file,
    ]);
    if args.token.is_some() || args.client_certificate.is_some() {
        let keeps_key = args.client_certificate.is_some();
        *user = AuthInfo {
            impersonate: user.impersonate.take(),
            impersonate_uid: user.impersonate_uid.take(),
            impersonate_groups: user.impersonate_groups.take(),
            impersonate_user_extra: user.impersonate_user_extra.take(),
            client_key: user.client_key.take().filter(|_| keeps_key),
            client_key_data: user.client_key_data.take().filter(|_| keeps_key),
            ..AuthInfo::default()
        };
    }
    if let Some(token) = &args.token {
        user.token = Some(token.reveal().to_owned().into());
    }
    if let Some(path) = &args.client_certificate {
        user.client_certificate = Some(text("--client-certificate", path)?);
        user.client_certificate_data = None;
    }
    if let Some(path) = &args.client_key {
        user.client_key = Some(text("--client-key", path)?);
        user.client_key_data = None;
    }
    if let Some(as_user) = &args.as_user {
        user.impersonate = Some(as_user.clone());
        user.impersonate_uid.clone_from(&args.as_uid);
        user.impersonate_groups = (!args.as_group.is_empty()).then(|| args.as_group.clone());
        let mut extra: HashMap<String, Vec<String>> = HashMap::new();
        for (key, value) in &args.as_user_extra {
            extra.entry(key.clone()).or_default().push(value.clone());
        }
        user.impersonate_user_extra = (!extra.is_empty()).then_some(extra);
    }
    Ok(())
}

fn text(flag: &'static str, path: &Path) -> Result<String, ConnectError> {
    match path.to_str() {
        Some(path) => Ok(path.to_owned()),
        None => Err(ConnectError::Flag { flag, reason: "the path is not UTF-8".to_owned() }),
    }
}

/// An address without a scheme is an API server's, which speaks TLS; a plain one has to be asked for.
fn with_scheme(server: &str) -> String {
    if server.contains("://") { server.to_owned() } else { format!("https://{server}") }
}

/// kube's errors in reading a configuration; none of those that are shown holds a key.
pub(super) fn of_kube(error: &KubeconfigError) -> ConnectError {
    let certificate = |what: &str, error: &LoadDataError| {
        let (what, reason) = match error {
            LoadDataError::ReadFile(source, path) => (format!("{what} {}", path.display()), system(source)),
            LoadDataError::DecodeBase64(_) => (format!("{what} in the kubeconfig"), "it is not base64".to_owned()),
            LoadDataError::NoBase64DataOrFile => {
                (what.to_owned(), "it is missing, and a certificate needs its key".to_owned())
            }
        };
        ConnectError::Certificate { what, reason }
    };
    match error {
        KubeconfigError::LoadCertificateAuthority(error) => certificate("the certificate authority", error),
        KubeconfigError::LoadClientCertificate(error) => certificate("the client certificate", error),
        KubeconfigError::LoadClientKey(error) => certificate("the client key", error),
        error => ConnectError::Server { reason: error.to_string() },
    }
}
