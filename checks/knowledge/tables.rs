//! The tables of `data/`: a heading, then a row a line, cells divided by tabs. The last cell names the source.

/// The rows of a table of `data/` without its heading.
pub(crate) fn rows(table: &'static str) -> impl Iterator<Item = Vec<&'static str>> {
    table.lines().skip(1).map(|line| line.split('\t').collect())
}
