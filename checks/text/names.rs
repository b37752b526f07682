//! Which text from a cluster may stand in a command that somebody will copy into a shell.

use crate::model::command::Command;
use crate::model::finding::Fix;

/// Whether a text is a name that Kubernetes accepts for an object: a DNS subdomain (RFC 1123), up to 253 characters.
/// Such a name holds nothing that a shell or YAML would read as anything but text.
#[must_use]
pub fn is_object_name(text: &str) -> bool {
    let label = |label: &str| {
        let inside = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        !label.is_empty() && label.bytes().all(inside) && !label.starts_with('-') && !label.ends_with('-')
    };
    text.len() <= 253 && text.split('.').all(label)
}

/// A name for a command: the name if it is one that Kubernetes accepts, a placeholder otherwise.
#[must_use]
pub fn safe<'a>(name: &'a str, placeholder: &'a str) -> &'a str {
    if is_object_name(name) { name } else { placeholder }
}

/// A fix with a command about names from the cluster; without it if one of them is not a Kubernetes name.
#[must_use]
pub fn fix_with<const N: usize>(fix: Fix, names: [&str; N], command: impl FnOnce([&str; N]) -> Command) -> Fix {
    if names.into_iter().all(is_object_name) { fix.command(command(names)) } else { fix }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::command::kubectl;

    #[test]
    fn names_are_those_that_kubernetes_accepts() {
        for name in ["a", "ebs.csi.aws.com", "snap-class", "0a.b-c"] {
            assert!(is_object_name(name), "{name:?}");
        }
        let long = "a".repeat(254);
        for name in ["", ".", "a..b", "-a", "a-", "A", "a b", "a;b", "$(a)", "a\n", "a/b", "ä", long.as_str()] {
            assert!(!is_object_name(name), "{name:?}");
        }
    }

    #[test]
    fn a_command_takes_names_only() {
        let commands = |names: [&str; 2]| {
            fix_with(Fix::default(), names, |[name, namespace]| kubectl("get").word(name).words("-n").word(namespace))
                .commands
        };
        assert_eq!(commands(["a", "b"]), [kubectl("get a -n b")]);
        assert_eq!(commands(["a", "b; rm -rf /"]), []);
        assert_eq!(commands(["--all", "b"]), []);
    }
}
