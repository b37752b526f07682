//! Where reports go: one format on stdout, any number in files. A file appears whole or not at all.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use tempfile::NamedTempFile;

use crate::model::{CheckResult, Event, Happening, Report, Source, Tool};
use crate::report::format::{Format, UnknownFormat, render};
use crate::report::options::RenderOptions;
use crate::report::{human, ndjson};

/// A `--report FORMAT=PATH`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportArgument {
    /// The format.
    pub format: Format,
    /// The file; `None` for stdout, which is written `-`.
    pub path: Option<PathBuf>,
}

impl FromStr for ReportArgument {
    type Err = ReportArgumentError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (format, path) = text.split_once('=').ok_or(ReportArgumentError::NoPath)?;
        let format = format.parse()?;
        match path {
            "" => Err(ReportArgumentError::NoPath),
            "-" => Ok(Self { format, path: None }),
            path => Ok(Self { format, path: Some(PathBuf::from(path)) }),
        }
    }
}

/// A `--report` that cannot be understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReportArgumentError {
    /// There is no `=`, or nothing after it.
    #[error("expected FORMAT=PATH, for example junit=report.xml; PATH - is stdout")]
    NoPath,
    /// What stands before the `=` is not a format.
    #[error(transparent)]
    Format(#[from] UnknownFormat),
}

/// What goes where. At most one format goes to stdout, and no two go to one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outputs {
    stdout: Format,
    files: Vec<(Format, PathBuf)>,
}

impl Outputs {
    /// From the flags: `-o`, if it was given, and every `--report`. Without `-o`, stdout gets the report that names it, and
    /// the human format if none does.
    pub fn new(output: Option<Format>, reports: &[ReportArgument]) -> Result<Self, OutputsError> {
        let mut on_stdout: Vec<Format> = output.into_iter().collect();
        let mut files: Vec<(Format, PathBuf)> = Vec::new();
        let mut taken = BTreeSet::new();
        for report in reports {
            match &report.path {
                None => on_stdout.push(report.format),
                // Two ways to write one path are one file.
                Some(path) if taken.insert(one_way(path)) => {
                    files.push((report.format, path.clone()));
                }
                Some(path) => return Err(OutputsError::SameFile(path.clone())),
            }
        }
        match on_stdout.as_slice() {
            [] => Ok(Self { stdout: Format::Human, files }),
            [format] => Ok(Self { stdout: *format, files }),
            [first, second, ..] => Err(OutputsError::TwoOnStdout(*first, *second)),
        }
    }

    /// The format on stdout.
    #[must_use]
    pub fn stdout(&self) -> Format {
        self.stdout
    }

    /// Whether only people read what is reported: nothing but the human format, on stdout.
    #[must_use]
    pub fn only_for_people(&self) -> bool {
        self.stdout == Format::Human && self.files.is_empty()
    }
}

/// The path as it is written when every folder is; a file that is not there yet has none.
fn one_way(path: &Path) -> PathBuf {
    let whole = fs::canonicalize(path).or_else(|_| {
        let folder = fs::canonicalize(folder(path))?;
        Ok::<_, io::Error>(path.file_name().map_or_else(|| folder.clone(), |name| folder.join(name)))
    });
    whole.or_else(|_| std::path::absolute(path)).unwrap_or_else(|_| path.to_owned())
}

/// Flags that ask for what cannot be: a usage error.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OutputsError {
    /// Two reports on stdout.
    #[error("both {0} and {1} are to go to stdout; write one of them to a file with --report {1}=PATH")]
    TwoOnStdout(Format, Format),
    /// Two reports in one file.
    #[error("two reports are to go to {}; give each its own file", .0.display())]
    SameFile(PathBuf),
}

/// A report that could not be written.
#[derive(Debug, thiserror::Error)]
pub enum OutputError {
    /// Not to stdout.
    #[error("failed to write the report to stdout: {0}")]
    Stdout(io::Error),
    /// Not to a file.
    #[error("failed to write the {format} report to {}: {source}", .path.display())]
    File {
        /// The format.
        format: Format,
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Several could not be written.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Several(Vec<Self>),
}

/// Writes the reports of a run: events as they come, the rest at its end.
pub struct Reporter {
    format: Format,
    options: RenderOptions,
    stdout: Stream,
    files: Vec<ReportFile>,
    early: Early,
}

/// What people see on stdout before the report is complete.
#[derive(Default)]
struct Early {
    run: Option<(String, Source)>,
    results: Vec<CheckResult>,
    /// What stands there already.
    shown: String,
}

/// A file that a report goes to.
struct ReportFile {
    format: Format,
    path: PathBuf,
    target: io::Result<Target>,
}

impl Reporter {
    /// Finds out now whether every file can be written, so that a long run is not lost for a typing error. `stdout` is
    /// the process's stdout, `options` are those for it; files get plain text.
    pub fn new(outputs: Outputs, options: RenderOptions, stdout: Box<dyn Write + Send>) -> Result<Self, OutputError> {
        let mut files = Vec::new();
        let mut errors = Vec::new();
        for (format, path) in outputs.files {
            match Target::open(&path) {
                Ok(target) => files.push(ReportFile { format, path, target: Ok(target) }),
                Err(source) => errors.push(OutputError::File { format, path, source }),
            }
        }
        several(errors)?;
        let stdout = Stream { writer: stdout, closed: false, failure: None };
        Ok(Self { format: outputs.stdout, options, stdout, files, early: Early::default() })
    }

