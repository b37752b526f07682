//! What round trips with several sizes have shown, on the screen: the times of each size, and what they depend on.

use owo_colors::Style;
use unicode_width::UnicodeWidthStr;

use crate::model::{StepId, Sweep};
use crate::report::page::{Lead, Page};
use crate::report::style::paint;
use crate::report::words;

/// Adds a sweep to the screen.
pub(crate) fn show(page: &mut Page<'_>, sweep: &Sweep) {
    let styles = page.options.styles;
    let classes = words::classes(&sweep.storage_class, sweep.snapshot_class.as_deref(), page.glyphs.arrow);
    let mode = match words::mode(&sweep.mode) {
        mode if mode.is_empty() => mode,
        mode => format!(" {} mode {}", page.glyphs.dot, page.safe(&mode)),
    };
    page.gap();
    let heading = format!("Sizes  {}", page.safe(&classes));
    let lead = Lead { detail_column: 0, parts: vec![(heading, styles.heading)], indent: 2 };
    page.row(&lead, &format!("{:?}{mode}", sweep.volume_mode), styles.faint);
    let sizes: Vec<String> = sweep.sizes.iter().map(words::swept_size).collect();
    let widest = sizes.iter().map(|size| size.width()).max().unwrap_or_default();
    let row =
        |size: &str, snapshot: &str, restore: &str| format!("    {size:<widest$}   {snapshot:>13}   {restore:>7}");
    page.raw(paint(&row("", StepId::Snapshot.title(), StepId::Restore.title()), styles.faint));
    for (size, swept) in sizes.iter().zip(&sweep.sizes) {
        let time = |took: Option<u64>| took.map_or_else(|| "-".to_owned(), words::duration);
        page.raw(row(size, &time(swept.snapshot_ms), &time(swept.restore_ms)));
    }
    for (step, growth) in [(StepId::Snapshot, &sweep.snapshot), (StepId::Restore, &sweep.restore)] {
        let lead =
            Lead { parts: vec![(format!("    {:<15}", step.title()), styles.faint)], detail_column: 19, indent: 19 };
        page.row(&lead, &page.safe(&words::growth(growth)), Style::new());
    }
}
