//! The storage: each volume is a directory or a file below one temporary directory, each snapshot a copy of it.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use super::damage;
use super::files;
use super::lock::lock;
use super::scenario::{BadRestore, Quirk};
use super::volume_mode::Mode;

/// The storage behind the simulated driver.
#[derive(Debug)]
pub(super) struct DataPlane {
    root: PathBuf,
    quirk: Option<Quirk>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// By handle; the order is that of their creation.
    volumes: BTreeMap<String, Volume>,
    snapshots: BTreeMap<String, Snapshot>,
    made: u64,
}

#[derive(Debug, Clone)]
struct Volume {
    /// The name that the provisioner gave: the same name is the same volume.
    name: String,
    mode: Mode,
    /// Bytes.
    size: u64,
    path: PathBuf,
}

#[derive(Debug, Clone)]
struct Snapshot {
    name: String,
    mode: Mode,
    size: u64,
    path: PathBuf,
    source: String,
}

impl DataPlane {
    /// A storage below an empty directory.
    pub(super) fn new(root: &Path, quirk: Option<Quirk>) -> Self {
        Self { root: root.to_owned(), quirk, state: Mutex::default() }
    }

    /// A directory with what containers find in their `PATH` before the machine's own tools: volumes are directories here, and
    /// `df` tells the size that they are said to have.
    pub(super) fn tools(&self) -> io::Result<PathBuf> {
        let directory = self.directory("tools")?;
        let df = directory.join("df");
        if !df.exists() {
            // Two containers may start at a time.
            let new = tempfile::NamedTempFile::new_in(&directory)?;
            fs::write(new.path(), DF)?;
            fs::set_permissions(new.path(), fs::Permissions::from_mode(0o755))?;
            new.persist(&df)?;
        }
        Ok(directory)
    }

    /// Whether the storage takes this size; it may not say which it has made of it.
    const fn rounded(&self, size: u64) -> u64 {
        match self.quirk {
            Some(Quirk::RoundsSizesUp) => size.next_multiple_of(1 << 20),
            _ => size,
        }
    }

    /// A directory for other things that live as long as the storage, made if it is not there.
    pub(super) fn directory(&self, name: &str) -> io::Result<PathBuf> {
        let path = self.root.join(name);
        fs::create_dir_all(&path)?;
        Ok(path)
    }

    /// Makes a volume, from a snapshot if one is given, and tells its handle. Blocks.
    pub(super) fn create_volume(
        &self,
        name: &str,
        mode: Mode,
        size: u64,
        snapshot: Option<&str>,
        bad: Option<BadRestore>,
    ) -> io::Result<String> {
        let (handle, source) = {
            let mut state = lock(&self.state);
            if let Some((handle, _)) = state.volumes.iter().find(|(_, volume)| volume.name == name) {
                return Ok(handle.clone());
            }
            let source = match snapshot {
                Some(handle) => Some(state.snapshots.get(handle).cloned().ok_or_else(|| missing("snapshot", handle))?),
                None => None,
            };
            if let Some(source) = source.as_ref().filter(|source| size < source.size) {
                return Err(io::Error::new(
                    io::ErrorKind::InvalidInput,
                    format!("requested size {size} is less than size {} of the snapshot", source.size),
                ));
            }
            state.made += 1;
            (format!("vol-{:08}", state.made), source)
        };
        let path = self.directory("volumes")?.join(&handle);
        let size = match (&source, self.quirk) {
            (Some(source), Some(Quirk::NotGrown)) => source.size,
            _ => self.rounded(size),
        };
        match (&source, bad) {
            (None, _) | (Some(_), Some(BadRestore::Empty)) => format_volume(&path, mode, size)?,
            (Some(source), bad) => {
                let from = match bad {
                    Some(BadRestore::Stale) => self.live(source).ok_or_else(|| missing("volume", &source.source))?,
                    Some(BadRestore::OtherVolume) => self.other(source)?,
                    _ => source.path.clone(),
                };
                files::copy(&from, &path)?;
                if mode == Mode::Block {
                    grow(&path, size)?;
                }
                match bad {
                    Some(BadRestore::Truncated) => damage::truncate(&path, mode)?,
                    Some(BadRestore::BitFlipped) => damage::flip(&path, mode)?,
                    _ => {}
                }
            }
        }
        if mode == Mode::Filesystem {
            // A file system keeps some of its device for itself.
            fs::write(size_of(&path), (size / 16 * 15 / 1024).to_string())?;
        }
        let volume = Volume { name: name.to_owned(), mode, size, path };
        lock(&self.state).volumes.insert(handle.clone(), volume);
        Ok(handle)
    }

