//! How screens look: one style per role and one set of signs, chosen once per stream. Colour only repeats what the text
//! says.

use std::ffi::OsString;

use owo_colors::{OwoColorize, Style};
use snapready_checks::model::finding::Status;

/// What `--color` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ColorChoice {
    /// Where the stream is a terminal, unless the environment says otherwise.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// What the environment says about screens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(clippy::struct_excessive_bools, reason = "four answers that do not depend on each other")]
pub struct Environment {
    no_color: bool,
    force_color: bool,
    dumb: bool,
    ascii: bool,
}

impl Environment {
    /// Reads it; `variable` is `std::env::var_os`, or a table in tests.
    pub fn read(variable: impl Fn(&str) -> Option<OsString>) -> Self {
        let text = |name: &str| {
            variable(name).map(|value| value.to_string_lossy().into_owned()).filter(|value| !value.is_empty())
        };
        let forces = |name: &str| text(name).is_some_and(|value| value != "0");
        let terminal = text("TERM").unwrap_or_default();
        let locale = text("LC_ALL").or_else(|| text("LC_CTYPE")).or_else(|| text("LANG"));
        let other_charset = locale.is_some_and(|locale| {
            let locale = locale.to_ascii_lowercase();
            !locale.contains("utf-8") && !locale.contains("utf8")
        });
        Self {
            // no-color.org: present and not an empty string.
            no_color: text("NO_COLOR").is_some(),
            force_color: forces("CLICOLOR_FORCE") || forces("FORCE_COLOR"),
            dumb: terminal == "dumb",
            // The console of Linux has no sign for a check mark in its font.
            ascii: other_charset || terminal == "linux",
        }
    }

    /// Whether a stream gets colours: the flag decides, then `NO_COLOR`, then `CLICOLOR_FORCE` and `FORCE_COLOR`, then
    /// `TERM=dumb`, then whether it is a terminal.
    #[must_use]
    pub fn uses_color(&self, choice: ColorChoice, is_terminal: bool) -> bool {
        match choice {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto if self.no_color => false,
            ColorChoice::Auto if self.force_color => true,
            ColorChoice::Auto => is_terminal && !self.dumb,
        }
    }

    /// Whether only ASCII is to be shown although nobody asked for it: a locale is set, and it is not UTF-8.
    #[must_use]
    pub fn needs_ascii(&self) -> bool {
        self.ascii
    }
}

/// One style per role. The default is plain.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Styles {
    /// A pass, and the verdict `READY`.
    pub pass: Style,
    /// A warning.
    pub warn: Style,
    /// A failure, and the verdict `NOT READY`.
    pub fail: Style,
    /// A skip.
    pub skip: Style,
    /// Not determined, and the verdict `INCONCLUSIVE`.
    pub unknown: Style,
    /// Headings.
    pub heading: Style,
    /// Commands to copy.
    pub command: Style,
    /// What stands beside the main text: labels, times, details of passes.
    pub faint: Style,
}

impl Styles {
    /// No style at all: not one escape byte.
    #[must_use]
    pub fn plain() -> Self {
        Self::default()
    }

    /// With colours of the terminal's own palette.
    #[must_use]
    pub fn colored() -> Self {
        Self {
            pass: Style::new().green(),
            warn: Style::new().yellow().bold(),
            fail: Style::new().red().bold(),
            skip: Style::new().dimmed(),
            unknown: Style::new().magenta().bold(),
            heading: Style::new().bold(),
            command: Style::new().cyan(),
            faint: Style::new().dimmed(),
        }
    }

    /// Colours if `color` says so.
    #[must_use]
    pub fn new(color: bool) -> Self {
        if color { Self::colored() } else { Self::plain() }
    }

    /// The style of a status.
    #[must_use]
    pub fn status(&self, status: Status) -> Style {
        match status {
            Status::Pass => self.pass,
            Status::Warn => self.warn,
            Status::Fail => self.fail,
            Status::Skip => self.skip,
            Status::Unknown => self.unknown,
        }
    }
}

