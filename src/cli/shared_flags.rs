//! The flags that commands share may stand before or after the command, so clap takes them everywhere. Each command uses some
//! of them: the help of a command shows those alone, and the others are refused, never ignored.

use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Command};

use crate::cli::output::HEADING as OUTPUT;
use crate::cluster::flags::HEADING as CONNECTION;

/// How a screen looks is a wish that every command can meet: scripts that give it to each call must not fail on the one
/// whose output has no colours.
const EVERYWHERE: &str = "color";

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
    /// Why it does not use the others, if there are any.
    because: &'static str,
}

const USES: [Use; 11] = [
    Use { command: "preflight", connection: Flags::All, output: Flags::All, because: "" },
    Use { command: "check", connection: Flags::All, output: Flags::All, because: "" },
    Use { command: "roundtrip", connection: Flags::All, output: Flags::All, because: "" },
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
        command: "coverage",
        connection: Flags::All,
        output: Flags::Only(&["output", "quiet", "verbose"]),
        because: "it prints one table of claims",
    },
    Use {
        command: "drivers",
        connection: Flags::All,
        output: Flags::Only(&["output", "quiet", "verbose"]),
        because: "it prints one table of drivers",
    },
    Use {
        command: "why",
        connection: Flags::All,
        output: Flags::Only(&["output", "quiet", "verbose"]),
        because: "it prints one answer",
    },
    Use {
        command: "explain",
        connection: Flags::Only(&[]),
        output: Flags::Only(&["output"]),
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

    /// Whether the command uses a flag that commands share.
    fn includes(&self, flag: &Arg) -> bool {
        let id = flag.get_id().as_str();
        match flag.get_help_heading() {
            Some(CONNECTION) => self.connection.contain(id),
            Some(OUTPUT) => id == EVERYWHERE || self.output.contain(id),
            _ => true,
        }
    }
}

/// Hides in the help of each command the shared flags that it does not use.
pub(super) fn hide_unused(mut command: Command) -> Command {
    for used in &USES {
        // A command that has the flag itself, hidden, is not handed the shared one.
        let unused = command.get_arguments().filter(|flag| !used.includes(flag));
        let hidden: Vec<Arg> = unused.map(|flag| flag.clone().hide(true)).collect();
        command = command.mut_subcommand(used.command, |subcommand| subcommand.args(hidden));
    }
    command
}

/// Refuses a call with a flag that its command does not use. What the environment sets is not meant for one command, so it is
/// not refused.
pub(super) fn refuse_unused(command: &mut Command, matches: &ArgMatches) -> Result<(), clap::Error> {
    let Some((name, behind)) = matches.subcommand() else { return Ok(()) };
    let Some(used) = Use::of(name) else { return Ok(()) };
    let is_given = |matches: &ArgMatches, id: &str| matches.value_source(id) == Some(ValueSource::CommandLine);
    let unused = command.get_arguments().filter(|flag| !used.includes(flag)).find(|flag| {
        let id = flag.get_id().as_str();
        is_given(matches, id) || is_given(behind, id)
    });
    let Some(flag) = unused.and_then(Arg::get_long) else { return Ok(()) };
    let message = format!("--{flag} has no effect on '{name}': {}; leave it out", used.because);
    Err(command.error(ErrorKind::ArgumentConflict, message))
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
        for used in &USES {
            for (heading, flags) in [(CONNECTION, used.connection), (OUTPUT, used.output)] {
                let Flags::Only(ids) = flags else { continue };
                let is_one = |id: &&str| {
                    let mut flags = command.get_arguments();
                    flags.any(|flag| flag.get_id().as_str() == *id && flag.get_help_heading() == Some(heading))
                };
                assert!(ids.iter().all(is_one), "{}: {ids:?}", used.command);
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

    #[test]
    fn colours_can_be_chosen_for_every_command() {
        for used in &USES {
            let call = [&["snapready", used.command], own(used.command), &["--color", "never"]].concat();
            let call: Vec<std::ffi::OsString> = call.iter().map(Into::into).collect();
            assert!(parse(&call).is_ok(), "{call:?}");
        }
    }

    /// Every shared flag with every command, before and after it: in its help and taken, or not in its help and refused.
    #[test]
    fn a_flag_is_used_or_refused() {
        let mut command = hide_unused(Cli::command());
        command.build();
        let is_shared = |flag: &&Arg| matches!(flag.get_help_heading(), Some(CONNECTION | OUTPUT));
        let flags: Vec<Arg> = command.get_arguments().filter(is_shared).cloned().collect();
        assert!(flags.len() > 20, "{}", flags.len());
        for used in &USES {
            let help = command.find_subcommand_mut(used.command).unwrap().render_long_help().to_string();
            for flag in &flags {
                let long = format!("--{}", flag.get_long().unwrap());
                let mut words = vec![long.as_str()];
                if flag.get_action().takes_values() {
                    words.push(value(flag.get_id().as_str()));
                }
                let is_used = used.includes(flag);
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
