//! Commands to copy into a shell. They are values: whoever shows one may add flags to it, also to what it is piped into.

use std::borrow::Cow;
use std::fmt::{self, Display, Formatter};

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A command, and what its output is piped into. Its text is what a POSIX shell takes.
#[derive(Debug, Clone)]
pub struct Command {
    program: Cow<'static, str>,
    arguments: Vec<Argument>,
    pipe: Option<Box<Self>>,
}

/// One argument of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Argument {
    /// A word, which is quoted where a shell would read it as anything else.
    Word(String),
    /// What a shell shall read: it stands in the command as it is.
    Shell(&'static str),
}

/// `kubectl` with some words, which blanks divide.
#[must_use]
pub fn kubectl(words: &'static str) -> Command {
    Command::new("kubectl").words(words)
}

/// `snapready` with some words, which blanks divide.
#[must_use]
pub fn snapready(words: &'static str) -> Command {
    Command::new("snapready").words(words)
}

impl Command {
    /// A program without arguments.
    #[must_use]
    pub const fn new(program: &'static str) -> Self {
        Self { program: Cow::Borrowed(program), arguments: Vec::new(), pipe: None }
    }

    /// A command that was read, from a report: its text, whose parts are not known any more.
    #[must_use]
    pub const fn read(text: String) -> Self {
        Self { program: Cow::Owned(text), arguments: Vec::new(), pipe: None }
    }

    /// The same with more words, which blanks divide.
    #[must_use]
    pub fn words(self, words: &'static str) -> Self {
        words.split_ascii_whitespace().fold(self, Self::word)
    }

    /// The same with one more word, whatever stands in it.
    #[must_use]
    pub fn word(mut self, word: impl Into<String>) -> Self {
        self.arguments.push(Argument::Word(word.into()));
        self
    }

    /// The same with something for the shell to expand.
    #[must_use]
    pub fn shell(mut self, text: &'static str) -> Self {
        self.arguments.push(Argument::Shell(text));
        self
    }

    /// The same with more arguments.
    #[must_use]
    pub fn arguments(mut self, arguments: &[Argument]) -> Self {
        self.arguments.extend_from_slice(arguments);
        self
    }

    /// The same, piped into another command.
    #[must_use]
    pub fn pipe(mut self, into: Self) -> Self {
        self.pipe = Some(Box::new(into));
        self
    }

    /// Adds to each command of the pipe the flags of its program, before its other arguments.
    pub fn add_flags<'a>(&mut self, flags_of: impl Fn(&str) -> &'a [Argument]) {
        let mut next = Some(self);
        while let Some(command) = next {
            command.arguments.splice(..0, flags_of(&command.program).iter().cloned());
            next = command.pipe.as_deref_mut();
        }
    }
}

impl Display for Command {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&self.program)?;
        for argument in &self.arguments {
            match argument {
                Argument::Word(word) => write!(f, " {}", quoted(word))?,
                Argument::Shell(text) => write!(f, " {text}")?,
            }
        }
        match &self.pipe {
            Some(command) => write!(f, " | {command}"),
            None => Ok(()),
        }
    }
}

/// A word as a POSIX shell takes it.
fn quoted(word: &str) -> Cow<'_, str> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./:@%+=,".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return Cow::Borrowed(word);
    }
    Cow::Owned(format!("'{}'", word.replace('\'', r"'\''")))
}

/// Commands are equal if a shell is given the same text.
impl PartialEq for Command {
    fn eq(&self, other: &Self) -> bool {
        self.to_string() == other.to_string()
    }
}

impl Eq for Command {}

impl Serialize for Command {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Command {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::read)
    }
}

impl JsonSchema for Command {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        String::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        String::json_schema(generator)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_what_a_shell_takes() {
        for (command, wanted) in [
            (kubectl("get nodes -L zone"), "kubectl get nodes -L zone"),
            (kubectl("get --raw").word("/readyz?verbose"), "kubectl get --raw '/readyz?verbose'"),
            (kubectl("get pod").word("it's; reboot"), r"kubectl get pod 'it'\''s; reboot'"),
            (kubectl("get pod").word(""), "kubectl get pod ''"),
            (Command::new("aws").words("--cluster-name").shell("\"$CLUSTER\""), "aws --cluster-name \"$CLUSTER\""),
            (snapready("rbac").pipe(kubectl("apply -f -")), "snapready rbac | kubectl apply -f -"),
        ] {
            assert_eq!(command.to_string(), wanted);
            assert_eq!(serde_json::to_value(&command).unwrap(), wanted);
            assert_eq!(serde_json::from_value::<Command>(wanted.into()).unwrap(), command);
        }
    }

    /// A program's name in an argument, or a pipe's sign in a word, is no command.
    #[test]
    fn each_command_of_a_pipe_gets_the_flags_of_its_program() {
        let flags = [Argument::Word("--context".to_owned()), Argument::Word("a b".to_owned())];
        let grep = Command::new("grep").words("kubectl get").word("a | kubectl get");
        let mut command = kubectl("get pods").pipe(grep.pipe(kubectl("apply -f -")));
        command.add_flags(|program| if program == "kubectl" { &flags } else { &[] });
        assert_eq!(
            command.to_string(),
            "kubectl --context 'a b' get pods | grep kubectl get 'a | kubectl get' | kubectl --context 'a b' apply -f -"
        );
    }
}
