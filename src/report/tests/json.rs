use std::path::Path;

use proptest::prelude::*;

use super::samples;
use crate::model::{Event, Happening, Report};
use crate::report::format::{Format, render};
use crate::report::options::RenderOptions;
use crate::report::schema;

fn validator(schema: &str) -> jsonschema::Validator {
    jsonschema::validator_for(&serde_json::from_str(schema).unwrap()).unwrap()
}

/// Compares with the checked-in text, or writes it if `SNAPREADY_BLESS` is set.
fn check_in(name: &str, current: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("schema").join(name);
    if std::env::var_os("SNAPREADY_BLESS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, current).unwrap();
    }
    let checked_in = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        checked_in == current,
        "schema/{name} is stale; write it anew with SNAPREADY_BLESS=1 cargo test --lib schema"
    );
}

#[test]
fn checked_in_schemas_are_current() {
    check_in("report.v1.json", &schema::report());
    check_in("event.v1.json", &schema::event());
    check_in("coverage.v1.json", &schema::document::<crate::coverage::Document>(crate::coverage::SCHEMA_VERSION));
    check_in("why.v1.json", &schema::document::<crate::why::Document>(crate::why::SCHEMA_VERSION));
    check_in("drivers.v1.json", &schema::document::<crate::drivers::Document>(crate::drivers::SCHEMA_VERSION));
}

#[test]
fn the_report_reads_back_and_obeys_the_schema() {
    let validator = validator(&schema::report());
    for (name, report) in samples::all() {
        let text = render(Format::Json, &report, &RenderOptions::default());
        let value = serde_json::from_str(&text).unwrap();
        if let Err(error) = validator.validate(&value) {
            panic!("{name}: {error} at {}", error.instance_path());
        }
        assert_eq!(serde_json::from_str::<Report>(&text).unwrap(), report, "{name}");
        assert!(text.starts_with("{\n  \"schemaVersion\": \"snapready.dev/report/v1\""), "{name}");
        assert!(text.ends_with("}\n"), "{name}");
    }
}

#[test]
fn the_schema_refuses_another_version() {
    let mut report = samples::ready();
    report.schema_version = "snapready.dev/report/v2".to_owned();
    assert!(!validator(&schema::report()).is_valid(&serde_json::to_value(&report).unwrap()));
}

#[test]
fn the_last_line_of_ndjson_holds_the_report() {
    let validator = validator(&schema::event());
    for (name, report) in samples::all() {
        let text = render(Format::Ndjson, &report, &RenderOptions::default());
        assert_eq!(text.lines().count(), 1, "{name}");
        assert!(validator.is_valid(&serde_json::from_str(&text).unwrap()), "{name}");
        let event: Event = serde_json::from_str(&text).unwrap();
        assert_eq!(event.event, Happening::RunFinished { report: Box::new(report) }, "{name}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_text_reads_back_as_it_was(text in samples::hostile_text()) {
        let report = samples::filled(&text);
        let json = render(Format::Json, &report, &RenderOptions::default());
        prop_assert_eq!(serde_json::from_str::<Report>(&json).unwrap(), report);
    }
}
