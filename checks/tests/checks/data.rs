//! Where the facts in `data/` come from.

use std::path::Path;

use serde_json::Value;

#[test]
fn every_row_of_data_names_its_source() {
    let mut wrong = Vec::new();
    for entry in std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("data")).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        let name = path.file_name().unwrap().to_str().unwrap();
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("tsv") => wrong.extend(rows_without_source(&text).map(|row| format!("{name}: {row}"))),
            // A file that was computed as a whole has one source.
            Some("json") => {
                let value: Value = serde_json::from_str(&text).unwrap();
                if value["source"].as_str().is_none_or(str::is_empty) {
                    wrong.push(format!("{name} has no \"source\""));
                }
            }
            _ => panic!("how does {name} name its sources?"),
        }
    }
    assert!(wrong.is_empty(), "no source:\n{}", wrong.join("\n"));
}

/// The rows of a table whose last column, which is called `source`, is empty, or that have not as many columns as the heading.
fn rows_without_source(table: &str) -> impl Iterator<Item = &str> {
    let columns: Vec<&str> = table.lines().next().unwrap().split('\t').collect();
    let named = columns.last() == Some(&"source");
    table.lines().skip(1).filter(move |row| {
        let cells: Vec<&str> = row.split('\t').collect();
        !named || cells.len() != columns.len() || cells.last().is_none_or(|source| source.trim().is_empty())
    })
}