    /// Passes an event on to the formats that show events. What fails is told by [`Self::finish`].
    pub fn event(&mut self, event: &Event) {
        // The report ends the stream, and `finish` writes it: that it is there must not depend on who sends what.
        if matches!(event.event, Happening::RunFinished { .. }) {
            return;
        }
        match self.format {
            Format::Ndjson => self.stdout.write(&ndjson::line(event)),
            Format::Human => self.early(&event.event),
            _ => {}
        }
        for file in self.files.iter_mut().filter(|file| file.format == Format::Ndjson) {
            file.write(&ndjson::line(event));
        }
    }

    /// Shows the results of the checks when round trips begin, which take their time. That they begin means as well that
    /// the call was right, and a report will follow.
    fn early(&mut self, happening: &Happening) {
        match happening {
            Happening::RunStarted { run, source, .. } => self.early.run = Some((run.clone(), source.clone())),
            Happening::CheckFinished { result } => self.early.results.push(result.clone()),
            Happening::RoundTripsPlanned { .. } => {
                if let Some((run, source)) = &self.early.run {
                    let text = human::beginning(&Tool::this(), run, source, &self.early.results, &self.options);
                    self.stdout.write(&text);
                    self.early.shown = text;
                }
            }
            _ => {}
        }
    }

    /// Writes every report; one that fails does not keep the others from being written. A closed stdout is no error:
    /// its reader has seen enough. To be called once, at the end.
    pub fn finish(&mut self, report: &Report) -> Result<(), OutputError> {
        let mut errors = Vec::new();
        let text = render(self.format, report, &self.options);
        self.stdout.write(text.strip_prefix(&self.early.shown).unwrap_or(&text));
        errors.extend(self.stdout.failure.take().map(OutputError::Stdout));
        let options = self.options.for_file();
        for mut file in self.files.drain(..) {
            file.write(&render(file.format, report, &options));
            if let Err(source) = file.target.and_then(Target::commit) {
                errors.push(OutputError::File { format: file.format, path: file.path, source });
            }
        }
        several(errors)
    }
}

fn several(mut errors: Vec<OutputError>) -> Result<(), OutputError> {
    match errors.len() {
        0 => Ok(()),
        1 => errors.pop().map_or(Ok(()), Err),
        _ => Err(OutputError::Several(errors)),
    }
}

impl ReportFile {
    fn write(&mut self, text: &str) {
        if let Ok(target) = &mut self.target
            && let Err(error) = target.write(text)
        {
            self.target = Err(error);
        }
    }
}

/// Stdout. After the first failure nothing more is written.
struct Stream {
    writer: Box<dyn Write + Send>,
    closed: bool,
    failure: Option<io::Error>,
}

impl Stream {
    fn write(&mut self, text: &str) {
        if self.closed {
            return;
        }
        let written = self.writer.write_all(text.as_bytes()).and_then(|()| self.writer.flush());
        if let Err(error) = written {
            self.closed = true;
            if error.kind() != io::ErrorKind::BrokenPipe {
                self.failure = Some(error);
            }
        }
    }
}

/// A file that is being written.
enum Target {
    /// A file in the folder of its destination, to be renamed to it.
    Temporary { file: NamedTempFile, path: PathBuf },
    /// A device or a pipe: it must not be replaced by a file, and a pipe's reader sees its end when it is closed.
    Direct(File),
}

impl Target {
    fn open(path: &Path) -> io::Result<Self> {
        match fs::metadata(path) {
            Ok(metadata) if metadata.is_dir() => Err(io::ErrorKind::IsADirectory.into()),
            Ok(metadata) if metadata.is_file() => {
                // A link stays a link.
                Self::temporary(fs::canonicalize(path)?)
            }
            Ok(_) => Ok(Self::Direct(OpenOptions::new().write(true).open(path)?)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Self::temporary(path.to_owned()),
            Err(error) => Err(error),
        }
    }

    fn temporary(path: PathBuf) -> io::Result<Self> {
        if path.file_name().is_none() {
            return Err(io::ErrorKind::InvalidFilename.into());
        }
        let file = tempfile::Builder::new().prefix(".snapready-").tempfile_in(folder(&path))?;
        Ok(Self::Temporary { file, path })
    }

    fn write(&mut self, text: &str) -> io::Result<()> {
        match self {
            Self::Temporary { file, .. } => file.write_all(text.as_bytes()),
            Self::Direct(file) => file.write_all(text.as_bytes()),
        }
    }

    fn commit(self) -> io::Result<()> {
        let Self::Temporary { file, path } = self else {
            return Ok(());
        };
        readable_by_all(file.as_file())?;
        file.as_file().sync_all()?;
        file.persist(&path).map_err(|error| error.error)?;
        // Makes the rename last. Not every file system can, and the file is there either way.
        let _ = File::open(folder(&path)).and_then(|folder| folder.sync_all());
        Ok(())
    }
}

fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    }
}

/// A temporary file is its owner's alone; a report is collected by another user of the pipeline.
#[cfg(unix)]
fn readable_by_all(file: &File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn readable_by_all(_: &File) -> io::Result<()> {
    Ok(())
}
