//! The flags that commands share may stand before or after the command, so clap takes them everywhere. Each command uses some
//! of them: the help of a command shows those alone, and the others are refused, never ignored.

use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Args, Command};

use crate::cli::output::OutputArgs;
use crate::cluster::ConnectionArgs;

/// Flags that commands share, by their ids.
#[derive(Debug, Clone, Copy)]
enum Flags {
    All,
    Only(&'static [&'static str]),
}

impl Flags {
    fn contain(self, id: &str) -> bool {
        match self {
            Self::All => true,
            Self::Only(ids) => ids.contains(&id),
        }
    }
}

/// What a command does with the flags that commands share.
struct Use {
    command: &'static str,
    connection: Flags,
    output: Flags,
    /// Why it does not use the others.
    because: &'static str,
}

const RUN: &str = "";

const USES: [Use; 8] = [
    Use { command: "preflight", connection: Flags::All, output: Flags::All, because: RUN },
    Use { command: "check", connection: Flags::All, output: Flags::All, because: RUN },
    Use { command: "roundtrip", connection: Flags::All, output: Flags::All, because: RUN },
    Use {
        command: "demo",
        connection: Flags::Only(&[]),
        output: Flags::All,
        because: "it runs on a simulated cluster inside this program",
    },
    Use {
        command: "cleanup",
        connection: Flags::All,
        output: Flags::Only(&["output", "quiet", "verbose"]),
        because: "it prints one list of objects",
    },
    Use {
        command: "explain",
        connection: Flags::Only(&[]),
        output: Flags::Only(&["output", "color"]),
        because: "it prints documentation and reaches no cluster",
    },
    Use {
        command: "list",
        connection: Flags::Only(&[]),
        output: Flags::Only(&["output"]),
        because: "it prints the catalogue and reaches no cluster",
    },
    Use {
        command: "rbac",
        connection: Flags::Only(&["namespace"]),
        output: Flags::Only(&[]),
        because: "it prints YAML and reaches no cluster",
    },
];

impl Use {
    fn of(command: &str) -> Option<&'static Self> {
        USES.iter().find(|used| used.command == command)
    }

    /// Whether the command uses a flag; a flag of its own it does.
    fn includes(&self, shared: &Shared, id: &str) -> bool {
        let is = |ids: &[String]| ids.iter().any(|shared| shared == id);
        (!is(&shared.connection) || self.connection.contain(id)) && (!is(&shared.output) || self.output.contain(id))
    }
}

/// The ids of the flags that commands share.
struct Shared {
    connection: Vec<String>,
    output: Vec<String>,
}

impl Shared {
    fn new() -> Self {
        let ids = |command: Command| command.get_arguments().map(|flag| flag.get_id().to_string()).collect();
        Self {
            connection: ids(ConnectionArgs::augment_args(Command::new(""))),
            output: ids(OutputArgs::augment_args(Command::new(""))),
        }
    }

    fn all(&self) -> impl Iterator<Item = &String> {
        self.connection.iter().chain(&self.output)
    }
}

/// Hides in the help of each command the shared flags that it does not use.
pub(super) fn hide_unused(mut command: Command) -> Command {
    let shared = Shared::new();
    let flags: Vec<Arg> = command.get_arguments().cloned().collect();
    for used in &USES {
        // A command that has the flag itself, hidden, is not handed the shared one.
        let hidden = flags.iter().filter(|flag| !used.includes(&shared, flag.get_id().as_str()));
        let hidden: Vec<Arg> = hidden.map(|flag| flag.clone().hide(true)).collect();
        command = command.mut_subcommand(used.command, |subcommand| subcommand.args(hidden));
    }
    command
}

/// Refuses a call with a flag that its command does not use. What the environment sets is not meant for one command, so it is
/// not refused.
pub(super) fn refuse_unused(command: &mut Command, matches: &ArgMatches) -> Result<(), clap::Error> {
    let Some((name, behind)) = matches.subcommand() else { return Ok(()) };
    let Some(used) = Use::of(name) else { return Ok(()) };
    let shared = Shared::new();
    let is_given = |matches: &ArgMatches, id: &str| matches.value_source(id) == Some(ValueSource::CommandLine);
    let given = |id: &&String| is_given(matches, id) || is_given(behind, id);
    match shared.all().filter(given).find(|id| !used.includes(&shared, id)) {
        None => Ok(()),
        Some(id) => {
            let flag = id.replace('_', "-");
            let flag = if id == "as_user" { "as" } else { &flag };
            Err(command.error(
                ErrorKind::ArgumentConflict,
                format!("--{flag} has no effect on '{name}': {}; leave it out", used.because),
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::cli::{Cli, parse};

    #[test]
    fn every_command_says_which_shared_flags_it_uses() {
        let command = Cli::command();
        let mut commands: Vec<&str> = command.get_subcommands().map(Command::get_name).collect();
        let mut known: Vec<&str> = USES.iter().map(|used| used.command).collect();
        commands.sort_unstable();
        known.sort_unstable();
        assert_eq!(commands, known);
        let shared = Shared::new();
        for used in &USES {
            for flags in [used.connection, used.output] {
                let Flags::Only(ids) = flags else { continue };
                assert!(ids.iter().all(|id| shared.all().any(|known| known == id)), "{}: {ids:?}", used.command);
            }
        }
    }

    /// What a call needs besides the flag.
    fn own(command: &str) -> &'static [&'static str] {
        match command {
            "cleanup" => &["--all"],
            "explain" => &["SR301"],
            _ => &[],
        }
    }

    fn value(id: &str) -> &'static str {
        match id {
            "output" => "json",
            "report" => "junit=x.xml",
            "color" => "never",
            "request_timeout" => "5s",
            "as_user_extra" => "a=b",
            _ => "x",
        }
    }

    /// Every shared flag with every command, before and after it: in its help and taken, or not in its help and refused.
    #[test]
    fn a_flag_is_used_or_refused() {
        let shared = Shared::new();
        let mut command = hide_unused(Cli::command());
        command.build();
        for used in &USES {
            let help = command.find_subcommand_mut(used.command).unwrap().render_long_help().to_string();
            for id in shared.all() {
                let flag = command.get_arguments().find(|flag| flag.get_id().as_str() == id.as_str()).unwrap();
                let long = format!("--{}", flag.get_long().unwrap());
                let mut words = vec![long.as_str()];
                if flag.get_action().takes_values() {
                    words.push(value(id));
                }
                let is_used = used.includes(&shared, id);
                let shown =
                    help.lines().any(|line| line.split([' ', ',']).any(|word| word.trim_end_matches('.') == long));
                assert_eq!(shown, is_used, "{long} in the help of {}", used.command);
                let behind = [&["snapready", used.command], own(used.command), &words[..]].concat();
                let before = [&["snapready"], &words[..], &[used.command], own(used.command)].concat();
                for call in [behind, before] {
                    let call: Vec<std::ffi::OsString> = call.iter().map(Into::into).collect();
                    match parse(&call) {
                        Ok(_) => assert!(is_used, "{call:?} is taken"),
                        Err(error) => {
                            let text = error.to_string();
                            assert!(!is_used, "{call:?}: {text}");
                            assert!(error.use_stderr() && error.exit_code() == 2, "{call:?}");
                            assert!(text.contains(&long) && text.contains(used.command), "{call:?}: {text}");
                        }
                    }
                }
            }
        }
    }
}
