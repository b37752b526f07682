mod journal;

use std::fs;
use std::os::unix::fs::{FileExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;

use proptest::prelude::*;

use super::*;

const SIZE: u64 = 16 << 20;
const SHELLS: [&[&str]; 2] = [&["busybox", "sh"], &["dash"]];

fn payload(mode: VolumeMode) -> Payload {
    static PAYLOADS: LazyLock<[Payload; 2]> =
        LazyLock::new(|| [Filesystem, Block].map(|mode| Payload::new(b"a seed", 0, mode, SIZE)));
    PAYLOADS[usize::from(mode == Block)].clone()
}

static APPLETS: LazyLock<tempfile::TempDir> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    assert!(Command::new("busybox").args(["--install", "-s"]).arg(folder.path()).status().unwrap().success());
    folder
});

/// A volume, and what stands in for the termination log.
struct Volume {
    folder: tempfile::TempDir,
    shell: &'static [&'static str],
}

impl Volume {
    fn new(mode: VolumeMode, shell: &'static [&'static str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        match mode {
            VolumeMode::Filesystem => fs::create_dir(data).unwrap(),
            VolumeMode::Block => fs::File::create(data).unwrap().set_len(SIZE).unwrap(),
        }
        Self { folder, shell }
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn file(&self, name: &str) -> PathBuf {
        self.data().join("snapready").join(name)
    }

    fn command(&self, script: &str) -> Command {
        // Only busybox's own applets, as in its image.
        let (program, path) = match self.shell {
            ["dash"] => ("dash".into(), std::env::var_os("PATH").unwrap()),
            _ => (APPLETS.path().join("sh"), APPLETS.path().into()),
        };
        let mut command = Command::new(program);
        command.arg("-c").arg(script).env_clear().current_dir("/");
        command.env("PATH", path).env("DATA", self.data()).env("TERMINATION_LOG", self.log());
        command.env("HANDOVER", self.folder.path());
        command
    }

    fn log(&self) -> PathBuf {
        self.folder.path().join("termination-log")
    }

    /// Runs a script to its end; what it wrote to the termination log.
    fn run(&self, script: &str) -> String {
        fs::write(self.log(), "").unwrap();
        let output = self.command(script).output().unwrap();
        let message = fs::read_to_string(self.log()).unwrap();
        assert!(message.len() <= MESSAGE_LIMIT, "{} bytes", message.len());
        assert!(output.stderr.is_empty(), "{}: {}", self.shell[0], String::from_utf8_lossy(&output.stderr));
        message
    }

    fn write(&self, payload: &Payload) -> Written {
        let message = self.run(&payload.script("tools\nwrite_data\nreport wrote\n")) + CONFIRMED + &overwrote(payload);
        payload.judge_written(&message).unwrap_or_else(|fault| panic!("{}: {fault:?}\n{message}", self.shell[0]))
    }

    fn overwrite(&self, payload: &Payload) {
        assert_eq!(self.run(&payload.script("overwrite\n")), overwrote(payload));
    }

    fn read(&self, payload: &Payload, written: &Written) -> Judgement {
        let message = self.run(&payload.reader_script());
        payload.judge_read(written, &message).unwrap_or_else(|error| panic!("{error:?}\n{message}"))
    }
}

/// How the writer's message ends.
fn overwrote(payload: &Payload) -> String {
    format!("\n{VERSION} overwrote {}", payload.content.seed)
}

const CONFIRMED: &str = "\nsnapready/1 confirmed";

/// Writes, damages, reads; with both shells.
fn after_damage(mode: VolumeMode, verdict: DataVerdict, damage: impl Fn(&Volume, &Payload)) {
    for shell in SHELLS {
        let (volume, payload) = (Volume::new(mode, shell), payload(mode));
        let written = volume.write(&payload);
        assert_eq!(volume.read(&payload, &written).verdict, DataVerdict::Intact);
        damage(&volume, &payload);
        let judgement = volume.read(&payload, &written);
        assert_eq!(judgement.verdict, verdict, "{}: {judgement:#?}", shell[0]);
        assert!(!judgement.lines.is_empty());
    }
}

use DataVerdict::{Corrupted, Empty, FreshlyFormatted, LiveData, Truncated, WrongVolume};
use VolumeMode::{Block, Filesystem};

fn flip(path: &Path, at: u64) {
    let file = fs::OpenOptions::new().read(true).write(true).open(path).unwrap();
    let mut byte = [0];
    file.read_exact_at(&mut byte, at).unwrap();
    file.write_all_at(&[byte[0] ^ 0x10], at).unwrap();
}

fn swap(path: &Path, a: u64, b: u64) {
    let file = fs::OpenOptions::new().read(true).write(true).open(path).unwrap();
    let (mut first, mut second) = ([0; 4096], [0; 4096]);
    file.read_exact_at(&mut first, a * 4096).unwrap();
    file.read_exact_at(&mut second, b * 4096).unwrap();
    file.write_all_at(&second, a * 4096).unwrap();
    file.write_all_at(&first, b * 4096).unwrap();
}

fn zero(path: &Path, from: u64, to: u64) {
    let file = fs::OpenOptions::new().write(true).open(path).unwrap();
    file.write_all_at(&vec![0; usize::try_from(to - from).unwrap()], from).unwrap();
}

fn empty(folder: &Path) {
    fs::remove_dir_all(folder).unwrap();
    fs::create_dir(folder).unwrap();
}

#[test]
fn a_bit_in_any_file_is_seen() {
    for (name, at) in [
        ("one", 0),
        ("odd", 12_344),
        ("program", 64),
        ("large", 1 << 19),
        ("sparse", 1 << 19),
        ("sparse", (1 << 20) - 1),
        ("many/017", 3),
        ("deep/a/b/c/d/e/leaf", 4096),
        ("a name with spaces", 0),
    ] {
        after_damage(Filesystem, Corrupted, |volume, _| {
            flip(&volume.file(name), at);
        });
    }
}

#[test]
fn swapped_blocks_are_seen() {
    after_damage(Filesystem, Corrupted, |volume, _| {
        swap(&volume.file("large"), 3, 200);
    });
    after_damage(Block, Corrupted, |volume, _| swap(&volume.data(), 0, 256));
    after_damage(Block, Corrupted, |volume, _| swap(&volume.data(), 9, 10));
}

#[test]
fn files_that_are_lost_moved_or_added_are_seen() {
    after_damage(Filesystem, Corrupted, |volume, _| {
        fs::remove_file(volume.file("empty")).unwrap();
    });
    after_damage(Filesystem, Corrupted, |volume, _| {
        fs::remove_file(volume.file("many/000")).unwrap();
    });
    after_damage(Filesystem, Corrupted, |volume, _| {
        fs::write(volume.file("deep/a/.hidden"), "").unwrap();
    });
    after_damage(Filesystem, Corrupted, |volume, _| {
        fs::write(volume.data().join("stranger"), "").unwrap();
    });
    after_damage(Filesystem, Corrupted, |volume, _| {
        fs::remove_file(volume.file("link")).unwrap();
    });
    after_damage(Filesystem, Corrupted, |volume, _| {
        fs::rename(volume.file("many/001"), volume.file("many/1")).unwrap();
    });
    after_damage(Filesystem, Corrupted, |volume, _| {
        fs::set_permissions(volume.file("program"), fs::Permissions::from_mode(0o644)).unwrap();
    });
    after_damage(Filesystem, Corrupted, |volume, _| {
        fs::remove_file(volume.file("large")).unwrap();
        std::os::unix::fs::symlink("/dev/zero", volume.file("large")).unwrap();
    });
}

#[test]
fn what_is_wrong_with_files_is_said() {
    type Damage = fn(&Volume);
    let damages: [(Damage, &str); 5] = [
        (|volume| flip(&volume.file("large"), 9), "1 of 8 files is not what was written"),
        (|volume| fs::remove_file(volume.file("empty")).unwrap(), "1 of 8 files is missing"),
        (|volume| flip(&volume.file("many/017"), 3), "some of the small files are not what was written"),
        (
            |volume| fs::set_permissions(volume.file("program"), fs::Permissions::from_mode(0o644)).unwrap(),
            "the content of all files is what was written, but not the mode of a file",
        ),
        (
            |volume| fs::remove_file(volume.file("link")).unwrap(),
            "the content of all files is what was written, but not the symbolic link",
        ),
    ];
    for (damage, message) in damages {
        let (volume, payload) = (Volume::new(Filesystem, SHELLS[0]), payload(Filesystem));
        let written = volume.write(&payload);
        damage(&volume);
        assert_eq!(volume.read(&payload, &written).message, message);
    }
}

#[test]
fn live_data_is_told_apart() {
    for mode in [Filesystem, Block] {
        after_damage(mode, LiveData, Volume::overwrite);
    }
    // One file of the live volume is enough.
    after_damage(Filesystem, LiveData, |volume, payload| {
        let live = Volume::new(Filesystem, volume.shell);
        live.write(payload);
        live.overwrite(payload);
        fs::copy(live.file("large"), volume.file("large")).unwrap();
    });
    after_damage(Block, LiveData, |volume, payload| {
        let live = Volume::new(Block, volume.shell);
        live.overwrite(payload);
        let mut block = [0; 4096];
        fs::File::open(live.data()).unwrap().read_exact_at(&mut block, SIZE / 2).unwrap();
        fs::OpenOptions::new().write(true).open(volume.data()).unwrap().write_all_at(&block, SIZE / 2).unwrap();
    });
}

#[test]
fn nothing_is_told_apart() {
    after_damage(Filesystem, Empty, |volume, _| empty(&volume.data()));
    after_damage(Filesystem, Empty, |volume, _| {
        empty(&volume.data().join("snapready"));
    });
    after_damage(Filesystem, FreshlyFormatted, |volume, _| {
        empty(&volume.data());
        fs::create_dir(volume.data().join("lost+found")).unwrap();
    });
    after_damage(Block, Empty, |volume, _| zero(&volume.data(), 0, SIZE));
}

#[test]
fn what_ends_early_is_told_apart() {
    after_damage(Filesystem, Truncated, |volume, _| {
        let mut folders = vec![volume.data()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let entry = entry.unwrap();
                let kind = entry.file_type().unwrap();
                if kind.is_dir() {
                    folders.push(entry.path());
                } else if kind.is_file() {
                    let file = fs::OpenOptions::new().write(true).open(entry.path()).unwrap();
                    file.set_len(entry.metadata().unwrap().len() / 2).unwrap();
                }
            }
        }
    });
    after_damage(Filesystem, Truncated, |volume, _| {
        fs::OpenOptions::new().write(true).open(volume.file("large")).unwrap().set_len((1 << 20) - 1).unwrap();
    });
    after_damage(Filesystem, Corrupted, |volume, _| {
        zero(&volume.file("large"), 3 << 18, 1 << 20);
    });
    after_damage(Block, Truncated, |volume, _| {
        zero(&volume.data(), SIZE / 2, SIZE);
    });
    after_damage(Block, Truncated, |volume, _| {
        zero(&volume.data(), 100 * 4096, SIZE);
    });
    after_damage(Block, Truncated, |volume, _| {
        zero(&volume.data(), SIZE - 4096, SIZE);
    });
    after_damage(Block, Truncated, |volume, _| {
        fs::OpenOptions::new().write(true).open(volume.data()).unwrap().set_len(SIZE / 2).unwrap();
    });
}

