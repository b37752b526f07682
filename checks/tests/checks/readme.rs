//! `README.md` of this crate: the catalogue, written from the checks themselves.

use std::fmt::Write as _;
use std::path::Path;

use snapready_checks::catalogue;
use snapready_checks::model::check::{Check, Group, How};
use snapready_checks::model::need::{Access, Need};

const HEAD: &str = "\
# Checks

What `snapready` looks at. `snapready explain ID` prints all there is to say about a check: what it looks at, why it matters, how to
see it yourself, the fix. `snapready check --select ID` runs it alone.

This file is written from the checks; a change of theirs makes `cargo test -p snapready-checks` fail until it is written anew:
`SNAPREADY_BLESS=1 cargo test -p snapready-checks --test checks readme`.

A check whose *needs* could not be read is unknown, never passed. Severity is the worst that its finding means: a *failure* stops
snapshots or restores, a *warning* will bite.
";

fn readme() -> String {
    let mut text = HEAD.to_owned();
    for group in Group::ALL {
        let checks: Vec<&Check> = catalogue().into_iter().filter(|check| check.group == group).collect();
        if checks.is_empty() {
            continue;
        }
        write!(text, "\n## {}\n\n", group.heading()).unwrap();
        text.push_str("| Id | Name | What holds when it passes | Severity | Needs | Since |\n");
        text.push_str("| --- | --- | --- | --- | --- | --- |\n");
        for check in checks {
            let needs: Vec<&str> = check.needs.iter().map(|need| need.row().noun).collect();
            let needs = match check.how {
                How::RoundTrip => "a round trip".to_owned(),
                How::Looking(_) => needs.join("; "),
            };
            let doc = format!("{}/{}/doc.md", group.word(), check.slug.replace('-', "_"));
            let row = [
                check.id,
                &format!("[{}]({doc})", check.slug),
                check.title,
                check.severity.word(),
                &needs,
                check.since,
            ];
            writeln!(text, "| {} |", row.join(" | ")).unwrap();
        }
    }
    text.push_str(
        "\n## Needs\n\nWhat is read, and the rights that it takes. `snapready rbac` prints them as a manifest.\n\n",
    );
    text.push_str("| Need | Rights |\n| --- | --- |\n");
    for need in
        Need::ALL.into_iter().filter(|need| catalogue().iter().any(|check| check.sees().any(|seen| seen == *need)))
    {
        let rules: Vec<String> = need
            .rules()
            .iter()
            .map(|rule| format!("{} {}", rule.verbs.join(", "), rule.qualified_resource()))
            .collect();
        let rules = if need.row().access == Access::OfProducts {
            "list, of the products that `--for` names".to_owned()
        } else if rules.is_empty() {
            "none of its own".to_owned()
        } else {
            rules.join("; ")
        };
        writeln!(text, "| {} | {rules} |", need.row().noun).unwrap();
    }
    text
}

#[test]
fn the_readme_lists_the_catalogue() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let text = readme();
    if std::env::var_os("SNAPREADY_BLESS").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    assert!(
        std::fs::read_to_string(&path).is_ok_and(|written| written == text),
        "checks/README.md is stale; write it anew with SNAPREADY_BLESS=1 cargo test -p snapready-checks --test checks readme"
    );
}
