//! The formats, and how one report becomes text in each of them.

use std::fmt;
use std::str::FromStr;

use crate::model::Report;
use crate::report::options::RenderOptions;
use crate::report::{human, json, junit, markdown, ndjson, prometheus};

/// A format of the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Format {
    /// A screen for people.
    #[default]
    Human,
    /// One JSON document.
    Json,
    /// The events of the run as they come, one JSON document a line; the last one holds the report.
    Ndjson,
    /// JUnit XML.
    Junit,
    /// Markdown, for the summary page of a pipeline.
    Markdown,
    /// Gauges for the textfile collector of the node exporter.
    Prometheus,
}

impl Format {
    /// All formats, in the order in which they are shown.
    pub const ALL: [Self; 6] = [Self::Human, Self::Json, Self::Ndjson, Self::Junit, Self::Markdown, Self::Prometheus];

    /// Its word in flags.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Human => "human",
            Self::Json => "json",
            Self::Ndjson => "ndjson",
            Self::Junit => "junit",
            Self::Markdown => "markdown",
            Self::Prometheus => "prometheus",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|format| format.word() == text).ok_or_else(|| UnknownFormat(text.to_owned()))
    }
}

/// A word that is not a format.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a format; the formats are human, json, ndjson, junit, markdown and prometheus")]
pub struct UnknownFormat(String);

/// The report in a format; ends with a line break unless it is empty.
#[must_use]
pub fn render(format: Format, report: &Report, options: &RenderOptions) -> String {
    match format {
        Format::Human => human::render(report, options),
        Format::Json => json::render(report),
        Format::Ndjson => ndjson::last_line(report),
        Format::Junit => junit::render(report, options),
        Format::Markdown => markdown::render(report),
        Format::Prometheus => prometheus::render(report),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_parse_back() {
        for format in Format::ALL {
            assert_eq!(format.word().parse(), Ok(format));
        }
        let error = "yaml".parse::<Format>().unwrap_err().to_string();
        for format in Format::ALL {
            assert!(error.contains(format.word()), "{error}");
        }
    }
}
