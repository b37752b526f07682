//! The real program and a simulated cluster, for tests of what the two do together.

use std::ffi::OsStr;
use std::io::Write;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use rustix::process::Pid;
use snapready_sim::Cluster;
use snapready_sim::scenario::Scenario;
use tempfile::NamedTempFile;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::Command;

/// A cluster, and the kubeconfig that leads to it.
pub(crate) struct Place {
    pub(crate) cluster: Cluster,
    kubeconfig: NamedTempFile,
}

/// What came of a call.
#[derive(Debug)]
pub(crate) struct Ended {
    /// The exit code; `None` if a signal ended the process.
    pub(crate) code: Option<i32>,
    /// Stdout, by line.
    pub(crate) lines: Vec<String>,
    /// Stderr.
    pub(crate) errors: String,
}

/// Longer than anything here takes; a program that hangs is to fail its test, not to stop all tests.
pub(crate) const HANGS: Duration = Duration::from_secs(120);

/// The program, knowing nothing of the machine's own clusters.
pub(crate) fn program(arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Command {
    program_at(env!("CARGO_BIN_EXE_snapready").as_ref(), arguments)
}

/// The same as it lies at a path.
pub(crate) fn program_at(path: &Path, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Command {
    let mut command = Command::new(path);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    for name in ["KUBECONFIG", "KUBERNETES_SERVICE_HOST", "SNAPREADY_LOG", "HTTP_PROXY", "http_proxy"] {
        command.env_remove(name);
    }
    command
}

impl Place {
    pub(crate) async fn of(scenario: &Scenario) -> Self {
        let cluster = snapready_sim::start(scenario).await.unwrap();
        let mut kubeconfig = NamedTempFile::new().unwrap();
        kubeconfig.write_all(cluster.kubeconfig().as_bytes()).unwrap();
        Self { cluster, kubeconfig }
    }

    /// Calls the program on this cluster.
    pub(crate) async fn call(&self, arguments: &[&str]) -> Ended {
        self.follow(arguments, async |_, _, _| {}).await
    }

    /// Calls the program on this cluster; every line of its stdout is shown, with its number and the process.
    pub(crate) async fn follow(&self, arguments: &[&str], on_line: impl AsyncFnMut(usize, &str, Pid)) -> Ended {
        let mut command = program(arguments);
        command.arg("--kubeconfig").arg(self.kubeconfig.path());
        follow(command, on_line).await
    }
}

/// Runs a command to its end.
pub(crate) async fn follow(mut command: Command, mut on_line: impl AsyncFnMut(usize, &str, Pid)) -> Ended {
    let mut child = command.spawn().unwrap();
    let pid = Pid::from_raw(child.id().unwrap().try_into().unwrap()).unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut stderr = child.stderr.take().unwrap();
    let mut errors = Vec::new();
    let mut lines: Vec<String> = Vec::new();
    let reading = async {
        while let Some(line) = stdout.next_line().await.unwrap() {
            on_line(lines.len(), &line, pid).await;
            lines.push(line);
        }
    };
    let all = async { tokio::join!(reading, stderr.read_to_end(&mut errors)) };
    let ended = tokio::time::timeout(HANGS, all).await;
    let errors = String::from_utf8_lossy(&errors).into_owned();
    assert!(ended.is_ok(), "{command:?} hangs; stderr:\n{errors}\nlast line: {:?}", lines.last());
    let code = child.wait().await.unwrap().code();
    Ended { code, lines, errors }
}
