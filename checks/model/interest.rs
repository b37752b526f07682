//! What makes a pod or a workload interesting, and what of its environment stays. An interest is declared beside the
//! knowledge that reads it. Wide in which pods count, since a check cannot see what was dropped; narrow in what of their
//! environment stays, since secrets lie there.

use crate::model::kubernetes::{Container, Metadata, PodSpec};

/// What a body of knowledge reads of pods and workloads.
#[derive(Debug, Clone, Copy)]
pub struct Interest {
    /// Parts of names, images and arguments that make a pod interesting, in lower case. Distributions that name images by
    /// digest only are told by the names of containers and pods.
    pub words: &'static [&'static str],
    /// Parts of paths on the node that make a pod which mounts them interesting.
    pub host_paths: &'static [&'static str],
    /// Variables whose value is read, by their name.
    pub variables: &'static [&'static str],
    /// Flags whose value is read, with two dashes, and with it the variables in it, as in `--driver-name=$(NAME)`. Those in
    /// other arguments may be passwords.
    pub flags: &'static [&'static str],
}

impl Interest {
    /// Whether any of these interests picks out a pod; then only what they read stays of its environment.
    pub(super) fn keep(interests: &[Self], metadata: &Metadata, spec: &mut PodSpec) -> bool {
        let interested = interests.iter().any(|interest| interest.picks(metadata, spec));
        if interested {
            for container in spec.containers.iter_mut().chain(&mut spec.init_containers) {
                cut(interests, container);
            }
        }
        interested
    }

    fn picks(&self, metadata: &Metadata, spec: &PodSpec) -> bool {
        let container = |container: &Container| {
            let words = container.command.iter().chain(&container.args);
            self.speaks(&container.name) || self.speaks(&container.image) || words.into_iter().any(|w| self.speaks(w))
        };
        let mut paths = spec.volumes.iter().filter_map(|volume| volume.host_path.as_ref());
        self.speaks(&metadata.name)
            || spec.containers.iter().any(container)
            || paths.any(|host| self.host_paths.iter().any(|part| host.path.contains(part)))
    }

    /// Whether the value of this flag is read. One dash or two: Go's flag package takes both.
    pub(crate) fn reads(&self, flag: &str) -> bool {
        self.flags.iter().any(|known| *known == flag || known.strip_prefix('-') == Some(flag))
    }

    fn speaks(&self, text: &str) -> bool {
        let text = text.to_ascii_lowercase();
        self.words.iter().any(|word| text.contains(word))
    }
}

fn cut(interests: &[Interest], container: &mut Container) {
    let words: Vec<&str> = container.command.iter().chain(&container.args).map(String::as_str).collect();
    let named: Vec<String> = interests.iter().flat_map(|interest| variables_in(&words, interest)).collect();
    container.env.retain(|variable| {
        let by_name = interests.iter().any(|interest| interest.variables.contains(&variable.name.as_str()));
        variable.value.is_some() && (by_name || named.contains(&variable.name))
    });
}

/// The variables in the values of flags: `--driver-name=$(NAME)`, `--provisioner $(NAME)`.
fn variables_in(words: &[&str], interest: &Interest) -> Vec<String> {
    let mut named = Vec::new();
    let mut previous = "";
    for word in words {
        let (flag, value) = word.split_once('=').unwrap_or((previous, word));
        previous = word;
        if interest.reads(flag) {
            named.extend(value.split("$(").skip(1).filter_map(|rest| Some(rest.split_once(')')?.0.to_owned())));
        }
    }
    named
}
