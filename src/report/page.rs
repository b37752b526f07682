//! A screen in the making: lines of text that are sanitised, wrapped and styled as they are added. The order is fixed:
//! first sanitise, then measure and wrap, then style, so that no style is ever cut and no hidden character is measured.

use owo_colors::Style;
use unicode_width::UnicodeWidthStr;

use crate::report::options::RenderOptions;
use crate::report::sanitize;
use crate::report::style::{Glyphs, paint};

/// Narrower and wider terminals get a screen for these.
const NARROWEST: usize = 60;
const WIDEST: usize = 120;

/// A screen in the making.
pub(crate) struct Page<'a> {
    pub(crate) options: &'a RenderOptions,
    pub(crate) glyphs: Glyphs,
    width: Option<usize>,
    lines: Vec<String>,
}

/// The left part of a row: what stands before the text that may be wrapped.
pub(crate) struct Lead {
    /// Plain text and style of each part, in order.
    pub(crate) parts: Vec<(String, Style)>,
    /// Column at which the detail starts, if the row has room for it.
    pub(crate) detail_column: usize,
    /// Column at which wrapped lines go on.
    pub(crate) indent: usize,
}

impl<'a> Page<'a> {
    pub(crate) fn new(options: &'a RenderOptions) -> Self {
        let width = options.width.map(|width| width.clamp(NARROWEST, WIDEST));
        Self { options, glyphs: options.glyphs(), width, lines: Vec::new() }
    }

    /// Columns of the terminal, as far as they are used; `None` if lines have no end.
    pub(crate) fn width(&self) -> Option<usize> {
        self.width
    }

    /// A text from the report as one line that is safe to show.
    pub(crate) fn safe(&self, text: &str) -> String {
        let line = sanitize::line(text, sanitize::SCREEN_LIMIT);
        if self.options.ascii { sanitize::ascii(&line) } else { line }
    }

    /// A safe text, cut to what fits into one line after `used` columns.
    pub(crate) fn cut(&self, line: &str, used: usize) -> String {
        let Some(width) = self.width else {
            return line.to_owned();
        };
        let room = width.saturating_sub(used);
        if line.width() <= room {
            return line.to_owned();
        }
        let mut cut = String::new();
        for character in line.chars() {
            cut.push(character);
            if cut.width() + self.glyphs.ellipsis.width() > room {
                cut.pop();
                break;
            }
        }
        cut + self.glyphs.ellipsis
    }

    /// Lines so far.
    pub(crate) fn height(&self) -> usize {
        self.lines.len()
    }

    /// Adds a line as it is: it is safe already, and never wrapped.
    pub(crate) fn raw(&mut self, line: impl Into<String>) {
        self.lines.push(line.into());
    }

    /// Adds an empty line, unless the page is empty or ends with one.
    pub(crate) fn gap(&mut self) {
        if self.lines.last().is_some_and(|line| !line.is_empty()) {
            self.lines.push(String::new());
        }
    }

    /// Adds a row: the lead, and a detail right of it if it fits there, else below it.
    pub(crate) fn row(&mut self, lead: &Lead, detail: &str, style: Style) {
        let lead_width: usize = lead.parts.iter().map(|(text, _)| text.width()).sum();
        let gap = if lead.parts.last().is_some_and(|(text, _)| text.ends_with(' ')) { 0 } else { 3 };
        let column = lead.detail_column.max(lead_width + gap);
        let detail = detail.trim_end();
        let fits = |width| column + detail.width() <= width;
        if !detail.is_empty() && self.width.is_none_or(fits) {
            let left: String = lead.parts.iter().map(|(text, style)| paint(text, *style)).collect();
            let blanks = " ".repeat(column - lead_width);
            self.lines.push(format!("{left}{blanks}{}", paint(detail, style)));
            return;
        }
        if lead_width == lead.indent && !detail.is_empty() {
            // Below it there would be no more room than right of it.
            let left: String = lead.parts.iter().map(|(text, style)| paint(text, *style)).collect();
            self.paragraph(&left, detail, lead_width, lead.indent, style);
            return;
        }
        if self.width.is_some_and(|width| lead_width > width) {
            let text: String = lead.parts.iter().map(|(text, _)| text.as_str()).collect();
            let last = lead.parts.last().map(|(_, style)| *style).unwrap_or_default();
            self.paragraph("", &text, 0, lead.indent, last);
        } else {
            self.lines.push(Self::alone(lead));
        }
        if !detail.is_empty() {
            self.paragraph(&" ".repeat(lead.indent), detail, lead.indent, lead.indent, style);
        }
    }

    /// The lead with nothing right of it, not even blanks.
    fn alone(lead: &Lead) -> String {
        let mut rest = lead.parts.iter().map(|(text, _)| text.as_str()).collect::<String>().trim_end().len();
        let mut line = String::new();
        for (text, style) in &lead.parts {
            let shown = text.get(..rest.min(text.len())).unwrap_or(text);
            line.push_str(&paint(shown, *style));
            rest = rest.saturating_sub(text.len());
        }
        line
    }

    /// Adds a label and a text that is wrapped beside it.
    pub(crate) fn labelled(&mut self, indent: usize, label: &str, text: &str, style: Style) {
        let column = indent + 6;
        let faint = paint(label, self.options.styles.faint);
        let lead = format!("{}{faint}{}", " ".repeat(indent), " ".repeat(6_usize.saturating_sub(label.width())));
        self.paragraph(&lead, text, column, column, style);
    }

    /// Adds lines: the first begins with `lead`, which takes `column` columns, the others are indented.
    fn paragraph(&mut self, lead: &str, text: &str, column: usize, indent: usize, style: Style) {
        let text = text.trim_end();
        let Some(width) = self.width else {
            self.lines.push(format!("{lead}{}", paint(text, style)));
            return;
        };
        // Blanks stand for what takes the columns, so that the wrapping knows about them.
        let options = textwrap::Options::new(width)
            .word_separator(textwrap::WordSeparator::AsciiSpace)
            .word_splitter(textwrap::WordSplitter::NoHyphenation)
            .break_words(true);
        let (blank_first, blank_other) = (" ".repeat(column), " ".repeat(indent));
        let wrapped = textwrap::wrap(text, options.initial_indent(&blank_first).subsequent_indent(&blank_other));
        for (place, line) in wrapped.iter().enumerate() {
            let (blanks, lead) = if place == 0 { (&blank_first, lead) } else { (&blank_other, blank_other.as_str()) };
            let rest = line.strip_prefix(blanks.as_str()).unwrap_or(line);
            self.lines.push(format!("{lead}{}", paint(rest, style)));
        }
    }

    /// The screen; ends with a line break unless it is empty.
    pub(crate) fn finish(self) -> String {
        let mut text = String::new();
        for line in self.lines {
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }
}
