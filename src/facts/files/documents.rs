//! From paths to documents: files, folders and the standard input, as YAML or JSON. Nothing here trusts what it reads: sizes, depth
//! and aliases are limited, and links are not followed out of a folder.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use super::archive::{self, Limits};
use super::document::Document;
use super::held::Held;
use super::{FilesError, Skipped};

/// The path that stands for the standard input.
pub const STANDARD_INPUT: &str = "-";
/// Bytes of the largest file that is read: 256 MiB.
pub const LARGEST_FILE: u64 = 256 << 20;
/// Folders in folders.
const DEPTH: usize = 32;
/// Objects in objects, as `serde_json` has it.
const NESTING: usize = 128;
/// In a folder an archive is read only if it is named: it may be of another cluster.
const ARCHIVES: [&str; 4] = ["tar", "gz", "tgz", "zip"];

/// Reads files, one after the other.
#[derive(Debug, Default)]
pub(super) struct Reader {
    pub(super) held: Held,
    pub(super) skipped: Vec<Skipped>,
}

impl Reader {
    /// Reads a path that was named: that it cannot be read is an error.
    pub(super) fn read(&mut self, path: &Path) -> Result<(), FilesError> {
        let unreadable = |why: String| FilesError::Unreadable { path: path.display().to_string(), why };
        let mut take = |name: &str, bytes: Result<Vec<u8>, String>| {
            let place = match (path == Path::new(STANDARD_INPUT), name) {
                (true, "") => "standard input".to_owned(),
                (true, name) => format!("standard input: {name}"),
                (false, "") => path.display().to_string(),
                (false, name) => format!("{}: {name}", path.display()),
            };
            match bytes {
                Ok(bytes) => self.file(&place, &bytes),
                Err(why) => self.skip(place, why),
            }
        };
        if path == Path::new(STANDARD_INPUT) {
            return archive::read_stream(io::stdin().lock(), Limits::USUAL, &mut take).map_err(unreadable);
        }
        let what = fs::metadata(path).map_err(|error| unreadable(error.to_string()))?;
        if what.is_dir() {
            return self.folder(path, DEPTH).map_err(|error| unreadable(error.to_string()));
        }
        let file = File::open(path).map_err(|error| unreadable(error.to_string()))?;
        // A pipe has a name, too: `--from <(kubectl ...)`.
        let read = if what.is_file() { archive::read } else { archive::read_stream };
        read(file, Limits::USUAL, &mut take).map_err(unreadable)
    }

    /// In the order of names, so that the outcome does not depend on the file system.
    fn folder(&mut self, folder: &Path, depth: usize) -> io::Result<()> {
        let mut entries: Vec<PathBuf> =
            fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path())).collect::<io::Result<_>>()?;
        entries.sort();
        for path in entries {
            let place = path.display().to_string();
            let is_wanted = archive::is_wanted(&place);
            let is_archive = path.extension().is_some_and(|ending| ARCHIVES.iter().any(|known| ending == *known));
            let Ok(what) = fs::symlink_metadata(&path) else { continue };
            if what.is_dir() {
                match depth.checked_sub(1).map(|depth| self.folder(&path, depth)) {
                    Some(Ok(())) => {}
                    Some(Err(error)) => self.skip(place, error.to_string()),
                    None => self.skip(place, format!("more than {DEPTH} folders deep")),
                }
            } else if what.is_file() && is_wanted {
                match open(&path) {
                    Ok(bytes) => self.file(&place, &bytes),
                    Err(why) => self.skip(place, why),
                }
            } else if what.is_file() && is_archive {
                self.skip(place, "an archive in a folder; name it to read it".to_owned());
            } else if what.is_symlink() && is_wanted {
                self.skip(place, "a link, which may lead anywhere; name it to read it".to_owned());
            }
        }
        Ok(())
    }

    fn skip(&mut self, place: String, why: String) {
        self.skipped.push(Skipped { place, why });
    }

    /// A file: JSON, one value after the other, or YAML, one document after the other. A document that is broken spoils no other.
    fn file(&mut self, place: &str, bytes: &[u8]) {
        let Ok(text) = std::str::from_utf8(bytes) else {
            self.skip(place.to_owned(), "it is not UTF-8".to_owned());
            return;
        };
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        if text.trim_start().starts_with(['{', '[']) {
            let mut values = serde_json::Deserializer::from_str(text).into_iter::<Document>();
            let broken = values.by_ref().find_map(|value| match value {
                Ok(value) => {
                    self.held.take(value);
                    None
                }
                Err(error) => Some(error),
            });
            match broken {
                None => return,
                // YAML has braces, too.
                Some(error) if values.byte_offset() > 0 => {
                    self.skip(place.to_owned(), format!("broken JSON: {error}"));
                    return;
                }
                Some(_) => {}
            }
        }
        let documents: Vec<&str> = documents(text).filter(|document| !document.trim().is_empty()).collect();
        for (number, document) in documents.iter().enumerate() {
            match yaml(document) {
                Ok(values) => values.into_iter().for_each(|value| self.held.take(value)),
                Err(why) => {
                    let which = if documents.len() > 1 { format!(", document {}", number + 1) } else { String::new() };
                    self.skip(format!("{place}{which}"), why);
                }
            }
        }
    }
}

/// The documents of a YAML file: no block of text has a line that begins so.
fn documents(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let end = text.match_indices("\n---").map(|(at, _)| at).find(|at| {
            let after = text.get(at + 4..).and_then(|after| after.chars().next());
            after.is_none_or(char::is_whitespace)
        });
        let (document, next) = match end {
            Some(at) => (text.get(..at), text.get(at + 1..)),
            None => (Some(text), None),
        };
        rest = next;
        document
    })
}

fn yaml(document: &str) -> Result<Vec<Document>, String> {
    // Nodes and text are limited by the size of the file. No tool of Kubernetes writes aliases, so few are enough.
    let options = serde_saphyr::options! {
        alias_limits: serde_saphyr::alias_limits! { max_total_replayed_events: 10_000 },
        budget: serde_saphyr::budget! {
            max_nodes: usize::MAX,
            max_events: usize::MAX,
            max_depth: NESTING,
            max_total_scalar_bytes: usize::try_from(LARGEST_FILE).unwrap_or(usize::MAX),
        },
    };
    let values: Result<Vec<Document>, _> = serde_saphyr::from_multiple_with_options(document, options);
    values.map_err(|error| {
        // Text of a cluster may have braces as well, so it is read if it is YAML.
        let is_template = document.contains("{{") && document.contains("}}");
        let what = if is_template { "a template, or broken YAML" } else { "broken YAML" };
        format!("{what}: {}", error.to_string().lines().next().unwrap_or_default())
    })
}

fn open(path: &Path) -> Result<Vec<u8>, String> {
    archive::limited(File::open(path).map_err(|error| error.to_string())?, LARGEST_FILE)
}
