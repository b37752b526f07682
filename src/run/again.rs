//! Commands that are printed reach the cluster that was looked at: they carry the connection flags of this call.

use std::path::Path;

use crate::cluster::ConnectionArgs;
use crate::model::CheckResult;
use crate::roundtrip::plan::RunId;

/// The connection flags of this call, each with a blank before it, quoted for a shell.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Again {
    snapready: String,
    /// Only what chooses the cluster: who mends something is mostly not who looked at it.
    kubectl: String,
}

impl Again {
    pub(super) fn new(connection: &ConnectionArgs) -> Self {
        let ConnectionArgs {
            kubeconfig,
            context,
            cluster,
            user,
            namespace,
            as_user,
            as_group,
            as_uid,
            as_user_extra,
            request_timeout,
            server,
            token,
            tls_server_name,
            certificate_authority,
            client_certificate,
            client_key,
            insecure_skip_tls_verify,
            disable_compression,
        } = connection;
        let mut kubectl = String::new();
        path(&mut kubectl, "--kubeconfig", kubeconfig.as_deref());
        option(&mut kubectl, "--context", context.as_deref());
        option(&mut kubectl, "--cluster", cluster.as_deref());
        option(&mut kubectl, "--user", user.as_deref());
        option(&mut kubectl, "--server", server.as_deref());
        option(&mut kubectl, "--tls-server-name", tls_server_name.as_deref());
        path(&mut kubectl, "--certificate-authority", certificate_authority.as_deref());
        switch(&mut kubectl, "--insecure-skip-tls-verify", *insecure_skip_tls_verify);

        let mut snapready = kubectl.clone();
        option(&mut snapready, "--namespace", namespace.as_deref());
        option(&mut snapready, "--as", as_user.as_deref());
        for group in as_group {
            option(&mut snapready, "--as-group", Some(group));
        }
        option(&mut snapready, "--as-uid", as_uid.as_deref());
        for (key, value) in as_user_extra {
            option(&mut snapready, "--as-user-extra", Some(&format!("{key}={value}")));
        }
        if token.is_some() {
            // A token is never printed.
            snapready.push_str(" --token \"$TOKEN\"");
        }
        path(&mut snapready, "--client-certificate", client_certificate.as_deref());
        path(&mut snapready, "--client-key", client_key.as_deref());
        let limit = request_timeout.map(|limit| {
            limit
                .0
                .map_or_else(|| "0".to_owned(), |limit| humantime::format_duration(limit).to_string().replace(' ', ""))
        });
        option(&mut snapready, "--request-timeout", limit.as_deref());
        switch(&mut snapready, "--disable-compression", *disable_compression);
        Self { snapready, kubectl }
    }

    /// Removes what a run left in the cluster.
    pub(super) fn cleanup(&self, run: &RunId) -> String {
        format!("snapready cleanup --run {run}{}", self.snapready)
    }

    /// Adds the flags to a command, or to the commands of a pipe.
    fn amend(&self, command: &str) -> String {
        let with_flags = |part: &str| match part.split_once(' ') {
            Some((program @ ("kubectl" | "oc"), rest)) => format!("{program}{} {rest}", self.kubectl),
            Some((program @ "snapready", rest)) => format!("{program}{} {rest}", self.snapready),
            _ => part.to_owned(),
        };
        command.split(" | ").map(with_flags).collect::<Vec<_>>().join(" | ")
    }

    /// Adds the flags to the commands of a fix.
    pub(super) fn amend_fix(&self, result: &mut CheckResult) {
        for command in result.fix.iter_mut().flat_map(|fix| &mut fix.commands) {
            *command = self.amend(command);
        }
    }
}

fn option(flags: &mut String, flag: &str, value: Option<&str>) {
    if let Some(value) = value {
        flags.push(' ');
        flags.push_str(flag);
        flags.push(' ');
        flags.push_str(&quoted(value));
    }
}

fn path(flags: &mut String, flag: &str, value: Option<&Path>) {
    option(flags, flag, value.map(Path::to_string_lossy).as_deref());
}

fn switch(flags: &mut String, flag: &str, on: bool) {
    if on {
        flags.push(' ');
        flags.push_str(flag);
    }
}

/// A word as a POSIX shell takes it.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./:@%+=,".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_reaches_the_same_cluster() {
        let connection = ConnectionArgs {
            kubeconfig: Some("/home/a b/it's".into()),
            context: Some("prod".to_owned()),
            namespace: Some("team".to_owned()),
            as_user: Some("system:serviceaccount:a:b".to_owned()),
            token: Some("s3cret".parse().unwrap()),
            request_timeout: Some("90".parse().unwrap()),
            insecure_skip_tls_verify: true,
            ..ConnectionArgs::default()
        };
        let again = Again::new(&connection);
        assert_eq!(
            again.cleanup(&"7f3a9c".parse().unwrap()),
            r#"snapready cleanup --run 7f3a9c --kubeconfig '/home/a b/it'\''s' --context prod --insecure-skip-tls-verify --namespace team --as system:serviceaccount:a:b --token "$TOKEN" --request-timeout 1m30s"#
        );
        let connection = ConnectionArgs {
            context: Some("prod".to_owned()),
            namespace: Some("team".to_owned()),
            ..ConnectionArgs::default()
        };
        let again = Again::new(&connection);
        for (command, wanted) in [
            ("kubectl get nodes", "kubectl --context prod get nodes"),
            (
                "snapready rbac | kubectl apply -f -",
                "snapready --context prod --namespace team rbac | kubectl --context prod apply -f -",
            ),
            ("kubectl get pods | grep csi", "kubectl --context prod get pods | grep csi"),
        ] {
            assert_eq!(again.amend(command), wanted);
        }
    }

    #[test]
    fn without_flags_nothing_is_added() {
        let again = Again::new(&ConnectionArgs::default());
        assert_eq!(again, Again::default());
        assert_eq!(again.amend("kubectl get nodes"), "kubectl get nodes");
    }
}
