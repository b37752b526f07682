//! The data that a round trip writes and looks for. All of it follows from a random seed, so every digest is computed
//! here: a writer that is wrong in the same way as the reader cannot pass. Scripts measure; verdicts are made here.

mod block;
mod content;
mod filesystem;
mod journal;
mod judge;
mod look;
#[cfg(test)]
mod tests;

use content::Content;
pub use journal::{Journal, RECORDS_BEFORE};
pub use look::Look;

use std::time::Duration;

use crate::model::{DataVerdict, VolumeMode};
use snapready_checks::model::finding::Evidence;
use snapready_checks::roundtrip::device_denied::Device;
use snapready_checks::roundtrip::write_succeeds::Blame;

/// The first word of every termination message: its version.
const VERSION: &str = "snapready/1";
/// How the message of a script begins that could not do its work.
pub const FAILED: &str = "snapready/1 failed ";
/// The postStart hook of the writer's container: ends when its report is complete, and marks it.
pub const WRITTEN_HOOK: &str = include_str!("scripts/confirm.sh");
/// The postStart hook of a container that follows the reader's: ends when that has ended.
pub const FOLLOW_HOOK: &str = include_str!("scripts/follow.sh");
/// Kubernetes keeps no more of a termination message, in bytes.
const MESSAGE_LIMIT: usize = 4096;

/// The data of one target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payload {
    content: Content,
    layout: Layout,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Layout {
    Filesystem(filesystem::Layout),
    Block(block::Layout),
}

/// What the writer measured that depends on the volume's file system, and that the reader has to measure again.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Written {
    /// Mode bits of files, in the order of the report. Some file systems have none of their own.
    modes: Vec<String>,
    /// Whether the file system has symbolic links.
    link: bool,
    /// What else lay in the volume.
    around: String,
    /// The last record of the journal that was begun, if one was kept.
    recorded: Option<u64>,
}

/// Why the writer's report is not good enough to go on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WriteFault {
    /// The image lacks a tool, or its tools give other results. The volume is not to blame.
    #[error("the image cannot write the data: {what}: {text}")]
    Image {
        /// What was tried.
        what: String,
        /// What came of it; hostile text.
        text: String,
    },
    /// The volume does not take the data.
    #[error("the volume does not take the data: {what}: {text}")]
    Volume {
        /// What was tried.
        what: String,
        /// What came of it; hostile text.
        text: String,
    },
    /// The pod may not open the device.
    #[error("the pod cannot open the device: {text}")]
    Device {
        /// The device, and what the pod runs as.
        device: Device,
        /// What came of it; hostile text.
        text: String,
    },
    /// The node did not keep the writer until it was asked to go.
    #[error("the node did not keep the pod that writes: {text}")]
    Node {
        /// What came of it; hostile text.
        text: String,
    },
    /// What was read back right after it was written is something else.
    #[error("the volume gave back something else than was written: {what}")]
    Measured {
        /// The first thing that differs.
        what: String,
    },
    /// There is no report, or it is not one of snapready's scripts.
    #[error("the writer left no report that can be read")]
    Unreadable {
        /// What it left; hostile text, cut.
        text: String,
    },
}

impl WriteFault {
    /// What is to blame.
    #[must_use]
    pub const fn blame(&self) -> Blame {
        match self {
            Self::Image { .. } => Blame::Image,
            Self::Volume { .. } | Self::Device { .. } => Blame::Volume,
            Self::Node { .. } => Blame::Node,
            Self::Measured { .. } => Blame::Measured,
            Self::Unreadable { .. } => Blame::Unreadable,
        }
    }

    /// What shows it; hostile text.
    #[must_use]
    pub fn text(&self) -> &str {
        match self {
            Self::Image { text, .. }
            | Self::Volume { text, .. }
            | Self::Device { text, .. }
            | Self::Node { text }
            | Self::Unreadable { text }
            | Self::Measured { what: text } => text,
        }
    }
}

/// The reader's report is missing, cut or not one of snapready's scripts: nothing is known about the data.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the reader left no report that can be read: {why}")]
pub struct UnreadableReport {
    /// What is wrong with it.
    pub why: String,
    /// What it left; hostile text, cut.
    pub text: String,
    /// The device that the reader may not open, if that is why.
    pub device: Option<Device>,
}

/// What the restored data is, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// The verdict.
    pub verdict: DataVerdict,
    /// One line.
    pub message: String,
    /// What differs, one line each: measured and expected. Empty for intact data.
    pub lines: Vec<String>,
}

impl Judgement {
    fn new(verdict: DataVerdict, message: impl Into<String>, lines: Vec<String>) -> Self {
        Self { verdict, message: message.into(), lines }
    }

    /// The lines as evidence about the restored claim.
    #[must_use]
    pub fn evidence(&self, namespace: &str, claim: &str) -> Vec<Evidence> {
        let evidence =
            |line: &String| Evidence::namespaced("PersistentVolumeClaim", namespace, claim, "data", line.as_str());
        self.lines.iter().map(evidence).collect()
    }
}

