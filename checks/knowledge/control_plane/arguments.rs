//! The arguments of a container, read as Go's flag package reads them: with one dash or two, `=` or a space before a value, and
//! the last of several counts. Kubernetes' controllers and sidecars use it.

use crate::model::kubernetes::{Container, EnvironmentVariable};

/// The values of all flags that `is_wanted` picks by their names without dashes, in order.
pub(crate) fn values(container: &Container, is_wanted: impl Fn(&str) -> bool) -> Vec<String> {
    let words: Vec<&str> = container.command.iter().chain(&container.args).map(String::as_str).collect();
    let with_next = words.iter().zip(words.iter().skip(1).map(|next| Some(*next)).chain([None]));
    let flags = with_next.filter_map(|(word, next)| {
        let flag = word.strip_prefix("--").or_else(|| word.strip_prefix('-'))?;
        let (name, value) = flag.split_once('=').map_or((flag, next), |(name, value)| (name, Some(value)));
        is_wanted(name).then_some(value?)
    });
    flags.map(|value| resolved(value, &container.env)).collect()
}

/// The names of all flags that are given, without dashes.
pub(crate) fn names(container: &Container) -> Vec<&str> {
    let words = container.command.iter().chain(&container.args);
    let flags = words.filter_map(|word| word.strip_prefix("--").or_else(|| word.strip_prefix('-')));
    flags.map(|flag| flag.split_once('=').map_or(flag, |(name, _)| name)).collect()
}

/// The value of a flag.
pub(crate) fn value(container: &Container, flag: &str) -> Option<String> {
    values(container, |name| name == flag).pop()
}

/// Whether a switch is on; off if it is not there.
pub(crate) fn is_on(container: &Container, switch: &str) -> bool {
    let words = container.command.iter().chain(&container.args);
    let mut on = words.filter_map(|word| {
        let flag = word.strip_prefix("--").or_else(|| word.strip_prefix('-'))?;
        match flag.split_once('=') {
            Some((name, value)) => (name == switch).then(|| is_true(&resolved(value, &container.env))),
            None => (flag == switch).then_some(true),
        }
    });
    on.next_back().unwrap_or(false)
}

/// The gate of group snapshots, of the snapshot-controller and of csi-snapshotter since 8.2.
pub(crate) const GROUP_GATE: &str = "CSIVolumeGroupSnapshot";

/// What `--feature-gates` says of a gate; `None` if it does not name it.
pub(crate) fn gate(container: &Container, gate: &str) -> Option<bool> {
    let gates = values(container, |name| name == "feature-gates");
    let mut pairs = gates.iter().flat_map(|gates| gates.split(',')).filter_map(|one| one.split_once('='));
    pairs.rfind(|(name, _)| name.trim() == gate).map(|(_, value)| is_true(value.trim()))
}

/// What Go reads as true.
fn is_true(value: &str) -> bool {
    matches!(value, "1" | "t" | "T" | "true" | "TRUE" | "True")
}

/// A value with `$(NAME)` replaced, as the kubelet does.
fn resolved(value: &str, variables: &[EnvironmentVariable]) -> String {
    let known = variables.iter().filter_map(|variable| Some((&variable.name, variable.value.as_deref()?)));
    known.fold(value.to_owned(), |text, (name, content)| text.replace(&format!("$({name})"), content))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn container(args: &[&str]) -> Container {
        let env = vec![EnvironmentVariable { name: "NAME".to_owned(), value: Some("ebs".to_owned()) }];
        Container { args: args.iter().map(|arg| (*arg).to_owned()).collect(), env, ..Container::default() }
    }

    #[test]
    fn the_last_of_several_switches_counts() {
        for (args, on) in [
            (&["--leader-election"][..], true),
            (&["-leader-election=1"], true),
            (&["--leader-election", "--leader-election=false"], false),
            (&["--leader-election=false", "--leader-election=true"], true),
            (&["--leader-election-namespace=x"], false),
            (&["leader-election"], false),
            (&[], false),
        ] {
            assert_eq!(is_on(&container(args), "leader-election"), on, "{args:?}");
        }
    }

    #[test]
    fn values_stand_behind_an_equals_sign_or_a_space() {
        for args in
            [&["--driver-name=$(NAME)"][..], &["-driver-name", "ebs"], &["--driver-name=x", "--driver-name=ebs"]]
        {
            assert_eq!(value(&container(args), "driver-name").as_deref(), Some("ebs"), "{args:?}");
        }
        assert_eq!(value(&container(&["--driver-name"]), "driver-name"), None);
        assert_eq!(value(&container(&["--driver=x"]), "driver-name"), None);
    }
}
