//! The manifests of fixes, each as a file to be reviewed and applied: snapready itself applies nothing.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use snapready_checks::model::finding::Status;

use crate::model::{CheckResult, Report};
use crate::report::sanitize;

/// Longest part of a file's name that comes from a target.
const TARGET: usize = 80;

/// Files that could not be written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ManifestError {
    /// A file of that name is there, and holds something else: somebody's review, or an earlier run's fix.
    #[error("{} exists and holds something else; name an empty folder", .0.display())]
    Exists(PathBuf),
    /// The folder or a file in it cannot be written.
    #[error("{} cannot be written: {source}", path.display())]
    Write {
        /// The folder or file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// Makes the folder, before a cluster is looked at.
///
/// # Errors
///
/// [`ManifestError::Write`].
pub(crate) fn make_folder(folder: &Path) -> Result<(), ManifestError> {
    fs::create_dir_all(folder).map_err(|source| ManifestError::Write { path: folder.to_owned(), source })
}

/// Writes the manifest of each fix into a file of its own. Gives how many there are.
///
/// # Errors
///
/// [`ManifestError`]; what was written before stays.
pub(crate) fn write(folder: &Path, report: &Report) -> Result<usize, ManifestError> {
    let files = files(report);
    for (name, text) in &files {
        let path = folder.join(name);
        match OpenOptions::new().write(true).create_new(true).open(&path) {
            Ok(mut file) => {
                let written = file.write_all(text.as_bytes()).and_then(|()| file.sync_all());
                written.map_err(|source| ManifestError::Write { path, source })?;
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                if fs::read(&path).ok().as_deref() != Some(text.as_bytes()) {
                    return Err(ManifestError::Exists(path));
                }
            }
            Err(source) => return Err(ManifestError::Write { path, source }),
        }
    }
    Ok(files.len())
}

/// Names of files, and what they hold. The same fault has the same name in every run, and one manifest is one file.
fn files(report: &Report) -> BTreeMap<String, String> {
    let trips = report.round_trips.iter().filter_map(|trip| trip.diagnosis.as_ref());
    let mut files: BTreeMap<String, String> = BTreeMap::new();
    let mut told: Vec<&str> = Vec::new();
    for result in report.results.iter().chain(trips) {
        let wrong = matches!(result.status, Status::Warn | Status::Fail) && result.follows_from.is_none();
        let Some(manifest) = result.fix.as_ref().and_then(|fix| fix.manifest.as_deref()).filter(|_| wrong) else {
            continue;
        };
        if told.contains(&manifest) || sanitize::manifest(manifest).is_none() {
            continue;
        }
        told.push(manifest);
        files.entry(name(result)).or_insert_with(|| text(result, manifest));
    }
    files
}

/// `SR211-ebs.csi.aws.com.yaml`. A target is a cluster's text, and this is a path.
fn name(result: &CheckResult) -> String {
    let safe = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '.' | '-') { c } else { '_' };
    match &result.target {
        Some(target) => format!("{}-{}.yaml", result.id, target.chars().take(TARGET).map(safe).collect::<String>()),
        None => format!("{}.yaml", result.id),
    }
}

fn text(result: &CheckResult, manifest: &str) -> String {
    let title = sanitize::line(&result.title, 200);
    let target = result.target.as_ref().map_or_else(String::new, |target| format!(", {}", sanitize::line(target, 200)));
    let fix = result.fix.as_ref().map_or_else(String::new, |fix| sanitize::line(&fix.text, 400));
    format!(
        "# {} {title}{target}\n# {fix}\n# Review it, then: kubectl apply -f FILE. More: snapready explain {}\n{}\n",
        result.id,
        result.id,
        manifest.trim_end()
    )
}

#[cfg(test)]
mod tests {
    use snapready_checks::find;
    use snapready_checks::model::finding::{Finding, Fix};

    use super::*;
    use crate::report::tests::empty;

    const MANIFEST: &str = "apiVersion: v1\nkind: ConfigMap\n";

    fn report(target: &str, manifest: &str) -> Report {
        let finding = Finding::new(Status::Fail, "m").target(target).fix(Fix::text("Create it.").manifest(manifest));
        Report { results: vec![CheckResult::of(find("SR211").unwrap(), finding)], ..empty() }
    }

    #[test]
    fn a_manifest_is_a_file_whatever_its_target_is_called() {
        let folder = tempfile::tempdir().unwrap();
        let report = report("../../etc/x y\u{1b}[31m", MANIFEST);
        assert_eq!(write(folder.path(), &report).unwrap(), 1);
        let names: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().file_name()).collect();
        assert_eq!(names, ["SR211-.._.._etc_x_y__31m.yaml"]);
        let text = fs::read_to_string(folder.path().join(&names[0])).unwrap();
        assert!(text.ends_with(MANIFEST) && !text.contains('\u{1b}') && text.starts_with("# SR211 "), "{text}");
        // The same once more is the same.
        assert_eq!(write(folder.path(), &report).unwrap(), 1);
    }

    #[test]
    fn nothing_is_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), &report("a", MANIFEST)).unwrap();
        let error = write(folder.path(), &report("a", "kind: Secret\n")).unwrap_err();
        assert!(matches!(error, ManifestError::Exists(_)), "{error}");
        assert!(fs::read_to_string(folder.path().join("SR211-a.yaml")).unwrap().contains("ConfigMap"));
    }

    #[test]
    fn what_nobody_can_see_is_not_written() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(write(folder.path(), &report("a", "kind: \u{202e}x\n")).unwrap(), 0);
    }
}
