//! Facts in a file. What is written is a contract with whoever reads it later, so it carries a version.

use serde::{Deserialize, Serialize};

use crate::model::facts::Facts;

/// The version of the contract. Within it fields are only added, and readers ignore fields that they do not know: a need
/// that a file does not hold is [`NotCollected`](crate::model::probe::Probe::NotCollected), which is never a pass.
pub const FACTS_VERSION: &str = "snapready.dev/facts/v1";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Written<'a> {
    schema_version: &'static str,
    facts: &'a Facts,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Header {
    schema_version: String,
}

#[derive(Deserialize)]
struct Read {
    facts: Facts,
}

/// Why a file does not hold facts.
#[derive(Debug)]
pub enum NoFacts {
    /// It is not JSON of this form.
    NotFacts(serde_json::Error),
    /// It was written by another release.
    OtherVersion {
        /// The version that it names.
        found: String,
    },
}

impl std::fmt::Display for NoFacts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NotFacts(error) => write!(f, "it does not hold facts that snapready has written: {error}"),
            Self::OtherVersion { found } => {
                write!(f, "it holds facts of version {found:?}; this release of snapready reads {FACTS_VERSION}")
            }
        }
    }
}

impl std::error::Error for NoFacts {}

/// Facts as JSON.
///
/// # Errors
///
/// Never with what was read from a cluster: every map in it has text for keys.
pub fn write(facts: &Facts) -> Result<Vec<u8>, serde_json::Error> {
    serde_json::to_vec(&Written { schema_version: FACTS_VERSION, facts })
}

/// Facts from JSON.
///
/// # Errors
///
/// [`NoFacts`].
pub fn read(json: &[u8]) -> Result<Facts, NoFacts> {
    let header: Header = serde_json::from_slice(json).map_err(NoFacts::NotFacts)?;
    if header.schema_version != FACTS_VERSION {
        return Err(NoFacts::OtherVersion { found: header.schema_version });
    }
    serde_json::from_slice::<Read>(json).map(|read| read.facts).map_err(NoFacts::NotFacts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::probe::Probe;

    #[test]
    fn what_was_written_is_read() {
        let facts = Facts { pods: Probe::from(Vec::new()), ..Facts::default() };
        assert_eq!(read(&write(&facts).unwrap()).unwrap(), facts);
    }

    #[test]
    fn a_later_field_is_ignored_and_a_missing_one_not_collected() {
        let text = format!(r#"{{"schemaVersion":"{FACTS_VERSION}","facts":{{"tomorrow":1}},"more":2}}"#);
        assert_eq!(read(text.as_bytes()).unwrap().pods, Probe::NotCollected);
    }

    #[test]
    fn another_version_is_refused_by_name() {
        let error = read(br#"{"schemaVersion":"snapready.dev/facts/v2"}"#).unwrap_err().to_string();
        assert!(error.contains("facts/v2") && error.contains(FACTS_VERSION), "{error}");
        assert!(matches!(read(b"not json"), Err(NoFacts::NotFacts(_))));
    }
}