#[test]
fn a_bit_on_a_device_is_seen() {
    for at in [0, 8 * 4096 + 5, 200 * 4096, SIZE / 4, SIZE - 1] {
        after_damage(Block, Corrupted, |volume, _| flip(&volume.data(), at));
    }
}

#[test]
fn another_volume_is_told_apart() {
    for mode in [Filesystem, Block] {
        after_damage(mode, WrongVolume, |volume, _| {
            if mode == Filesystem {
                empty(&volume.data());
            }
            volume.write(&Payload::new(b"another seed", 0, mode, SIZE));
        });
    }
    after_damage(Filesystem, WrongVolume, |volume, _| {
        empty(&volume.data());
        fs::write(volume.data().join("customers.db"), "secret").unwrap();
    });
    after_damage(Block, WrongVolume, |volume, _| {
        fs::write(volume.data(), vec![0x41; usize::try_from(SIZE).unwrap()]).unwrap();
    });
}

#[test]
fn what_storage_puts_into_a_volume_itself_is_no_difference() {
    for shell in SHELLS {
        let (volume, payload) = (Volume::new(Filesystem, shell), payload(Filesystem));
        fs::create_dir(volume.data().join("lost+found")).unwrap();
        fs::create_dir(volume.data().join("@eaDir")).unwrap();
        let written = volume.write(&payload);
        fs::create_dir(volume.data().join(".snapshot")).unwrap();
        assert_eq!(volume.read(&payload, &written).verdict, DataVerdict::Intact);
    }
}

