//! What a driver answers: a gRPC code, and words. Sidecars retry every code for ever, so "permanent" is a judgement: what the
//! code's definition says, confirmed by the driver's giving the same answer again. What each code means is in
//! `data/grpc.tsv`. Many drivers answer `Internal` to everything, so that the code alone says neither what is wrong nor
//! whether it passes: which words tell which fault is in `data/driver-texts.tsv`, what is known of it in
//! `data/driver-faults.tsv`.

mod answer;

use std::time::Duration;

use crate::knowledge::tables::rows;
use crate::model::round_trip::StepId;
use answer::words;
pub(crate) use answer::{Answer, unquoted};

/// An answer of a driver, with what it means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Code {
    /// The gRPC code, as Go prints it.
    pub(crate) word: &'static str,
    /// The fault that the words tell; `None` if nothing but the code is known of it.
    pub(crate) fault: Option<&'static str>,
    /// So often seen, and so long after the step began, it is certain to stay; `None`: it may pass at any time.
    pub(crate) patience: Option<(u64, Duration)>,
    /// What it means, for people.
    pub(crate) meaning: &'static str,
    /// What to do about it, for people.
    pub(crate) advice: &'static str,
}

impl Code {
    /// What the answer in a text means; `None` if there is none.
    pub(crate) fn find(text: &str) -> Option<Self> {
        Self::at(text, None)
    }

    /// The same, of an answer to what is done at a step.
    pub(crate) fn at(text: &str, step: impl Into<Option<StepId>>) -> Option<Self> {
        let answer = Answer::find(text)?;
        let code = Self::of_word(answer.code)?;
        let said = words(&answer.description);
        if said.is_empty() || said == answer.code.to_ascii_lowercase() {
            return Some(code.without_reason());
        }
        Some(Fault::find(&said, code.word, step.into()).map_or(code, |fault| code.told_by(fault)))
    }

    /// What the code in a text means by itself. For calls to the node's plugin: there the same words have other meanings.
    pub(crate) fn alone(text: &str) -> Option<Self> {
        let answer = Answer::find(text)?;
        let code = Self::of_word(answer.code)?;
        Some(if words(&answer.description).is_empty() { code.without_reason() } else { code })
    }

    /// What tells answers of one kind from others.
    pub(crate) fn kind(self) -> &'static str {
        self.fault.unwrap_or(self.word)
    }

    fn of_word(word: &str) -> Option<Self> {
        rows(include_str!("../data/grpc.tsv")).filter_map(|row| Self::read(&row)).find(|code| code.word == word)
    }

    fn read(row: &[&'static str]) -> Option<Self> {
        let [word, times, seconds, meaning, advice, _source] = *row else {
            return None;
        };
        Some(Self { word, fault: None, patience: patience(times, seconds), meaning, advice })
    }

    fn without_reason(self) -> Self {
        let (meaning, advice) = ("the driver gives no reason beyond its code", "Look into the driver's log.");
        Self { meaning, advice, ..self }
    }

    fn told_by(self, fault: Fault) -> Self {
        // After a code that is not final the call may still be running, whatever its words say.
        let patience = self.patience.and(fault.patience);
        Self { fault: Some(fault.word), patience, meaning: fault.meaning, advice: fault.advice, ..self }
    }
}

fn patience(times: &str, seconds: &str) -> Option<(u64, Duration)> {
    Some((times.parse().ok()?, Duration::from_secs(seconds.parse().ok()?)))
}

/// A fault that is known by its words.
#[derive(Debug, Clone, Copy)]
struct Fault {
    word: &'static str,
    /// The codes with which the words count: with a code that says something of its own, some of them are about
    /// something else. Empty: any.
    codes: &'static str,
    patience: Option<(u64, Duration)>,
    meaning: &'static str,
    advice: &'static str,
}

