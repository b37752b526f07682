//! Puts everything that happens into one order, with its time, and hands it to progress and reports.

use jiff::Timestamp;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::model::{Event, Happening, Report};
use crate::report::output::{OutputError, Reporter};
use crate::report::progress::{Progress, follow};
use crate::run::again::Again;

/// Takes what happens.
pub(super) struct Teller {
    happenings: mpsc::UnboundedSender<Happening>,
    stamping: JoinHandle<()>,
    showing: JoinHandle<Reporter>,
}

impl Teller {
    /// Starts to show.
    pub(super) fn start(mut progress: Progress, mut reporter: Reporter, again: Again) -> Self {
        let (happenings, mut received) = mpsc::unbounded_channel();
        let (events, shown) = mpsc::unbounded_channel();
        let stamping = tokio::spawn(async move {
            while let Some(mut event) = received.recv().await {
                if let Happening::VerdictKnown { diagnosis: Some(diagnosis), .. } = &mut event {
                    again.amend_fix(diagnosis);
                }
                // The other end is there until this one is dropped.
                let _ = events.send(Event { time: Timestamp::now(), event });
            }
        });
        let showing = tokio::spawn(async move {
            follow(shown, &mut progress, &mut reporter).await;
            reporter
        });
        Self { happenings, stamping, showing }
    }

    /// Something happened.
    pub(super) fn tell(&self, happening: Happening) {
        // Nobody listens any more only when the program ends.
        let _ = self.happenings.send(happening);
    }

    /// Where others tell what happens.
    pub(super) fn happenings(&self) -> mpsc::UnboundedSender<Happening> {
        self.happenings.clone()
    }

    /// Shows what is still to be shown, and writes every report.
    pub(super) async fn finish(self, report: Report) -> Result<(), OutputError> {
        self.tell(Happening::RunFinished { report: Box::new(report.clone()) });
        drop(self.happenings);
        let _ = self.stamping.await;
        match self.showing.await {
            Ok(mut reporter) => reporter.finish(&report),
            Err(error) => Err(OutputError::Stdout(std::io::Error::other(error))),
        }
    }

    /// Ends without a report. Files that were begun are removed again, which takes the task that holds them.
    pub(super) async fn discard(self) {
        drop(self.happenings);
        let _ = self.stamping.await;
        drop(self.showing.await);
    }
}
