//! Where the facts in `data/` come from.

use std::collections::BTreeSet;
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

/// The tables, by their names.
fn tables() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("data");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let tables = files.filter(|path| path.extension().is_some_and(|extension| extension == "tsv"));
    tables
        .map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), std::fs::read_to_string(path).unwrap()))
        .collect()
}

#[test]
fn tables_are_in_order() {
    for (name, text) in tables() {
        let rows: Vec<Vec<&str>> = text.lines().map(|row| row.split('\t').collect()).collect();
        assert!(rows.len() > 1 && text.ends_with('\n') && !text.contains('\r'), "{name} is no table");
        let heading: BTreeSet<&str> = rows[0].iter().copied().collect();
        assert_eq!(heading.len(), rows[0].len(), "{name}: two columns have one name");
        for row in &rows {
            assert_eq!(row.len(), rows[0].len(), "{name}: {row:?} has another number of cells than the heading");
            assert!(!row[0].is_empty(), "{name}: the first cell of {row:?} is empty");
            // In what is looked for in a text, a blank counts: `goroutine `.
            let last = row.iter().skip(1).find(|cell| cell.trim() != **cell);
            assert!(last.is_none(), "{name}: {row:?} has a cell with blanks around it");
        }
        let said: BTreeSet<&[&str]> = rows.iter().map(|row| &row[..row.len() - 1]).collect();
        assert_eq!(said.len(), rows.len(), "{name} says something twice");
    }
}

#[test]
fn every_table_is_read() {
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()];
    let mut code = String::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && !path.ends_with("tests") {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                code.push_str(&std::fs::read_to_string(path).unwrap());
            }
        }
    }
    for (name, _) in tables() {
        assert!(code.contains(&format!("data/{name}\")")), "no code reads data/{name}");
    }
}