    /// Cuts a snapshot of a volume and tells its handle and size. Blocks.
    pub(super) fn create_snapshot(&self, name: &str, volume: &str) -> io::Result<(String, u64)> {
        let (handle, source) = {
            let mut state = lock(&self.state);
            if let Some((handle, snapshot)) = state.snapshots.iter().find(|(_, snapshot)| snapshot.name == name) {
                return Ok((handle.clone(), snapshot.size));
            }
            let source = state.volumes.get(volume).cloned().ok_or_else(|| missing("volume", volume))?;
            state.made += 1;
            (format!("snap-{:08}", state.made), source)
        };
        let path = self.directory("snapshots")?.join(&handle);
        files::copy(&source.path, &path)?;
        let size = source.size;
        let snapshot = Snapshot { name: name.to_owned(), mode: source.mode, size, path, source: volume.to_owned() };
        lock(&self.state).snapshots.insert(handle.clone(), snapshot);
        Ok((handle, size))
    }

    /// The size of a snapshot, if there is one of this handle.
    pub(super) fn snapshot_size(&self, handle: &str) -> Option<u64> {
        lock(&self.state).snapshots.get(handle).map(|snapshot| snapshot.size)
    }

    /// Deletes a volume; one that is not there is deleted already. Blocks.
    pub(super) fn delete_volume(&self, handle: &str) -> io::Result<()> {
        let (volume, snapshots) = {
            let mut state = lock(&self.state);
            let of_volume = |snapshot: &Snapshot| snapshot.source == handle;
            if self.quirk == Some(Quirk::VolumesStayWithSnapshots) && state.snapshots.values().any(of_volume) {
                return Err(io::Error::other(format!("volume {handle} has snapshots")));
            }
            let volume = state.volumes.remove(handle);
            let mut snapshots = Vec::new();
            if self.quirk == Some(Quirk::SnapshotsGoWithVolume) {
                snapshots.extend(state.snapshots.values().filter(|snapshot| of_volume(snapshot)).cloned());
                state.snapshots.retain(|_, snapshot| !of_volume(snapshot));
            }
            (volume, snapshots)
        };
        for snapshot in snapshots {
            files::remove(&snapshot.path)?;
        }
        let Some(volume) = volume else { return Ok(()) };
        if volume.mode == Mode::Filesystem {
            fs::remove_file(size_of(&volume.path))?;
        }
        files::remove(&volume.path)
    }

    /// Deletes a snapshot; one that is not there is deleted already. Blocks.
    pub(super) fn delete_snapshot(&self, handle: &str) -> io::Result<()> {
        let snapshot = lock(&self.state).snapshots.remove(handle);
        snapshot.map_or(Ok(()), |snapshot| files::remove(&snapshot.path))
    }

    /// Where a volume lies.
    pub(super) fn path(&self, handle: &str) -> Option<PathBuf> {
        lock(&self.state).volumes.get(handle).map(|volume| volume.path.clone())
    }

    /// The handles of all volumes and snapshots.
    pub(super) fn handles(&self) -> Vec<String> {
        let state = lock(&self.state);
        state.volumes.keys().chain(state.snapshots.keys()).cloned().collect()
    }

    fn live(&self, snapshot: &Snapshot) -> Option<PathBuf> {
        self.path(&snapshot.source)
    }

    /// The youngest other volume of the same mode that has data, or one made for the purpose.
    fn other(&self, snapshot: &Snapshot) -> io::Result<PathBuf> {
        let volumes: Vec<Volume> = {
            let state = lock(&self.state);
            let others = state.volumes.iter().rev().filter(|(handle, _)| **handle != snapshot.source);
            others.map(|(_, volume)| volume.clone()).filter(|volume| volume.mode == snapshot.mode).collect()
        };
        for volume in volumes {
            if damage::has_data(&volume.path, volume.mode)? {
                return Ok(volume.path);
            }
        }
        let path = self.root.join(match snapshot.mode {
            Mode::Filesystem => "somebody-elses-files",
            Mode::Block => "somebody-elses-disk",
        });
        if !path.exists() {
            somebody_elses(&path, snapshot.mode, snapshot.size)?;
        }
        Ok(path)
    }
}

/// Where the size of a file system is noted, in KiB.
fn size_of(path: &Path) -> PathBuf {
    path.with_extension("size")
}

/// `df -P -k PATH` for volumes.
const DF: &str = r#"#!/bin/sh
for path; do :; done
size=$(cat "$path.size") || exit 1
printf 'Filesystem 1024-blocks Used Available Capacity Mounted on\nsimulated %s 0 %s 0%% %s\n' "$size" "$size" "$path"
"#;

fn missing(what: &str, handle: &str) -> io::Error {
    io::Error::new(io::ErrorKind::NotFound, format!("{what} {handle} does not exist"))
}

/// A new volume as a driver hands it out: ext4 has one directory, a disk is all zeros.
fn format_volume(path: &Path, mode: Mode, size: u64) -> io::Result<()> {
    match mode {
        Mode::Filesystem => fs::create_dir_all(path.join("lost+found")),
        Mode::Block => grow(path, size),
    }
}

/// Makes a file at least that large, without using space.
fn grow(path: &Path, size: u64) -> io::Result<()> {
    let file = fs::OpenOptions::new().create(true).truncate(false).write(true).open(path)?;
    if file.metadata()?.len() < size { file.set_len(size) } else { Ok(()) }
}

