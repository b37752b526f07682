//! gRPC codes in a cluster's texts. Sidecars retry every code for ever, so "permanent" is a judgement: what the code's
//! definition says, confirmed by the driver's giving the same answer again. What each means is in `data/grpc.tsv`.

use std::time::Duration;

use crate::knowledge::tables::rows;

/// A gRPC code, as Go prints it, with what it means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Code {
    pub(crate) word: &'static str,
    /// So often seen, and so long after the step began, it is certain to stay; `None`: it may pass at any time.
    patience: Option<(u64, Duration)>,
    /// What it means, for people.
    pub(crate) meaning: &'static str,
    /// What to do about it, for people.
    pub(crate) advice: &'static str,
}

impl Code {
    /// The last code in a text: an error that wraps another ends with the driver's own.
    pub(crate) fn find(text: &str) -> Option<Self> {
        let rest = text.rsplit_once("code = ")?.1;
        let word = rest.split(|c: char| !c.is_ascii_alphanumeric()).next()?;
        let mut codes = rows(include_str!("../data/grpc.tsv")).filter_map(|row| Self::read(&row));
        let code = codes.find(|code| code.word == word)?;
        Some(known_text(text).map_or(code, |known| Self { word: code.word, ..known }))
    }

    fn read(row: &[&'static str]) -> Option<Self> {
        let [word, times, seconds, meaning, advice, _source] = *row else {
            return None;
        };
        let patience = match (times.parse(), seconds.parse()) {
            (Ok(times), Ok(seconds)) => Some((times, Duration::from_secs(seconds))),
            _ => None,
        };
        Some(Self { word, patience, meaning, advice })
    }

    /// From when on an answer is certain to stay: so often seen, and so long after the step began. `None`: it may pass at
    /// any time.
    pub(crate) fn patience(self, message: &str) -> Option<(u64, Duration)> {
        // Drivers of clouds say so, too, when their API wants fewer requests.
        if self.word == "ResourceExhausted" && is_throttling(message) {
            return None;
        }
        self.patience
    }
}

/// What is known of a driver's text (`data/driver-texts.tsv`): many drivers answer `Internal` to everything, so that the code
/// alone says neither what is wrong nor whether it passes.
fn known_text(text: &str) -> Option<Code> {
    let text = text.to_ascii_lowercase();
    rows(include_str!("../data/driver-texts.tsv"))
        .filter(|row| text.contains(row.first().unwrap_or(&"")))
        .find_map(|row| Code::read(&row))
}

/// Whether a text asks for fewer requests, which passes, instead of more room.
fn is_throttling(message: &str) -> bool {
    let message = message.to_ascii_lowercase();
    ["throttl", "rate limit", "ratelimit", "rate exceeded", "limitexceeded", "too many requests", "code 429"]
        .iter()
        .any(|word| message.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_texts_are_in_lower_case_and_read() {
        for row in rows(include_str!("../data/driver-texts.tsv")) {
            assert!(Code::read(&row).is_some_and(|code| code.patience.is_some()), "{row:?}");
            assert_eq!(row[0], row[0].to_ascii_lowercase());
            assert!(!row[0].is_empty());
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
    fn the_innermost_code_counts() {
        let found = Code::find("rpc error: code = Internal desc = rpc error: code = NotFound desc = x").unwrap();
        assert_eq!(found.word, "NotFound");
        assert_eq!(Code::find("code = Nonsense"), None);
    }
}