impl Fault {
    /// What some words tell: the first row of the table that fits.
    fn find(said: &str, code: &str, step: Option<StepId>) -> Option<Self> {
        rows(include_str!("../data/driver-texts.tsv")).find_map(|row| {
            let [contains, and, at, fault, _source] = *row else {
                return None;
            };
            let of_step = at.is_empty() || step.is_some_and(|step| step.word() == at);
            if !(of_step && said.contains(contains) && said.contains(and)) {
                return None;
            }
            Self::of_word(fault).filter(|fault| fault.codes.is_empty() || fault.codes.split(' ').any(|one| one == code))
        })
    }

    fn of_word(word: &str) -> Option<Self> {
        rows(include_str!("../data/driver-faults.tsv")).filter_map(|row| Self::read(&row)).find(|one| one.word == word)
    }

    fn read(row: &[&'static str]) -> Option<Self> {
        let [word, codes, times, seconds, meaning, advice, _source] = *row else {
            return None;
        };
        Some(Self { word, codes, patience: patience(times, seconds), meaning, advice })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn known_texts_are_in_lower_case_and_tell_a_fault() {
        let mut told = BTreeSet::new();
        for row in rows(include_str!("../data/driver-texts.tsv")) {
            let [contains, and, at, fault, _source] = row[..] else { panic!("{row:?}") };
            assert_eq!((contains, and), (&*contains.to_ascii_lowercase(), &*and.to_ascii_lowercase()));
            assert!(at.is_empty() || StepId::ALL.iter().any(|step| step.word() == at), "{row:?}");
            told.insert(Fault::of_word(fault).unwrap_or_else(|| panic!("{row:?}")).word);
        }
        let all: Vec<&str> = rows(include_str!("../data/driver-faults.tsv")).map(|row| row[0]).collect();
        assert!(all.iter().all(|fault| told.contains(fault)), "no text tells one of {all:?}");
    }

    #[test]
    fn faults_read() {
        for row in rows(include_str!("../data/driver-faults.tsv")) {
            let fault = Fault::read(&row).unwrap();
            assert!(fault.codes.split_whitespace().all(|code| Code::of_word(code).is_some()), "{row:?}");
            assert_eq!(row[2].is_empty(), row[3].is_empty(), "{row:?}");
            assert_eq!(fault.patience.is_none(), row[2].is_empty(), "{row:?}");
        }
    }

    #[test]
    fn every_code_of_grpc_is_known_and_has_its_source() {
        let codes: Vec<_> = rows(include_str!("../data/grpc.tsv")).collect();
        assert_eq!(codes.len(), 16, "OK is no error");
        for row in codes {
            assert!(Code::read(&row).is_some() && row.iter().all(|cell| !cell.contains('\r')), "{row:?}");
            assert_eq!(row[1].is_empty(), row[2].is_empty(), "{row:?}");
            assert!(!row[5].is_empty(), "{row:?}");
        }
    }

    #[test]
    fn the_outermost_code_counts() {
        let found = Code::find("rpc error: code = Internal desc = rpc error: code = NotFound desc = x").unwrap();
        assert_eq!(found.word, "Internal");
        assert_eq!(Code::find("rpc error: code = Nonsense desc = rpc error: code = NotFound desc = x"), None);
        assert_eq!(Code::find("rpc error: code = Code(99) desc = x").unwrap().word, "Unknown");
    }

    #[test]
    fn what_is_not_the_drivers_own_words_tells_nothing() {
        for text in [
            // The names of objects around the answer, and links in it.
            "failed to provision volume with StorageClass \"no-space left\": rpc error: code = Internal desc = no",
            "rpc error: code = Internal desc = see https://storage.example.com/quota/exceeded",
            "rpc error: code = Internal desc = no\ngoroutine 7 [running]:\nmain.quota exceeded",
        ] {
            assert_eq!(Code::find(text).unwrap().fault, None, "{text}");
        }
    }

    #[test]
    fn what_is_not_final_stays_so() {
        let at = |code: &str| Code::find(&format!("rpc error: code = {code} desc = quota exceeded")).unwrap();
        assert!(at("Internal").patience.is_some());
        assert!(at("Unavailable").patience.is_none());
        assert_eq!(at("Unavailable").fault, Some("quota"));
    }
}
