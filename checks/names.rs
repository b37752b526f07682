//! Which text from a cluster may stand in a command that somebody will copy into a shell.

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

/// A command with names from the cluster in place of each `{}`; `None` if one of them is not a Kubernetes name.
#[must_use]
pub fn command(template: &str, names: &[&str]) -> Option<String> {
    let mut parts = template.split("{}");
    let mut command = parts.next()?.to_owned();
    for (part, name) in parts.zip(names) {
        if !is_object_name(name) {
            return None;
        }
        command.push_str(name);
        command.push_str(part);
    }
    Some(command)
}

/// A fix with a command that [`command`] makes, if it does.
#[must_use]
pub fn fix_with(fix: Fix, template: &str, names: &[&str]) -> Fix {
    match command(template, names) {
        Some(command) => fix.command(command),
        None => fix,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        assert_eq!(command("kubectl get {} -n {}", &["a", "b"]).as_deref(), Some("kubectl get a -n b"));
        assert_eq!(command("kubectl get {} -n {}", &["a", "b; rm -rf /"]), None);
    }
}