impl Payload {
    /// The data for one target: the same seed and index always give the same. `size_bytes` is what is requested of the
    /// volume, which is the least that it has.
    #[must_use]
    pub fn new(seed: &[u8], index: usize, mode: VolumeMode, size_bytes: u64) -> Self {
        let content = Content::new(seed, index);
        let layout = match mode {
            VolumeMode::Filesystem => Layout::Filesystem(filesystem::Layout::new(&content)),
            VolumeMode::Block => Layout::Block(block::Layout::new(&content, size_bytes)),
        };
        Self { content, layout }
    }

    /// Writes, syncs, and reports what it measures; then holds the volume until TERM, overwrites, syncs, reports that and
    /// ends with 0. For `sh -c`.
    #[must_use]
    pub fn writer_script(&self) -> String {
        self.script("tools\nwrite_data\nhold\n")
    }

    /// Writes, syncs, reports what it measures, and ends.
    #[must_use]
    pub fn fill_script(&self) -> String {
        self.script("tools\nwrite_data\nreport wrote\n")
    }

    /// Overwrites what [`Self::fill_script`] has written, syncs, reports that, and ends.
    #[must_use]
    pub fn overwrite_script(&self) -> String {
        self.script("tools\noverwrite_data\nsay \"snapready/1 overwrote $SEED\"\n")
    }

    /// Reports what is there, and whether there is room for so many bytes.
    #[must_use]
    pub fn sized_reader_script(&self, wanted: u64) -> String {
        self.script(&format!("WANTED={wanted}\ntell_end\ntools\nroom >/dev/null\nreport read size\n"))
    }

    /// Reports what is there.
    #[must_use]
    pub fn reader_script(&self) -> String {
        self.script("tell_end\ntools\nreport read\n")
    }

    /// Looks at what is there, whoever wrote it, and reads it for so long at most.
    #[must_use]
    pub fn look_script(&self, at_most: Duration) -> String {
        let look = match &self.layout {
            Layout::Filesystem(_) => include_str!("scripts/look_filesystem.sh"),
            Layout::Block(_) => include_str!("scripts/look_block.sh"),
        };
        // A whole number of seconds, and not none.
        let seconds = at_most.as_secs().max(1);
        let end = "tell_end\ntools\nfound=$(look) || exit 1\nsay \"snapready/1 looked $SEED\n$found\nend\"\n";
        self.script(&format!("READ_SECONDS={seconds}\n{look}\n{end}"))
    }

    fn script(&self, end: &str) -> String {
        let (variables, script) = match &self.layout {
            Layout::Filesystem(layout) => (layout.variables(), include_str!("scripts/filesystem.sh")),
            Layout::Block(layout) => (layout.variables(), include_str!("scripts/block.sh")),
        };
        format!("{}{variables}{}\n{script}\n{end}", self.content.variables(), include_str!("scripts/common.sh"))
    }

    /// Compares what the writer measured, before the snapshot, with what it should have written. A message that does not
    /// end with the proof that the source was overwritten afterwards is no report.
    pub fn judge_written(&self, message: &str) -> Result<Written, WriteFault> {
        judge::written(self, message)
    }

    /// The same for a report that does not tell of any overwriting.
    pub fn judge_filled(&self, message: &str) -> Result<Written, WriteFault> {
        judge::filled(self, message)
    }

    /// Whether a report says that the data was overwritten.
    pub fn judge_overwritten(&self, message: &str) -> Result<(), WriteFault> {
        judge::overwritten(self, message)
    }

    /// Compares what the reader of [`Self::sized_reader_script`] measured; the second is how many bytes the volume has room for.
    pub fn judge_sized(&self, written: &Written, message: &str) -> Result<(Judgement, u64), UnreadableReport> {
        judge::sized(self, written, message)
    }

    /// Compares what the reader measured with what was written before the snapshot. Only a report that is exactly the
    /// expected one is intact.
    pub fn judge_read(&self, written: &Written, message: &str) -> Result<Judgement, UnreadableReport> {
        judge::read(self, written, message)
    }

    /// What the report of [`Self::look_script`] shows. A device has to have `least` bytes.
    pub fn judge_look(&self, least: u64, message: &str) -> Result<Look, UnreadableReport> {
        look::judged(self, least, message)
    }

    /// Whether a judgement says that a volume holds these data instead of its own.
    #[must_use]
    pub fn is_found_by(&self, judgement: &Judgement) -> bool {
        judgement.verdict == DataVerdict::WrongVolume && judgement.message.contains(&self.content.seed)
    }

    /// The report that intact data gives. `verb` is `wrote` or `read`.
    fn expected_report(&self, verb: &str, written: &Written) -> String {
        let lines = match &self.layout {
            Layout::Filesystem(layout) => layout.expected(&self.content, written),
            Layout::Block(layout) => layout.expected(&self.content),
        };
        format!("{VERSION} {verb} {}\n{}\nend", self.content.seed, lines.join("\n"))
    }
}