/// A writer that holds its volume. It says when it does, so that no test waits for time to pass.
fn holding(volume: &Volume, payload: &Payload) -> Child {
    let script = payload.writer_script().replace("while :; do", "echo ready; while :; do");
    let mut writer = volume.command(&script).stdout(Stdio::piped()).spawn().unwrap();
    let mut ready = [0; 6];
    std::io::Read::read_exact(writer.stdout.as_mut().unwrap(), &mut ready).unwrap();
    writer
}

/// Asks a writer to go; whether it ended with success.
fn end(mut writer: Child) -> bool {
    let pid = writer.id().to_string();
    assert!(Command::new("sh").args(["-c", "kill -TERM \"$0\"", &pid]).status().unwrap().success());
    writer.wait().unwrap().success()
}

#[test]
fn on_term_the_writer_overwrites_and_ends_with_success() {
    for shell in SHELLS {
        for mode in [Filesystem, Block] {
            let (volume, payload) = (Volume::new(mode, shell), payload(mode));
            let writer = holding(&volume, &payload);
            let reported = fs::read_to_string(volume.log()).unwrap();
            let fault = payload.judge_written(&reported).unwrap_err();
            assert!(matches!(fault, WriteFault::Unreadable { .. }), "not overwritten yet: {fault:?}");
            assert!(volume.command(WRITTEN_HOOK).status().unwrap().success());
            assert!(end(writer), "{shell:?} {mode:?}");
            let message = fs::read_to_string(volume.log()).unwrap();
            assert_eq!(message, reported + CONFIRMED + &overwrote(&payload));
            let written = payload.judge_written(&message).unwrap();
            assert_eq!(volume.read(&payload, &written).verdict, LiveData);
        }
    }
}