fn somebody_elses(path: &Path, mode: Mode, size: u64) -> io::Result<()> {
    let text = "This volume belongs to somebody else.\n";
    format_volume(path, mode, size)?;
    match mode {
        Mode::Filesystem => {
            fs::write(path.join("README"), text)?;
            fs::create_dir_all(path.join("database"))?;
            fs::write(path.join("database/journal"), text.repeat(500))
        }
        Mode::Block => {
            let file = fs::OpenOptions::new().write(true).open(path)?;
            std::os::unix::fs::FileExt::write_all_at(&file, text.repeat(5000).as_bytes(), 0)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: u64 = 1 << 20;

    fn plane() -> (tempfile::TempDir, DataPlane) {
        let root = tempfile::tempdir().unwrap();
        let plane = DataPlane::new(root.path(), None);
        (root, plane)
    }

    fn restored(plane: &DataPlane, mode: Mode, snapshot: &str, bad: Option<BadRestore>) -> PathBuf {
        let name = format!("restored-{bad:?}");
        plane.path(&plane.create_volume(&name, mode, SIZE, Some(snapshot), bad).unwrap()).unwrap()
    }

    #[test]
    fn files_come_back_as_they_were_or_as_bad_as_asked_for() {
        let (_root, plane) = plane();
        let source = plane.create_volume("source", Mode::Filesystem, SIZE, None, None).unwrap();
        let path = plane.path(&source).unwrap();
        let data = "0123456789".repeat(100);
        fs::write(path.join("data"), &data).unwrap();
        let (snapshot, size) = plane.create_snapshot("s", &source).unwrap();
        assert_eq!((size, plane.create_snapshot("s", &source).unwrap().0), (SIZE, snapshot.clone()));
        fs::write(path.join("data"), "live").unwrap();

        let read = |bad| fs::read_to_string(restored(&plane, Mode::Filesystem, &snapshot, bad).join("data")).ok();
        assert_eq!(read(None), Some(data.clone()));
        assert_eq!(read(Some(BadRestore::Empty)), None);
        assert_eq!(read(Some(BadRestore::Stale)), Some("live".to_owned()));
        assert_eq!(read(Some(BadRestore::Truncated)), Some(data[..500].to_owned()));
        let flipped = read(Some(BadRestore::BitFlipped)).unwrap();
        assert_eq!(flipped.bytes().zip(data.bytes()).filter(|(one, other)| one != other).count(), 1);
        plane.delete_snapshot(&snapshot).unwrap();
        assert!(!plane.handles().contains(&snapshot));
    }

    #[test]
    fn another_volume_is_one_that_has_data_or_a_decoy() {
        let (_root, plane) = plane();
        for mode in [Mode::Filesystem, Mode::Block] {
            let source = plane.create_volume(&format!("{mode:?}"), mode, SIZE, None, None).unwrap();
            let (snapshot, _) = plane.create_snapshot(&format!("{mode:?}"), &source).unwrap();
            let name = format!("wrong {mode:?}");
            let wrong = plane.create_volume(&name, mode, SIZE, Some(&snapshot), Some(BadRestore::OtherVolume)).unwrap();
            let path = plane.path(&wrong).unwrap();
            let file = if mode == Mode::Block { path } else { path.join("README") };
            assert!(fs::read(file).unwrap().starts_with(b"This volume belongs to somebody else."));
        }
    }

    #[test]
    fn disks_come_back_as_they_were_or_as_bad_as_asked_for() {
        let (_root, plane) = plane();
        let source = plane.create_volume("source", Mode::Block, SIZE, None, None).unwrap();
        let path = plane.path(&source).unwrap();
        let disk = fs::OpenOptions::new().write(true).open(&path).unwrap();
        let write = |offset, byte: u8| {
            std::os::unix::fs::FileExt::write_all_at(&disk, &[byte; 4096], offset).unwrap();
        };
        write(0, b'a');
        write(SIZE - 4096, b'z');
        let (snapshot, _) = plane.create_snapshot("s", &source).unwrap();
        write(0, b'x');

        let read = |bad| fs::read(restored(&plane, Mode::Block, &snapshot, bad)).unwrap();
        let good = read(None);
        assert_eq!((good.len() as u64, good[0], good[good.len() - 1]), (SIZE, b'a', b'z'));
        assert!(read(Some(BadRestore::Empty)).iter().all(|byte| *byte == 0));
        assert_eq!(read(Some(BadRestore::Stale))[0], b'x');
        let cut = read(Some(BadRestore::Truncated));
        assert_eq!((cut.len() as u64, cut[0], cut[cut.len() - 1]), (SIZE, b'a', 0));
        let flipped = read(Some(BadRestore::BitFlipped));
        assert_eq!(flipped.iter().zip(&good).filter(|(one, other)| one != other).count(), 1);
    }

    #[test]
    fn what_does_not_exist_is_an_error_and_deleting_it_is_not() {
        let (_root, plane) = plane();
        assert!(plane.create_snapshot("s", "vol-x").is_err());
        assert!(plane.create_volume("v", Mode::Block, SIZE, Some("snap-x"), None).is_err());
        plane.delete_volume("vol-x").unwrap();
        plane.delete_snapshot("snap-x").unwrap();
    }
}
