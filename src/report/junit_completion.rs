//! What `junit-report` does not write: totals at the root, the number of skipped cases of a suite, properties. Added by
//! copying its output event by event.

use quick_xml::Writer;
use quick_xml::events::{BytesEnd, BytesStart, BytesText, Event};
use quick_xml::reader::Reader;

use crate::model::Report;
use crate::report::{sanitize, words};

/// The document with what was missing. A document that cannot be read stays as it is.
pub(crate) fn complete(xml: &str, report: &Report) -> String {
    let Some(counts) = count(xml) else {
        return xml.to_owned();
    };
    let mut suites = counts.suites.iter();
    let mut writer = Writer::new(Vec::new());
    let copied = copy(xml, |event| match event {
        Event::Start(start) if start.name().as_ref() == b"testsuites" => {
            line_break(&mut writer)?;
            writer.write_event(Event::Start(root(&start, &counts, report)))
        }
        Event::Start(start) if start.name().as_ref() == b"testsuite" => {
            line_break(&mut writer)?;
            let skipped = suites.next().copied().unwrap_or_default().to_string();
            let mut start = start.to_owned();
            start.push_attribute(("skipped", skipped.as_str()));
            writer.write_event(Event::Start(start))?;
            properties(&mut writer, report)
        }
        Event::Start(start) if start.name().as_ref() == b"testcase" => {
            line_break(&mut writer)?;
            writer.write_event(Event::Start(start))
        }
        Event::Empty(start) if start.name().as_ref() == b"testcase" => {
            line_break(&mut writer)?;
            writer.write_event(Event::Empty(start))
        }
        Event::End(end) if matches!(end.name().as_ref(), b"testsuite" | b"testsuites") => {
            line_break(&mut writer)?;
            writer.write_event(Event::End(end))
        }
        other => writer.write_event(other),
    });
    let completed = copied.and_then(|()| String::from_utf8(writer.into_inner()).ok());
    completed.map_or_else(|| xml.to_owned(), |completed| completed + "\n")
}

/// Totals of a document.
#[derive(Default)]
struct Counts {
    tests: usize,
    failures: usize,
    errors: usize,
    /// Skipped cases of each suite.
    suites: Vec<usize>,
}

fn count(xml: &str) -> Option<Counts> {
    let mut counts = Counts::default();
    copy(xml, |event| {
        if let Event::Start(start) | Event::Empty(start) = event {
            match start.name().as_ref() {
                b"testsuite" => counts.suites.push(0),
                b"testcase" => counts.tests += 1,
                b"failure" => counts.failures += 1,
                b"error" => counts.errors += 1,
                b"skipped" => {
                    if let Some(skipped) = counts.suites.last_mut() {
                        *skipped += 1;
                    }
                }
                _ => {}
            }
        }
        Ok(())
    })?;
    Some(counts)
}

/// Hands every event of a document to `take`; `None` if the document or the taking failed.
fn copy(xml: &str, mut take: impl FnMut(Event<'_>) -> std::io::Result<()>) -> Option<()> {
    let mut reader = Reader::from_str(xml);
    loop {
        match reader.read_event().ok()? {
            Event::Eof => return Some(()),
            event => take(event).ok()?,
        }
    }
}

fn root(start: &BytesStart<'_>, counts: &Counts, report: &Report) -> BytesStart<'static> {
    let mut root = start.to_owned();
    let milliseconds = report.run.duration_ms;
    root.extend_attributes([
        ("name", "snapready"),
        ("tests", &counts.tests.to_string()),
        ("failures", &counts.failures.to_string()),
        ("errors", &counts.errors.to_string()),
        ("skipped", &counts.suites.iter().sum::<usize>().to_string()),
        ("time", &format!("{}.{:03}", milliseconds / 1_000, milliseconds % 1_000)),
    ]);
    root
}

fn properties(writer: &mut Writer<Vec<u8>>, report: &Report) -> std::io::Result<()> {
    let source = &report.source;
    let all = [
        ("snapready.version", Some(report.tool.version.as_str())),
        ("snapready.run", Some(report.run.id.as_str())),
        ("snapready.verdict", Some(words::verdict(report.run.verdict))),
        ("snapready.source", words::simulated(source.kind)),
        ("kubernetes.context", source.context.as_deref()),
        ("kubernetes.version", source.server_version.as_deref()),
    ];
    line_break(writer)?;
    writer.write_event(Event::Start(BytesStart::new("properties")))?;
    for (name, value) in all {
        if let Some(value) = value {
            let mut property = BytesStart::new("property");
            property.extend_attributes([("name", name), ("value", &sanitize::attribute(value))]);
            writer.write_event(Event::Empty(property))?;
        }
    }
    writer.write_event(Event::End(BytesEnd::new("properties")))
}

fn line_break(writer: &mut Writer<Vec<u8>>) -> std::io::Result<()> {
    writer.write_event(Event::Text(BytesText::new("\n")))
}
