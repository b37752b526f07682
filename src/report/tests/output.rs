use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use super::samples;
use crate::model::{Event, Happening, Report};
use crate::report::format::Format;
use crate::report::options::RenderOptions;
use crate::report::output::{OutputError, Outputs, OutputsError, ReportArgument, Reporter};
use crate::report::style::Styles;

/// A stream whose content can be read afterwards.
#[derive(Clone, Default)]
pub(super) struct Recorder(Arc<Mutex<Vec<u8>>>);

impl Recorder {
    pub(super) fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Recorder {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A stream that fails.
struct Failing(io::ErrorKind);

impl Write for Failing {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(self.0.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

pub(super) fn argument(text: &str) -> ReportArgument {
    text.parse().unwrap()
}

pub(super) fn event(second: i64, event: Happening) -> Event {
    Event { time: samples::time(second), event }
}

fn reporter(output: Option<Format>, reports: &[ReportArgument]) -> (Reporter, Recorder) {
    let stdout = Recorder::default();
    let outputs = Outputs::new(output, reports).unwrap();
    (Reporter::new(outputs, RenderOptions::default(), Box::new(stdout.clone())).unwrap(), stdout)
}

fn names(folder: &tempfile::TempDir) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn arguments() {
    assert_eq!(argument("json=-"), ReportArgument { format: Format::Json, path: None });
    assert_eq!(
        argument("junit=a=b.xml"),
        ReportArgument { format: Format::Junit, path: Some(PathBuf::from("a=b.xml")) }
    );
    for (bad, word) in [
        ("json", "FORMAT=PATH"),
        ("json=", "FORMAT=PATH"),
        ("yaml=x", "\"yaml\" is not a format"),
        ("=x", "not a format"),
    ] {
        let error = bad.parse::<ReportArgument>().unwrap_err().to_string();
        assert!(error.contains(word), "{bad}: {error}");
    }
}

#[test]
fn one_format_on_stdout() {
    let stdout = |output, reports: &[&str]| {
        let reports: Vec<_> = reports.iter().map(|text| argument(text)).collect();
        Outputs::new(output, &reports).map(|outputs| outputs.stdout())
    };
    assert_eq!(stdout(None, &[]), Ok(Format::Human));
    assert_eq!(stdout(Some(Format::Json), &["junit=a"]), Ok(Format::Json));
    assert_eq!(stdout(None, &["json=-"]), Ok(Format::Json));
    assert_eq!(stdout(Some(Format::Human), &["json=-"]), Err(OutputsError::TwoOnStdout(Format::Human, Format::Json)));
    assert_eq!(stdout(None, &["json=-", "junit=-"]), Err(OutputsError::TwoOnStdout(Format::Json, Format::Junit)));
    assert_eq!(stdout(None, &["json=a", "junit=./a"]), Err(OutputsError::SameFile(PathBuf::from("./a"))));
}

#[test]
fn every_report_of_one_run() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).into_os_string().into_string().unwrap();
    fs::write(path("report.json"), "old").unwrap();
    let reports: Vec<_> =
        Format::ALL.iter().map(|format| argument(&format!("{format}={}", path(&format!("report.{format}"))))).collect();
    let stdout = Recorder::default();
    let options = RenderOptions { styles: Styles::colored(), width: Some(80), ..RenderOptions::default() };
    let outputs = Outputs::new(Some(Format::Json), &reports).unwrap();
    let mut reporter = Reporter::new(outputs, options, Box::new(stdout.clone())).unwrap();
    assert_eq!(fs::read_to_string(path("report.json")).unwrap(), "old", "a file changes when the run has ended");
    reporter.event(&event(1, Happening::Retrying { request: "list pods".to_owned(), reason: "503".to_owned() }));
    reporter.finish(&samples::mixed()).unwrap();

    assert_eq!(serde_json::from_str::<Report>(&stdout.text()).unwrap(), samples::mixed());
    assert_eq!(fs::read_to_string(path("report.json")).unwrap(), stdout.text());
    assert!(!fs::read_to_string(path("report.human")).unwrap().contains('\u{1b}'), "files are plain");
    assert_eq!(fs::read_to_string(path("report.ndjson")).unwrap().lines().count(), 2);
    let written = names(&folder);
    assert_eq!(written.len(), Format::ALL.len(), "nothing else is left: {written:?}");
    #[cfg(unix)]
    for name in written {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(path(&name)).unwrap().permissions().mode() & 0o777, 0o644, "{name}");
    }
}

#[test]
fn ndjson_comes_as_it_happens_and_ends_with_the_report_once() {
    let (mut reporter, stdout) = reporter(Some(Format::Ndjson), &[]);
    reporter.event(&event(1, Happening::Stopping { signal: "SIGINT".to_owned(), objects: 2 }));
    assert_eq!(stdout.text().lines().count(), 1);
    let report = samples::interrupted();
    reporter.event(&event(2, Happening::RunFinished { report: Box::new(report.clone()) }));
    reporter.finish(&report).unwrap();
    let text = stdout.text();
    let events: Vec<Event> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(events.len(), 2);
    assert_eq!(events[1].event, Happening::RunFinished { report: Box::new(report) });
}

#[test]
fn a_file_that_cannot_be_written_is_told_before_the_run() {
    let folder = tempfile::tempdir().unwrap();
    for path in [folder.path().join("missing/report.xml"), folder.path().to_owned(), PathBuf::from("..")] {
        let reports = [ReportArgument { format: Format::Junit, path: Some(path.clone()) }];
        let outputs = Outputs::new(None, &reports).unwrap();
        let error = Reporter::new(outputs, RenderOptions::default(), Box::new(io::sink())).err().unwrap();
        assert!(error.to_string().contains(&path.display().to_string()), "{error}");
    }
    assert_eq!(names(&folder), Vec::<String>::new());
}

#[test]
fn one_report_that_fails_does_not_cost_the_others() {
    let folder = tempfile::tempdir().unwrap();
    let gone = folder.path().join("gone");
    fs::create_dir(&gone).unwrap();
    let reports = [
        ReportArgument { format: Format::Junit, path: Some(gone.join("report.xml")) },
        ReportArgument { format: Format::Json, path: Some(folder.path().join("report.json")) },
    ];
    let outputs = Outputs::new(None, &reports).unwrap();
    let full = Box::new(Failing(io::ErrorKind::StorageFull));
    let mut reporter = Reporter::new(outputs, RenderOptions::default(), full).unwrap();
    fs::remove_dir_all(&gone).unwrap();
    let error = reporter.finish(&samples::ready()).unwrap_err();
    assert!(matches!(&error, OutputError::Several(errors) if errors.len() == 2), "{error}");
    assert!(error.to_string().contains("stdout") && error.to_string().contains("report.xml"), "{error}");
    assert_eq!(names(&folder), ["report.json"]);
}

#[test]
fn a_reader_that_has_gone_is_no_error() {
    for format in Format::ALL {
        let outputs = Outputs::new(Some(format), &[]).unwrap();
        let broken = Box::new(Failing(io::ErrorKind::BrokenPipe));
        let mut reporter = Reporter::new(outputs, RenderOptions::default(), broken).unwrap();
        reporter.event(&event(1, Happening::Stopping { signal: "SIGINT".to_owned(), objects: 2 }));
        reporter.finish(&samples::ready()).unwrap();
    }
}

/// `--report junit=/dev/stderr` must not replace what is no file, nor a link.
#[cfg(unix)]
#[test]
fn pipes_and_links_stay_what_they_are() {
    use std::io::Read;
    use std::os::unix::fs::FileTypeExt;
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::write(path("file"), "old").unwrap();
    std::os::unix::fs::symlink(path("file"), path("link")).unwrap();
    let made = std::process::Command::new("mkfifo").arg(path("pipe")).status().unwrap();
    assert!(made.success());
    // Held open at both ends, so that nothing here can wait for the other end.
    let mut pipe = fs::File::options().read(true).write(true).open(path("pipe")).unwrap();
    let reports = [
        ReportArgument { format: Format::Json, path: Some(path("link")) },
        ReportArgument { format: Format::Junit, path: Some(path("pipe")) },
    ];
    let (mut reporter, _) = reporter(None, &reports);
    reporter.finish(&samples::ready()).unwrap();
    assert!(fs::symlink_metadata(path("link")).unwrap().is_symlink());
    assert!(fs::read_to_string(path("file")).unwrap().contains("schemaVersion"));
    assert!(fs::symlink_metadata(path("pipe")).unwrap().file_type().is_fifo());
    let mut start = [0; 5];
    pipe.read_exact(&mut start).unwrap();
    assert_eq!(&start, b"<?xml");
}