#[test]
fn a_writer_whose_hook_was_cut_off_is_not_relied_on() {
    for shell in SHELLS {
        let (volume, payload) = (Volume::new(Filesystem, shell), payload(Filesystem));
        let writer = holding(&volume, &payload);
        let reported = fs::read_to_string(volume.log()).unwrap();
        assert!(!end(writer), "{shell:?}");
        let fault = payload.judge_written(&fs::read_to_string(volume.log()).unwrap()).unwrap_err();
        assert!(matches!(fault, WriteFault::Node { .. }), "{shell:?}: {fault:?}");
        let fault = payload.judge_written(&(reported + &overwrote(&payload))).unwrap_err();
        assert!(matches!(fault, WriteFault::Unreadable { .. }), "{shell:?}: {fault:?}");
    }
}

#[test]
fn a_reader_tells_that_it_has_ended_however_it_did() {
    for (shell, path) in SHELLS.into_iter().flat_map(|shell| [(shell, None), (shell, Some("PATH=/nowhere"))]) {
        let (volume, payload) = (Volume::new(Filesystem, shell), payload(Filesystem));
        let script = format!("{}\n{}", path.unwrap_or_default(), payload.reader_script());
        volume.command(&script).output().unwrap();
        assert!(volume.folder.path().join("ended").exists(), "{shell:?} {path:?}");
    }
}

#[test]
fn what_follows_a_reader_waits_until_that_has_ended() {
    for shell in SHELLS {
        let volume = Volume::new(Filesystem, shell);
        let hook = format!("sleep() {{ exit 9; }}\n{FOLLOW_HOOK}");
        assert_eq!(volume.command(&hook).status().unwrap().code(), Some(9), "{shell:?}: it does not wait");
        fs::write(volume.folder.path().join("ended"), "").unwrap();
        assert!(volume.command(&hook).status().unwrap().success(), "{shell:?}: it waits for nothing");
    }
}

#[test]
fn a_device_that_is_not_overwritten_is_told() {
    for shell in SHELLS {
        let (volume, payload) = (Volume::new(Block, shell), payload(Block));
        volume.write(&payload);
        let message = volume.run(&payload.script("make() { :; }\noverwrite\n"));
        assert!(message.starts_with(&format!("{FAILED}volume overwrite: ")), "{shell:?}: {message}");
    }
}

#[test]
fn a_device_that_cannot_be_read_is_told() {
    for shell in SHELLS {
        let (volume, payload) = (Volume::new(Block, shell), payload(Block));
        fs::remove_file(volume.data()).unwrap();
        let output = volume.command(&payload.reader_script()).output().unwrap();
        let message = fs::read_to_string(volume.log()).unwrap();
        assert_eq!(output.status.code(), Some(1), "{shell:?}");
        assert!(message.starts_with(&format!("{FAILED}volume read blocks: ")), "{shell:?}: {message}");
    }
}