/// The text in a style.
#[must_use]
pub fn paint(text: &str, style: Style) -> String {
    if text.is_empty() { String::new() } else { text.style(style).to_string() }
}

/// The signs of a screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Glyphs {
    /// Passed.
    pub pass: &'static str,
    /// Warning.
    pub warn: &'static str,
    /// Failed.
    pub fail: &'static str,
    /// Skipped.
    pub skip: &'static str,
    /// Not determined.
    pub unknown: &'static str,
    /// Between things of equal rank.
    pub dot: &'static str,
    /// From, to.
    pub arrow: &'static str,
    /// Something was cut off.
    pub ellipsis: &'static str,
}

impl Glyphs {
    /// Signs of Unicode.
    pub const UTF8: Self =
        Self { pass: "✓", warn: "!", fail: "✗", skip: "-", unknown: "?", dot: "·", arrow: "→", ellipsis: "…" };
    /// Signs of ASCII.
    pub const ASCII: Self =
        Self { pass: "+", warn: "!", fail: "x", skip: "-", unknown: "?", dot: "-", arrow: "->", ellipsis: "..." };

    /// ASCII if `ascii` says so.
    #[must_use]
    pub const fn new(ascii: bool) -> Self {
        if ascii { Self::ASCII } else { Self::UTF8 }
    }

    /// The sign of a status.
    #[must_use]
    pub const fn status(&self, status: Status) -> &'static str {
        match status {
            Status::Pass => self.pass,
            Status::Warn => self.warn,
            Status::Fail => self.fail,
            Status::Skip => self.skip,
            Status::Unknown => self.unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(variables: &[(&str, &str)]) -> Environment {
        Environment::read(|name| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| OsString::from(value)))
    }

    #[test]
    fn colour_is_decided_by_flag_then_environment_then_terminal() {
        use ColorChoice::{Always, Auto, Never};
        for (choice, variables, is_terminal, wanted) in [
            (Auto, vec![], true, true),
            (Auto, vec![], false, false),
            (Auto, vec![("NO_COLOR", "1")], true, false),
            (Auto, vec![("NO_COLOR", "")], true, true),
            (Auto, vec![("NO_COLOR", "1"), ("CLICOLOR_FORCE", "1")], true, false),
            (Auto, vec![("CLICOLOR_FORCE", "1")], false, true),
            (Auto, vec![("FORCE_COLOR", "1"), ("TERM", "dumb")], false, true),
            (Auto, vec![("FORCE_COLOR", "0")], false, false),
            (Auto, vec![("TERM", "dumb")], true, false),
            (Always, vec![("NO_COLOR", "1")], false, true),
            (Never, vec![("CLICOLOR_FORCE", "1")], true, false),
        ] {
            let decided = environment(&variables).uses_color(choice, is_terminal);
            assert_eq!(decided, wanted, "{choice:?} {variables:?} terminal: {is_terminal}");
        }
    }

    #[test]
    fn ascii_where_the_locale_is_something_else() {
        for (variables, wanted) in [
            (vec![], false),
            (vec![("LANG", "de_DE.UTF-8")], false),
            (vec![("LANG", "C.utf8")], false),
            (vec![("LANG", "C")], true),
            (vec![("LC_ALL", "POSIX"), ("LANG", "de_DE.UTF-8")], true),
            (vec![("LC_CTYPE", "de_DE.UTF-8"), ("LANG", "C")], false),
            (vec![("TERM", "linux")], true),
        ] {
            assert_eq!(environment(&variables).needs_ascii(), wanted, "{variables:?}");
        }
    }

    #[test]
    fn plain_styles_write_no_escape_byte() {
        let plain = Styles::plain();
        for status in Status::ALL {
            assert_eq!(paint("text", plain.status(status)), "text");
            assert!(paint("text", Styles::colored().status(status)).starts_with('\u{1b}'));
        }
    }
}
