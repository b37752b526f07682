//! Commands that are printed reach the cluster that was looked at: they carry the connection flags of this call.

use std::path::Path;

use snapready_checks::model::command::{Argument, Command, snapready};

use crate::cluster::ConnectionArgs;
use crate::model::CheckResult;
use crate::roundtrip::plan::RunId;

/// The connection flags of this call.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Again {
    snapready: Vec<Argument>,
    /// Only what chooses the cluster: who mends something is mostly not who looked at it.
    kubectl: Vec<Argument>,
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
        let mut kubectl = Vec::new();
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
            snapready.extend([Argument::Word("--token".to_owned()), Argument::Shell("\"$TOKEN\"")]);
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
    pub(super) fn cleanup(&self, run: &RunId) -> Command {
        snapready("cleanup --run").word(run.to_string()).arguments(&self.snapready)
    }

    fn flags_of(&self, program: &str) -> &[Argument] {
        match program {
            "kubectl" | "oc" => &self.kubectl,
            "snapready" => &self.snapready,
            _ => &[],
        }
    }

    /// Adds the flags to the commands of a fix.
    pub(super) fn amend_fix(&self, result: &mut CheckResult) {
        for command in result.fix.iter_mut().flat_map(|fix| &mut fix.commands) {
            command.add_flags(|program| self.flags_of(program));
        }
    }
}

fn option(flags: &mut Vec<Argument>, flag: &str, value: Option<&str>) {
    if let Some(value) = value {
        switch(flags, flag, true);
        flags.push(Argument::Word(value.to_owned()));
    }
}

fn path(flags: &mut Vec<Argument>, flag: &str, value: Option<&Path>) {
    option(flags, flag, value.map(Path::to_string_lossy).as_deref());
}

fn switch(flags: &mut Vec<Argument>, flag: &str, on: bool) {
    if on {
        flags.push(Argument::Word(flag.to_owned()));
    }
}

#[cfg(test)]
mod tests {
    use snapready_checks::model::command::kubectl;

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
            again.cleanup(&"7f3a9c".parse().unwrap()).to_string(),
            r#"snapready cleanup --run 7f3a9c --kubeconfig '/home/a b/it'\''s' --context prod --insecure-skip-tls-verify --namespace team --as system:serviceaccount:a:b --token "$TOKEN" --request-timeout 1m30s"#
        );
        let connection = ConnectionArgs {
            context: Some("prod".to_owned()),
            namespace: Some("team".to_owned()),
            ..ConnectionArgs::default()
        };
        let again = Again::new(&connection);
        for (mut command, wanted) in [
            (kubectl("get nodes"), "kubectl --context prod get nodes"),
            (Command::new("oc").words("whoami"), "oc --context prod whoami"),
            (
                snapready("rbac").pipe(kubectl("apply -f -")),
                "snapready --context prod --namespace team rbac | kubectl --context prod apply -f -",
            ),
            (kubectl("get pods").pipe(Command::new("grep").words("csi")), "kubectl --context prod get pods | grep csi"),
        ] {
            command.add_flags(|program| again.flags_of(program));
            assert_eq!(command.to_string(), wanted);
        }
    }

    #[test]
    fn without_flags_nothing_is_added() {
        assert_eq!(Again::new(&ConnectionArgs::default()), Again::default());
    }
}