/// What a script says that runs as an ordinary user, for whom the device is not; who runs the test may be root.
fn said_by_a_stranger(volume: &Volume, script: &str) -> String {
    use std::os::unix::process::CommandExt;

    let is_root = rustix::process::geteuid().is_root();
    for (path, mode) in [(volume.folder.path(), 0o777), (&volume.data(), if is_root { 0o600 } else { 0o000 })] {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }
    fs::write(volume.log(), "").unwrap();
    fs::set_permissions(volume.log(), fs::Permissions::from_mode(0o666)).unwrap();
    fs::set_permissions(APPLETS.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let mut command = volume.command(script);
    if is_root {
        command.uid(65_534).gid(65_533);
    }
    assert_eq!(command.output().unwrap().status.code(), Some(1));
    fs::read_to_string(volume.log()).unwrap()
}

#[test]
fn a_device_that_may_not_be_opened_is_told_with_its_owner_and_is_not_the_volumes_fault() {
    for shell in SHELLS {
        let (volume, payload) = (Volume::new(Block, shell), payload(Block));
        let written = volume.write(&payload);
        let message = said_by_a_stranger(&volume, &payload.writer_script());
        let Err(WriteFault::Device { device, text }) = payload.judge_written(&message) else {
            panic!("{shell:?}: {message}")
        };
        assert!(text.contains("ermission denied"), "{shell:?}: {text}");
        let message = said_by_a_stranger(&volume, &payload.reader_script());
        let unreadable = payload.judge_read(&written, &message).unwrap_err();
        assert_eq!(unreadable.device.as_ref(), Some(&device), "{shell:?}: {unreadable:?}");
        let owner = volume.data().metadata().unwrap();
        let owner = (std::os::unix::fs::MetadataExt::uid(&owner), std::os::unix::fs::MetadataExt::gid(&owner));
        assert_eq!(device.owner, owner, "{shell:?}");
        if rustix::process::geteuid().is_root() {
            assert_eq!((device.mode, device.user, device.groups), (0o600, 65_534, vec![65_533]), "{shell:?}");
        }
    }
}

#[test]
fn what_is_said_of_a_device_is_not_believed_unless_it_is_complete() {
    let payload = payload(Block);
    for text in ["? ? 1 1 dd: Permission denied", "dd: Permission denied", "600 0:0 \u{1b}[31m 1"] {
        let message = format!("{FAILED}device open for writing: {text}");
        assert!(matches!(payload.judge_written(&message), Err(WriteFault::Unreadable { .. })), "{text}");
        assert_eq!(payload.judge_read(&Written::default(), &message).unwrap_err().device, None, "{text}");
    }
}

#[test]
fn an_image_without_tools_is_not_the_volumes_fault() {
    let (volume, payload) = (Volume::new(Filesystem, SHELLS[1]), payload(Filesystem));
    let script = format!("PATH=/nowhere\n{}", payload.writer_script());
    volume.command(&script).output().unwrap();
    let message = fs::read_to_string(volume.log()).unwrap_or_default();
    assert!(
        matches!(payload.judge_written(&message), Err(WriteFault::Image { .. } | WriteFault::Unreadable { .. })),
        "{message}"
    );

    let script = payload.writer_script().replace("48271", "48272");
    let fault = payload.judge_written(&volume.run(&script)).unwrap_err();
    assert!(matches!(fault, WriteFault::Image { .. }), "{fault:?}");
}

#[test]
fn a_volume_that_takes_nothing_is_the_volumes_fault() {
    for shell in SHELLS {
        for mode in [Filesystem, Block] {
            let (volume, payload) = (Volume::new(mode, shell), payload(mode));
            let script = payload.writer_script();
            fs::write(volume.log(), "").unwrap();
            let path = if mode == Filesystem { "/proc/self" } else { "/proc/nothing" };
            volume.command(&script).env("DATA", path).output().unwrap();
            let fault = payload.judge_written(&fs::read_to_string(volume.log()).unwrap()).unwrap_err();
            assert!(matches!(fault, WriteFault::Volume { .. }), "{shell:?} {mode:?}: {fault:?}");
        }
    }
}

#[test]
fn every_target_has_data_of_its_own() {
    let seeds: Vec<_> = (0..3).map(|index| Payload::new(b"x", index, Block, SIZE).content.seed).collect();
    assert!(seeds[0] != seeds[1] && seeds[1] != seeds[2]);
    assert_eq!(Payload::new(b"x", 1, Block, SIZE), Payload::new(b"x", 1, Block, SIZE));
}

#[test]
fn stretches_of_blocks_do_not_overlap_and_reach_the_end() {
    for size in [4096, 1 << 20, SIZE, (1 << 30) + 4095, 3 << 40] {
        let layout = block::Layout::new(&content::Content::new(b"x", 0), size);
        for pair in layout.extents.windows(2) {
            assert!(pair[0].first + pair[0].count <= pair[1].first, "{size}: {pair:?}");
        }
        let last = layout.extents.last().unwrap();
        assert_eq!(last.first + last.count, size / 4096);
    }
}

fn good_reports() -> Vec<(Payload, Written, String)> {
    let modes = vec!["660".to_owned(); 8];
    let written = Written { modes, link: true, around: "@eaDir/".to_owned(), recorded: None };
    [(Filesystem, written), (Block, Written::default())]
        .map(|(mode, written)| {
            let payload = payload(mode);
            let report = payload.expected_report("read", &written);
            (payload, written, report)
        })
        .to_vec()
}

proptest! {
    #[test]
    fn no_other_report_is_ever_intact(at: prop::sample::Index, length in 0usize..80, with in ".{0,20}", which in 0usize..2) {
        let (payload, written, report) = good_reports().swap_remove(which);
        let start = at.index(report.len());
        let end = (start + length).min(report.len());
        let mutated = format!("{}{with}{}", &report[..start], &report[end..]);
        prop_assume!(mutated != report);
        if let Ok(judgement) = payload.judge_read(&written, &mutated) {
            prop_assert_ne!(judgement.verdict, DataVerdict::Intact);
        }
    }

    #[test]
    fn lines_in_another_order_or_number_are_not_intact(a: prop::sample::Index, b: prop::sample::Index, drop: bool, which in 0usize..2) {
        let (payload, written, report) = good_reports().swap_remove(which);
        let mut lines: Vec<&str> = report.lines().collect();
        let (a, b) = (a.index(lines.len()), b.index(lines.len()));
        if drop { lines.remove(a); } else { lines.swap(a, b); }
        let mutated = lines.join("\n");
        prop_assume!(mutated != report);
        if let Ok(judgement) = payload.judge_read(&written, &mutated) {
            prop_assert_ne!(judgement.verdict, DataVerdict::Intact);
        }
    }

    #[test]
    fn any_text_is_answered(text in "(?s).{0,300}") {
        for (payload, written, _) in good_reports() {
            prop_assert!(payload.judge_written(&text).is_err());
            prop_assert!(payload.judge_read(&written, &text).is_err());
        }
    }
}

#[test]
fn a_cut_report_says_nothing() {
    for (payload, written, report) in good_reports() {
        for end in 0..report.len() {
            assert!(payload.judge_read(&written, &report[..end]).is_err(), "{end}");
        }
        assert!(payload.judge_read(&written, &report.repeat(2)).is_err());
        assert!(payload.judge_read(&written, &"x".repeat(1 << 20)).is_err());
        // The report of another target or run is not this one's.
        let other = Payload::new(b"another", 0, Block, SIZE);
        assert!(other.judge_read(&written, &report).is_err());
    }
}

#[test]
fn a_report_that_differs_in_one_character_is_not_intact() {
    let is_intact = |payload: &Payload, written: &Written, report: &str| {
        payload.judge_read(written, report).is_ok_and(|judgement| judgement.verdict == DataVerdict::Intact)
    };
    for (payload, written, report) in good_reports() {
        assert!(is_intact(&payload, &written, &report));
        for at in 0..=report.len() {
            let added = format!("{}\n{}", &report[..at], &report[at..]);
            assert!(!is_intact(&payload, &written, &added), "{at}");
            let other = if report[at..].starts_with('0') { "1" } else { "0" };
            let changed = format!("{}{other}{}", &report[..at], report.get(at + 1..).unwrap_or_default());
            assert!(!is_intact(&payload, &written, &changed), "{at}");
        }
    }
}

/// As the pods of a volume that nobody holds do it: one writes, another overwrites.
#[test]
fn two_pods_write_and_overwrite_as_one_does() {
    for shell in SHELLS {
        for mode in [Filesystem, Block] {
            let (volume, payload) = (Volume::new(mode, shell), payload(mode));
            let filled = volume.run(&payload.fill_script());
            let written = payload.judge_filled(&filled).unwrap();
            assert_eq!(volume.read(&payload, &written).verdict, DataVerdict::Intact);
            let overwritten = volume.run(&payload.overwrite_script());
            payload.judge_overwritten(&overwritten).unwrap();
            assert_eq!(volume.read(&payload, &written).verdict, LiveData);
            // Each says only what it has done.
            assert!(payload.judge_written(&filled).is_err() && payload.judge_filled(&overwritten).is_err());
            assert!(payload.judge_overwritten(&filled).is_err() && payload.judge_overwritten("").is_err());
            let other = Payload::new(b"another seed", 0, mode, SIZE);
            assert!(other.judge_overwritten(&overwritten).is_err() && other.judge_filled(&filled).is_err());
            let failed = format!("{FAILED}volume overwrite: no space");
            assert!(matches!(payload.judge_overwritten(&failed), Err(WriteFault::Volume { .. })));
        }
    }
}

#[test]
fn a_reader_tells_how_large_the_volume_is() {
    for shell in SHELLS {
        let (volume, block) = (Volume::new(Block, shell), payload(Block));
        let written = volume.write(&block);
        for (wanted, room) in [(SIZE, SIZE), (SIZE / 2, SIZE / 2), (SIZE * 2, 0)] {
            let message = volume.run(&block.sized_reader_script(wanted));
            let (judgement, found) = block.judge_sized(&written, &message).unwrap();
            assert_eq!((judgement.verdict, found), (DataVerdict::Intact, room), "{message}");
        }
        let (volume, files) = (Volume::new(Filesystem, shell), payload(Filesystem));
        let written = volume.write(&files);
        let message = volume.run(&files.sized_reader_script(SIZE));
        let (judgement, found) = files.judge_sized(&written, &message).unwrap();
        assert_eq!(judgement.verdict, DataVerdict::Intact);
        assert!(found > SIZE && found.is_multiple_of(1024), "{found}");
        // Damage is told as by any reader.
        flip(&volume.file("odd"), 100);
        let message = volume.run(&files.sized_reader_script(SIZE));
        assert_eq!(files.judge_sized(&written, &message).unwrap().0.verdict, Corrupted);
    }
}

#[test]
fn a_size_that_is_no_number_says_nothing() {
    for mode in [Filesystem, Block] {
        let payload = payload(mode);
        let written = Written::default();
        let intact = payload.expected_report("read", &written);
        let body = intact.strip_suffix("\nend").unwrap();
        assert_eq!(payload.judge_sized(&written, &format!("{body}\ns 7\nend")).unwrap().1, 7);
        let wrong = ["s ", "s -1", "s +1", "s 1 2", "s 99999999999999999999", "x 1", "s 1\ns 2", "s 1\n"];
        for line in wrong {
            assert!(payload.judge_sized(&written, &format!("{body}\n{line}\nend")).is_err(), "{mode:?} {line:?}");
        }
        assert!(payload.judge_sized(&written, &intact).is_err());
        assert!(payload.judge_sized(&written, "").is_err());
    }
}

/// What a look at a volume shows.
fn look(volume: &Volume, payload: &Payload, least: u64) -> Look {
    let message = volume.run(&payload.look_script(Duration::from_secs(60)));
    payload.judge_look(least, &message).unwrap_or_else(|error| panic!("{error:?}\n{message}"))
}

fn verdict(look: &Look) -> Option<DataVerdict> {
    look.judgement.as_ref().map(|judgement| judgement.verdict)
}

#[test]
fn a_look_counts_the_files_of_others() {
    for shell in SHELLS {
        let (volume, payload) = (Volume::new(Filesystem, shell), payload(Filesystem));
        let found = look(&volume, &payload, SIZE);
        assert_eq!(verdict(&found), Some(Empty), "{found:?}");

        fs::create_dir(volume.data().join("lost+found")).unwrap();
        fs::write(volume.data().join("lost+found/#12"), "an inode without a name").unwrap();
        let found = look(&volume, &payload, SIZE);
        assert_eq!(verdict(&found), Some(FreshlyFormatted), "{found:?}");

        // Storage that shows its snapshots in each folder of its top has nothing of a workload there.
        fs::create_dir_all(volume.data().join(".snapshot/hourly")).unwrap();
        fs::write(volume.data().join(".snapshot/hourly/file"), "old").unwrap();
        assert_eq!(verdict(&look(&volume, &payload, SIZE)), Some(FreshlyFormatted));

        fs::create_dir_all(volume.data().join("a folder/wal")).unwrap();
        assert_eq!(verdict(&look(&volume, &payload, SIZE)), Some(Empty));
        fs::write(volume.data().join("a folder/wal/new\nline: Permission denied"), vec![7; 12_345]).unwrap();
        fs::write(volume.data().join("-n"), "").unwrap();
        fs::write(volume.data().join("cat: write error: Broken pipe"), "x").unwrap();
        std::os::unix::fs::symlink("/etc/passwd", volume.data().join("link")).unwrap();
        let found = look(&volume, &payload, SIZE);
        assert_eq!(verdict(&found), Some(DataVerdict::Readable), "{found:?}");
        let contents = &found.contents;
        assert_eq!((contents.files, contents.folders), (Some(3), Some(2)), "{contents:?}");
        assert_eq!((contents.bytes, contents.read, contents.closed), (12_346, 12_346, 0), "{contents:?}");
        assert!(contents.read_to_end && contents.size > 0, "{contents:?}");
        let said = found.judgement.unwrap().message;
        assert!(said.starts_with("restored, mounted, readable: 3 files and 2 folders with 12 KiB in "), "{said}");
    }
}

#[test]
fn a_look_at_a_device_reads_it_to_its_end() {
    for shell in SHELLS {
        let (volume, payload) = (Volume::new(Block, shell), payload(Block));
        let found = look(&volume, &payload, SIZE);
        assert_eq!((verdict(&found), found.contents.size), (Some(Empty), SIZE), "{found:?}");

        let device = fs::OpenOptions::new().write(true).open(volume.data()).unwrap();
        device.write_all_at(b"data", SIZE - 4).unwrap();
        let found = look(&volume, &payload, SIZE);
        assert_eq!((verdict(&found), found.contents.bytes), (Some(DataVerdict::Readable), 4), "{found:?}");
        assert_eq!(verdict(&look(&volume, &payload, SIZE + 1)), Some(Truncated));

        // More than a piece, and not a whole number of anything.
        let size = (64 << 20) + 513;
        device.set_len(size).unwrap();
        let found = look(&volume, &payload, size);
        assert_eq!((found.contents.size, found.contents.read), (size, size), "{found:?}");
        assert!(found.contents.read_to_end, "{found:?}");
        // The last piece ends where the device does.
        device.set_len(64 << 20).unwrap();
        assert_eq!(look(&volume, &payload, 0).contents.size, 64 << 20);
    }
}

/// A report with other lines than those of a script, as a look that went wrong or a hostile image may give.
#[test]
fn what_a_look_reports_is_not_taken_at_its_word() {
    let payload = payload(Filesystem);
    let report = |lines: &str| format!("{VERSION} looked {}\n{lines}\nend", payload.content.seed);
    let judged = |lines: &str| payload.judge_look(0, &report(lines));
    let good = "s 1000 \nc 2 1 300 end\nr 300 end\nw 0 0 \nx 0 0 ";
    assert_eq!(verdict(&judged(good).unwrap()), Some(DataVerdict::Readable));
    for (from, to) in [
        ("s 1000", "s +1000"),
        ("c 2 1", "c 2"),
        ("300 end\nr", "300\nr"),
        ("end\nw", "End\nw"),
        ("300 end\nr", "300 End\nr"),
        ("w 0 0 ", "w 0"),
        ("\nx 0 0 ", ""),
    ] {
        assert!(judged(&good.replace(from, to)).is_err(), "{from}");
    }
    let wrong = good.replace("x 0 0 ", "x 0 2 cat: /data/a: Input/output error");
    let found = judged(&wrong).unwrap();
    assert_eq!(verdict(&found), Some(Corrupted));
    assert!(found.judgement.unwrap().message.ends_with("Input/output error"));
    // What is closed is no fault of the restore, and no proof that there is something.
    assert_eq!(verdict(&judged("s 1000 \nc 0 1 0 end\nr 0 end\nw 1 0 \nx 1 0 ").unwrap()), None);
    let some = judged("s 1000 \nc 1 2 5 end\nr 5 end\nw 1 0 \nx 3 0 ").unwrap();
    assert_eq!((verdict(&some), some.contents.closed), (Some(DataVerdict::Readable), 3));
    let early = judged("s 1000 \nc 1 2 500 end\nr 5 early\nw 0 0 \nx 0 0 ").unwrap();
    assert!(early.judgement.unwrap().message.ends_with("5 bytes were read before the time was up"));
    let partly = judged("s 1000 \nc 7 2 500 early\nr 500 end\nw 0 0 \nx 0 0 ").unwrap();
    assert!(!partly.contents.read_to_end && partly.judgement.unwrap().message.contains("at least 7 files"));
    assert!(payload.judge_look(0, "snapready/1 failed image look for tools: df: not found").is_err());
    assert!(payload.judge_look(0, "").is_err());
}
