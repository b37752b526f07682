//! Why a call did not do what was asked for, where that can be expected to happen: what happened, what to do next, and the exit
//! code. The command line says so in one place.

use std::fmt::{self, Display, Formatter};

use crate::cluster::ConnectError;
use crate::run::screens::write_error;
use crate::verdict::exit;

/// An expected failure of a call.
#[derive(Debug)]
pub(crate) struct Failure {
    happened: String,
    next_step: Option<String>,
    code: u8,
}

impl Failure {
    /// The call cannot be carried out as it stands; the text says what to write instead.
    pub(crate) fn wrong_call(happened: impl Display) -> Self {
        let next_step = Some("\nFor more information, try '--help'.".to_owned());
        Self { happened: happened.to_string(), next_step, code: exit::USAGE }
    }

    /// Something that the call rests on does not work, so there is no answer.
    pub(crate) fn no_answer(happened: impl Display) -> Self {
        Self { happened: happened.to_string(), next_step: None, code: exit::INCONCLUSIVE }
    }

    /// A report is not written. An exit code that says more than "ready" stays.
    pub(crate) fn no_report(happened: impl Display, code: u8) -> Self {
        Self { code: if code == exit::READY { exit::INCONCLUSIVE } else { code }, ..Self::no_answer(happened) }
    }

    /// What happened, in one line.
    pub(crate) fn happened(&self) -> &str {
        &self.happened
    }

    /// Whether the call was wrong; there is no report then, in no format.
    pub(crate) const fn is_wrong_call(&self) -> bool {
        self.code == exit::USAGE
    }

    /// Says so on stderr. Gives the exit code.
    pub(crate) fn say(&self) -> u8 {
        write_error(&self.to_string());
        self.code
    }
}

impl Display for Failure {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&self.happened)?;
        self.next_step.iter().try_for_each(|step| write!(f, "\n{step}"))
    }
}

impl From<ConnectError> for Failure {
    fn from(error: ConnectError) -> Self {
        let code = if error.is_usage() { exit::USAGE } else { exit::INCONCLUSIVE };
        Self { happened: error.to_string(), next_step: Some(error.next_step()), code }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_says_what_happened_and_what_to_do_next() {
        let flag = ConnectError::Flag { flag: "--as", reason: "is empty".to_owned() };
        let step = flag.next_step();
        for (failure, wanted, code) in [
            (Failure::wrong_call("no such check"), "no such check\n\nFor more information, try '--help'.", 2),
            (Failure::no_answer("no runtime"), "no runtime", 3),
            (Failure::no_report("disk full", exit::READY), "disk full", 3),
            (Failure::no_report("disk full", exit::NOT_READY), "disk full", 1),
            (flag.into(), &format!("--as: is empty\n{step}"), 2),
            (ConnectError::NoCurrentContext { contexts: Vec::new() }.into(), "", 2),
            (ConnectError::ServiceAccount { reason: "x".to_owned() }.into(), "", 3),
        ] {
            assert!(failure.to_string().starts_with(wanted), "{failure}");
            assert_eq!((failure.code, failure.is_wrong_call()), (code, code == exit::USAGE), "{failure}");
        }
    }
}
