//! All round trips in one table, where there are more than a few: targets in rows, modes in columns.

use owo_colors::Style;
use unicode_width::UnicodeWidthStr;

use crate::model::{RoundTrip, StepId};
use crate::report::page::{Lead, Page};
use crate::report::style::paint;
use crate::report::words;

/// So many are told one by one, and no table is needed.
const FEW: usize = 4;
/// Between two columns.
const GAP: usize = 2;
/// Where the table begins.
const INDENT: usize = 4;
/// A name that takes more than this part of the line has a line of its own.
const NAME_PART: usize = 2;

/// Round trips by target and mode.
pub(crate) struct Matrix<'a> {
    /// The modes, in the order of the round trips.
    pub(crate) modes: Vec<&'a str>,
    /// The targets with their round trips, as many as there are modes.
    pub(crate) rows: Vec<(String, Vec<Option<&'a RoundTrip>>)>,
}

impl<'a> Matrix<'a> {
    /// The table; `None` if there are few.
    pub(crate) fn of(trips: &'a [RoundTrip], arrow: &str) -> Option<Self> {
        if trips.len() <= FEW {
            return None;
        }
        let mut modes: Vec<&str> = Vec::new();
        for trip in trips {
            if !modes.contains(&trip.mode.as_str()) {
                modes.push(&trip.mode);
            }
        }
        let mut rows: Vec<(String, Vec<Option<&RoundTrip>>)> = Vec::new();
        for trip in trips {
            let target = words::target(trip, arrow);
            let Some(column) = modes.iter().position(|mode| *mode == trip.mode) else { continue };
            let free = |row: &&mut (String, Vec<Option<&RoundTrip>>)| {
                row.0 == target && row.1.get(column).is_some_and(Option::is_none)
            };
            if let Some(cell) = rows.iter_mut().find(free).and_then(|row| row.1.get_mut(column)) {
                *cell = Some(trip);
            } else {
                let cells = (0..modes.len()).map(|place| (place == column).then_some(trip)).collect();
                rows.push((target, cells));
            }
        }
        Some(Self { modes, rows })
    }
}

/// How long it took until the outcome was known, the clean-up apart; nothing if nothing was done.
pub(crate) fn took(trip: &RoundTrip) -> String {
    let before = trip.steps.iter().filter(|step| step.id != StepId::Cleanup);
    let sum = before.filter_map(|step| step.duration_ms).reduce(u64::saturating_add);
    sum.map(words::duration).unwrap_or_default()
}

/// Adds the table to the screen. Columns that do not fit beside each other stand below each other.
pub(crate) fn show(page: &mut Page<'_>, matrix: &Matrix<'_>) {
    let styles = page.options.styles;
    page.gap();
    let lead = Lead { detail_column: 0, parts: vec![("All round trips".to_owned(), styles.heading)], indent: 2 };
    page.row(&lead, "until the outcome was known", styles.faint);
    let modes: Vec<String> = matrix.modes.iter().map(|mode| page.safe(mode)).collect();
    let names: Vec<String> = matrix.rows.iter().map(|(name, _)| page.safe(name)).collect();
    let cell = |trip: Option<&RoundTrip>| match trip {
        None => (String::new(), Style::new()),
        Some(trip) => {
            let sign = page.glyphs.status(trip.status);
            (format!("{sign} {}", took(trip)).trim_end().to_owned(), styles.status(trip.status))
        }
    };
    let cells: Vec<Vec<(String, Style)>> =
        matrix.rows.iter().map(|(_, row)| row.iter().map(|trip| cell(*trip)).collect()).collect();
    let longest = names.iter().map(|name| name.width()).max().unwrap_or_default();
    // Long names stand above their cells.
    let above = page.width().is_some_and(|width| longest > width / NAME_PART);
    let name_width = if above { 0 } else { longest };
    let room = page.width().map(|width| width.saturating_sub(INDENT + name_width));
    let widths: Vec<usize> = (0..modes.len())
        .map(|column| {
            let own = cells.iter().filter_map(|row| row.get(column)).map(|(text, _)| text.width());
            own.chain(modes.get(column).map(|mode| mode.width())).max().unwrap_or_default()
        })
        .collect();
    let indent = " ".repeat(INDENT);
    for columns in blocks(&widths, room) {
        let widths = || columns.clone().filter_map(|column| Some((column, *widths.get(column)?)));
        let heads = widths().filter_map(|(column, width)| Some(format!("{:GAP$}{:<width$}", "", modes.get(column)?)));
        let heads = heads.collect::<String>();
        page.raw(paint(&format!("{indent}{:name_width$}{heads}", ""), styles.faint));
        for (name, row) in names.iter().zip(&cells) {
            let name = if above {
                page.raw(format!("{indent}{}", page.cut(name, INDENT)));
                String::new()
            } else {
                format!("{name}{}", " ".repeat(name_width.saturating_sub(name.width())))
            };
            let row = widths().filter_map(|(column, width)| {
                let (text, style) = row.get(column)?;
                let blanks = " ".repeat(width.saturating_sub(text.width()));
                Some(format!("{:GAP$}{}{blanks}", "", paint(text, *style)))
            });
            page.raw(format!("{indent}{name}{}", row.collect::<String>()));
        }
    }
}

/// Which columns stand beside each other; at least one.
fn blocks(widths: &[usize], room: Option<usize>) -> Vec<std::ops::Range<usize>> {
    let mut blocks: Vec<std::ops::Range<usize>> = Vec::new();
    let mut taken = 0;
    for (column, width) in widths.iter().enumerate() {
        let fits = |_: &&mut std::ops::Range<usize>| room.is_none_or(|room| taken + GAP + width <= room);
        if let Some(block) = blocks.last_mut().filter(fits) {
            block.end = column + 1;
            taken += GAP + width;
        } else {
            blocks.push(column..column + 1);
            taken = GAP + width;
        }
    }
    blocks
}
