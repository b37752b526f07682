//! Why objects are stuck, for people.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use jiff::Timestamp;
use snapready_checks::text::words::plural;
use unicode_width::UnicodeWidthStr;

use crate::model::CheckResult;
use crate::report::options::Verbosity;
use crate::report::sanitize::{self, SCREEN_LIMIT};
use crate::report::words;
use crate::why::{Certainty, Document, Link, State, Stuck};

/// So many objects with the same cause are named.
const NAMED: usize = 10;
/// So many pieces of evidence are shown; with `-v` all.
const SHOWN: usize = 4;

/// One object with its chain; or several, grouped by what keeps them.
#[must_use]
pub fn table(document: &Document, verbosity: Verbosity) -> String {
    let is_news = !document.not_read.is_empty() || document.objects.iter().any(|one| one.state != State::Fine);
    if verbosity == Verbosity::Silent || (verbosity == Verbosity::Quiet && !is_news) {
        return String::new();
    }
    let mut text = match document.objects.as_slice() {
        [] if document.not_read.is_empty() => "nothing is stuck\n".to_owned(),
        [] => "nothing that could be read is stuck\n".to_owned(),
        [one] => head(one, document.collected_at) + &chain(&one.chain) + &told(one, verbosity),
        all => groups(all, document.collected_at, verbosity),
    };
    if !document.also_found.is_empty() {
        text.push_str("\nThe checks also find:\n");
        for found in &document.also_found {
            let target = found.target.as_deref().map(|target| format!(" {target}:")).unwrap_or_default();
            let line = format!("  {}{target} {}", found.id, found.message);
            let _ = writeln!(text, "{}", sanitize::line(&line, SCREEN_LIMIT));
        }
    }
    if !document.not_read.is_empty() {
        let what = document.not_read.join("; ");
        let line = format!("could not be read, so that causes may be missing: {what}");
        let _ = writeln!(text, "\n{}", sanitize::line(&line, SCREEN_LIMIT));
    }
    text
}

const fn is(state: State) -> &'static str {
    match state {
        State::Fine => "is fine",
        State::Stuck => "is stuck",
        State::Waiting => "waits",
        State::Unknown => "cannot be judged",
    }
}

fn head(one: &Stuck, now: Timestamp) -> String {
    let since = match (one.state, one.since) {
        (State::Stuck | State::Waiting, Some(since)) => {
            let age = u64::try_from(now.duration_since(since).as_millis()).unwrap_or_default();
            format!(", for {}", words::duration(age))
        }
        _ => String::new(),
    };
    let note = one.note.as_deref().map(|note| format!(": {note}")).unwrap_or_default();
    sanitize::line(&format!("{} {}{since}{note}", one.object, is(one.state)), SCREEN_LIMIT) + "\n"
}

fn chain(links: &[Link]) -> String {
    let name = |link: &Link| sanitize::line(&link.object.to_string(), 120);
    let width = links.iter().map(|link| name(link).width()).max().unwrap_or_default();
    let mut text = String::from("\n");
    for link in links {
        let name = name(link);
        let padding = " ".repeat(width.saturating_sub(name.width()));
        let mark = if link.broken { '>' } else { ' ' };
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{mark} {name}{padding}  {}", sanitize::line(&link.state, 200));
    }
    text
}

fn told(one: &Stuck, verbosity: Verbosity) -> String {
    let Some(result) = &one.result else { return String::new() };
    let certainty = one.certainty.unwrap_or(Certainty::Unknown);
    format!("\n{}{}", cause(result, certainty), evidence(result, verbosity)) + &fix(result)
}

/// What stands before a line of an answer.
fn labelled(label: &str, text: &str) -> String {
    format!("{label:8}{}\n", sanitize::line(text, SCREEN_LIMIT))
}

fn cause(result: &CheckResult, certainty: Certainty) -> String {
    let why = match (&result.cause, certainty) {
        (Some(cause), Certainty::Certain) => cause.clone(),
        (Some(cause), Certainty::Likely) => format!("likely: {cause}"),
        (Some(cause), Certainty::Unknown) => format!("not certain: {cause}"),
        (None, Certainty::Certain) => String::new(),
        (None, Certainty::Likely | Certainty::Unknown) => "no cause is known".to_owned(),
    };
    let what = labelled("What:", &format!("{} ({})", result.message, result.id));
    if why.is_empty() { what } else { what + &labelled("Why:", &why) }
}

fn evidence(result: &CheckResult, verbosity: Verbosity) -> String {
    let most = if verbosity == Verbosity::Verbose { usize::MAX } else { SHOWN };
    result.evidence.iter().take(most).map(|seen| labelled("Seen:", &words::evidence(seen))).collect()
}

fn fix(result: &CheckResult) -> String {
    let Some(fix) = &result.fix else { return String::new() };
    let mut text = labelled("Fix:", &fix.text);
    for command in &fix.commands {
        if let Some(command) = sanitize::command(&command.to_string()) {
            let _ = writeln!(text, "        $ {command}");
        }
    }
    text
}

/// Those with one cause together, the most first.
fn groups(all: &[Stuck], now: Timestamp, verbosity: Verbosity) -> String {
    let mut groups: BTreeMap<(String, String), Vec<&Stuck>> = BTreeMap::new();
    for one in all {
        let key = match &one.result {
            Some(result) => (result.id.clone(), result.cause.clone().unwrap_or_else(|| result.message.clone())),
            None => (String::new(), one.note.clone().unwrap_or_default()),
        };
        groups.entry(key).or_default().push(one);
    }
    let mut groups: Vec<Vec<&Stuck>> = groups.into_values().collect();
    let only_waits = |members: &[&Stuck]| members.iter().all(|one| one.state == State::Waiting);
    groups.sort_by_key(|members| (only_waits(members), std::cmp::Reverse(members.len())));
    let mut text = String::new();
    for members in &groups {
        let Some(first) = members.first() else { continue };
        if members.len() == 1 {
            let _ = writeln!(text, "{}{}", head(first, now), told(first, verbosity));
            continue;
        }
        let _ = writeln!(
            text,
            "{} {}",
            plural(members.len(), "object"),
            if first.result.is_some() { "are stuck for one reason" } else { "wait" }
        );
        for one in members.iter().take(NAMED) {
            let _ = write!(text, "  {}", head(one, now));
        }
        if let Some(more @ 1..) = members.len().checked_sub(NAMED) {
            let _ = writeln!(text, "  and {more} more");
        }
        let _ = writeln!(text, "{}", told(first, verbosity));
    }
    text
}
