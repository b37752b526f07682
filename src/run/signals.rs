//! The signals that ask a run to stop: the first to stop and clean up, the second to leave at once.

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

/// What was received so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Received {
    /// The name of the first signal.
    pub(crate) first: Option<&'static str>,
    /// How many there were.
    pub(crate) count: u8,
}

/// Starts to listen. From here on these signals do not end the process by themselves.
pub(crate) fn listen() -> std::io::Result<watch::Receiver<Received>> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hang_up = signal(SignalKind::hangup())?;
    let (sender, receiver) = watch::channel(Received::default());
    tokio::spawn(async move {
        loop {
            let name = next(&mut interrupt, &mut terminate, &mut hang_up).await;
            sender.send_modify(|received| {
                received.first.get_or_insert(name);
                received.count = received.count.saturating_add(1);
            });
        }
    });
    Ok(receiver)
}

/// A terminal that goes away ends the run like SIGTERM.
async fn next(interrupt: &mut Signal, terminate: &mut Signal, hang_up: &mut Signal) -> &'static str {
    tokio::select! {
        _ = interrupt.recv() => "SIGINT",
        _ = terminate.recv() => "SIGTERM",
        _ = hang_up.recv() => "SIGTERM",
    }
}
