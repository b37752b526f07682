//! The words that flags take for values of other modules, with their lines of the help.

use clap::ValueEnum;
use clap::builder::PossibleValue;

use crate::report::format::Format;
use crate::report::style::ColorChoice;
use crate::verdict::{FailOn, UnknownPolicy};

impl ValueEnum for Format {
    fn value_variants<'a>() -> &'a [Self] {
        &Self::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        let help = match self {
            Self::Human => "A screen for people",
            Self::Json => "One JSON document",
            Self::Ndjson => {
                "The events of the run as they come, one JSON document a line; the last one holds the report"
            }
            Self::Junit => "JUnit XML",
            Self::Markdown => "Markdown, for the summary page of a pipeline",
            Self::Prometheus => "Gauges for the textfile collector of the node exporter",
        };
        Some(value(self.word(), help))
    }
}

impl ValueEnum for ColorChoice {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self::Auto, Self::Always, Self::Never]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(match self {
            Self::Auto => value("auto", "Where the stream is a terminal, unless the environment says otherwise"),
            Self::Always => value("always", "Always"),
            Self::Never => value("never", "Never"),
        })
    }
}

impl ValueEnum for FailOn {
    fn value_variants<'a>() -> &'a [Self] {
        &Self::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(match self {
            Self::Fail => value("fail", "Failures do; warnings do not"),
            Self::Warn => value("warn", "Warnings do as well"),
            Self::Never => value(
                "never",
                "No result changes the exit code. The verdict still says what was found, and what kept the run from \
                 giving an answer, leftovers and signals still have their codes",
            ),
        })
    }
}

impl ValueEnum for UnknownPolicy {
    fn value_variants<'a>() -> &'a [Self] {
        &Self::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(match self {
            Self::Inconclusive => value("inconclusive", "The answer is inconclusive"),
            Self::Fail => value("fail", "As a failure"),
            Self::Warn => value("warn", "As a warning"),
            Self::Ignore => value("ignore", "As if it had not been asked for"),
        })
    }
}

fn value(word: &'static str, help: &'static str) -> PossibleValue {
    PossibleValue::new(word).help(help)
}
