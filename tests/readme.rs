//! What README.md says of the command line is true: its commands can be called, its exit codes are the program's, and its
//! sample is what is shown.

#![expect(clippy::unwrap_used, reason = "a test may")]

use std::collections::BTreeMap;
use std::fs;
use std::process::{Command, Output};

use snapready::verdict::exit;

const README: &str = include_str!("../README.md");

fn snapready(arguments: &[&str]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    // What `--from` reads.
    let class = r#"{"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": "a"}}"#;
    fs::create_dir(folder.path().join("dump")).unwrap();
    for file in ["dump.yaml", "dump/class.yaml"] {
        fs::write(folder.path().join(file), class).unwrap();
    }
    Command::new(env!("CARGO_BIN_EXE_snapready"))
        .args(arguments)
        // Reports are for the reader's folder.
        .current_dir(folder.path())
        // No cluster of this machine's is to be asked.
        .env_remove("KUBERNETES_SERVICE_HOST")
        .env("KUBECONFIG", "/dev/null")
        .output()
        .unwrap()
}

/// The calls of snapready in blocks of code, without what the shell makes of them.
fn calls() -> Vec<Vec<&'static str>> {
    let lines = README.lines().filter_map(|line| line.strip_prefix("$ "));
    let calls = lines.filter_map(|line| match line.strip_prefix("snapready ") {
        Some(call) => Some(call),
        None => line.split_once("cargo run --release -- ").map(|(_, call)| call),
    });
    let bare = |call: &'static str| call.split([' ', '\t']).take_while(|word| !word.starts_with(['#', '|', '>', '2']));
    calls.map(|call| bare(call).filter(|word| !word.is_empty()).collect()).collect()
}

/// Whether the command line is understood. With a kubeconfig that leads nowhere a call that is goes no further.
#[test]
fn its_commands_are_understood() {
    let calls = calls();
    assert!(calls.len() >= 8, "{calls:?}");
    for call in &calls {
        let offline = matches!(call.first(), Some(&("demo" | "explain" | "list" | "rbac")));
        let output = snapready(call);
        let errors = String::from_utf8_lossy(&output.stderr);
        if call.contains(&"--from") {
            // A single class tells little.
            assert_eq!(output.status.code(), Some(3), "{call:?}: {errors}");
        } else if offline {
            // A scenario may end with a cluster that is not ready.
            assert!(matches!(output.status.code(), Some(0 | 1)), "{call:?}: {errors}");
        } else {
            // Nothing was wrong with the flags: it came as far as to look for a cluster.
            assert!(errors.contains("kubeconfig") && !errors.contains("try '--help'"), "{call:?}: {errors}");
        }
    }
}

/// Every flag that the text names is one of some command.
#[test]
fn its_flags_exist() {
    let commands = ["preflight", "check", "roundtrip", "demo", "cleanup", "explain", "list", "rbac", "why"];
    let help: String =
        commands.iter().map(|command| String::from_utf8(snapready(&[command, "--help"]).stdout).unwrap()).collect();
    let words = README.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-'));
    let is_flag = |word: &&str| word.strip_prefix("--").is_some_and(|name| name.starts_with(char::is_alphabetic));
    // Those of cargo are not the program's.
    let flags: Vec<&str> = words.filter(is_flag).filter(|word| !matches!(*word, "--release" | "--path")).collect();
    assert!(flags.len() > 10, "{flags:?}");
    for flag in flags {
        let known = help.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-')).any(|word| word == flag);
        assert!(known, "{flag} is in README.md and in no --help");
    }
}

#[test]
fn its_exit_codes_are_the_programs() {
    let rows = README.lines().filter_map(|line| line.strip_prefix("| ")?.split_once(" | "));
    let mut told = BTreeMap::new();
    for (codes, meaning) in rows {
        for code in codes.split(", ").filter_map(|code| code.parse::<u8>().ok()) {
            assert_eq!(told.insert(code, meaning), None, "{code} has two meanings");
        }
    }
    let codes = [
        (exit::READY, "ready"),
        (exit::NOT_READY, "not ready"),
        (exit::USAGE, "wrong call"),
        (exit::INCONCLUSIVE, "inconclusive"),
        (exit::LEFTOVERS, "left behind"),
        (exit::INTERRUPTED, "interrupted"),
        (exit::TERMINATED, "interrupted"),
    ];
    assert_eq!(told.len(), codes.len(), "{told:?}");
    for (code, word) in codes {
        assert!(told.get(&code).is_some_and(|meaning| meaning.contains(word)), "{code}: {told:?}");
    }
}

/// The sample screen, without what differs from run to run: its id, digests, times.
#[test]
fn its_sample_is_what_the_program_shows() {
    let block = README.split("```text\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let (call, shown) = block.split_once('\n').unwrap();
    let call: Vec<&str> = call.trim_start_matches("$ snapready ").split(' ').collect();
    let output = snapready(&call);
    let today = String::from_utf8(output.stdout).unwrap();
    assert_eq!(same_every_run(&today), same_every_run(shown));
}

fn same_every_run(screen: &str) -> Vec<String> {
    let run = screen.split("· run ").nth(1).and_then(|rest| rest.split_whitespace().next()).unwrap();
    let word = |word: &str| {
        let is_time = word.strip_suffix('s').is_some_and(|number| number.parse::<f64>().is_ok());
        let is_digest = word.trim_end_matches(';').ends_with("...");
        if is_time || is_digest { "#".to_owned() } else { word.replace(run, "#") }
    };
    let words = |line: &str| line.split_whitespace().map(word).collect::<Vec<_>>().join(" ");
    screen.trim().lines().map(words).collect()
}
