//! Facts from files: objects of Kubernetes as YAML or JSON, however they came there. What the files do not hold is not collected, so
//! that it never counts as absent; an empty list that names its kind is empty. `kubectl get` writes one that does not (`kind: List`).

mod archive;
mod clock;
mod document;
mod documents;
mod held;
#[cfg(test)]
mod tests;

use std::path::PathBuf;

use jiff::Timestamp;
use serde_json::Value;
use snapready_checks::model::facts::Facts;
use snapready_checks::model::object::Kind;

use self::documents::Reader;
use self::held::Held;

pub use self::documents::{LARGEST_FILE, STANDARD_INPUT};

/// What files have shown.
#[derive(Debug)]
pub struct FromFiles {
    /// The facts.
    pub facts: Facts,
    /// How many objects were read that snapready has to do with.
    pub objects: usize,
    /// What was not read, and why.
    pub skipped: Vec<Skipped>,
    held: Held,
}

impl FromFiles {
    /// The objects of a kind, whole; `None` if the files hold none, and no list of them either.
    pub(crate) fn objects_of(&self, kind: &Kind) -> Option<Vec<Value>> {
        Some(self.held.of(kind.group, kind.name)?.collect())
    }
}

/// Something that was not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// The file, and which document of it if there are several.
    pub place: String,
    /// Why.
    pub why: String,
}

/// Why there are no facts.
#[derive(Debug, thiserror::Error)]
pub enum FilesError {
    /// A path that was named cannot be read.
    #[error("--from {path}: {why}")]
    Unreadable {
        /// The path.
        path: String,
        /// Why.
        why: String,
    },
    /// Nothing in them is an object that says anything about snapshots.
    #[error("--from {paths}: no object of Kubernetes that snapready has to do with{}", first(.skipped))]
    NothingFound {
        /// The paths.
        paths: String,
        /// What was not read.
        skipped: Vec<Skipped>,
    },
}

fn first(skipped: &[Skipped]) -> String {
    match skipped {
        [] => String::new(),
        [first, rest @ ..] => {
            let more = if rest.is_empty() { String::new() } else { format!(", and {} more", rest.len()) };
            format!("; not read: {}: {}{more}", first.place, first.why)
        }
    }
}

/// Reads these files, archives, folders and (`-`) the standard input. `products` are the words of `--for`.
pub fn read(paths: &[PathBuf], products: &[String]) -> Result<FromFiles, FilesError> {
    let mut reader = Reader::default();
    for path in paths {
        reader.read(path)?;
    }
    let Reader { held, skipped, .. } = reader;
    let objects = held.len();
    if objects == 0 && !held.has_lists() {
        let paths: Vec<String> = paths.iter().map(|path| path.display().to_string()).collect();
        return Err(FilesError::NothingFound { paths: paths.join(" "), skipped });
    }
    let collected_at = held.newest().unwrap_or_else(Timestamp::now);
    let mut facts = Facts { collected_at, for_products: products.to_vec(), ..Facts::default() };
    held.tell(&mut facts);
    Ok(FromFiles { facts, objects, skipped, held })
}
