//! The storage: each volume is a directory or a file below one temporary directory, each snapshot a copy of it.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use super::cut;
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
    /// The node for which it was made, if it was made for one.
    node: Option<String>,
    /// The snapshot from which it was restored.
    restored_from: Option<String>,
}

#[derive(Debug, Clone)]
struct Snapshot {
    name: String,
    mode: Mode,
    size: u64,
    path: PathBuf,
    source: String,
    node: Option<String>,
}

/// A volume that is asked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked<'a> {
    /// The name that the provisioner gives.
    pub(super) name: &'a str,
    pub(super) mode: Mode,
    /// Bytes.
    pub(super) size: u64,
    /// The node of its first consumer.
    pub(super) node: Option<&'a str>,
    /// What it is to hold instead of its source's data.
    pub(super) bad: Option<BadRestore>,
}

/// What a volume is made from, by its handle.
#[derive(Debug, Clone)]
pub(super) enum Source {
    Snapshot(String),
    Volume(String),
}

/// What a new volume is to hold.
#[derive(Debug)]
struct Content {
    /// The handle of the volume whose data it is.
    of: String,
    mode: Mode,
    size: u64,
    path: PathBuf,
    node: Option<String>,
    /// Whether it is a volume, which may still change.
    is_live: bool,
}

impl Content {
    /// The node of storage that is reached from one node alone; not every node will do.
    fn reached_from(&self, asked: Option<&str>) -> io::Result<String> {
        let lies_on = self.node.clone().or_else(|| asked.map(ToOwned::to_owned)).unwrap_or_default();
        match asked.filter(|asked| *asked != lies_on) {
            None => Ok(lies_on),
            Some(asked) => Err(io::Error::new(
                io::ErrorKind::StorageFull,
                format!(
                    "the source is on node {lies_on} and storage is node-local, so the volume cannot be made on any of the nodes \
                     [\"{asked}\"]: let the pod run on node {lies_on}"
                ),
            )),
        }
    }
}

impl State {
    fn content(&self, from: &Source) -> io::Result<Content> {
        match from {
            Source::Snapshot(handle) => {
                let found = self.snapshots.get(handle).cloned().ok_or_else(|| missing("snapshot", handle))?;
                let Snapshot { mode, size, path, source, node, .. } = found;
                Ok(Content { of: source, mode, size, path, node, is_live: false })
            }
            Source::Volume(handle) => {
                let found = self.volumes.get(handle).cloned().ok_or_else(|| missing("volume", handle))?;
                let Volume { mode, size, path, node, .. } = found;
                Ok(Content { of: handle.clone(), mode, size, path, node, is_live: true })
            }
        }
    }
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

    /// Makes a volume, from something if that is given, and tells its handle. Blocks.
    pub(super) fn create_volume(&self, asked: &Asked<'_>, from: Option<&Source>) -> io::Result<String> {
        let (handle, content) = {
            let mut state = lock(&self.state);
            if let Some((handle, _)) = state.volumes.iter().find(|(_, volume)| volume.name == asked.name) {
                return Ok(handle.clone());
            }
            let content = from.map(|from| state.content(from)).transpose()?;
            state.made += 1;
            (format!("vol-{:08}", state.made), content)
        };
        let mut node = asked.node.map(ToOwned::to_owned);
        if let Some(content) = &content {
            if asked.size < content.size {
                return Err(io::Error::new(
                    io::ErrorKind::InvalidInput,
                    format!("requested size {} is less than size {} of its source", asked.size, content.size),
                ));
            }
            if self.quirk == Some(Quirk::NodeLocal) {
                node = Some(content.reached_from(asked.node)?);
            }
        }
        let path = self.directory("volumes")?.join(&handle);
        let size = match (&content, self.quirk) {
            (Some(content), Some(Quirk::NotGrown)) => content.size,
            _ => self.rounded(asked.size),
        };
        match &content {
            Some(content) if asked.bad != Some(BadRestore::Empty) => self.fill(&path, size, asked, content)?,
            Some(_) | None => format_volume(&path, asked.mode, size)?,
        }
        if asked.mode == Mode::Filesystem {
            // A file system keeps some of its device for itself.
            fs::write(size_of(&path), (size / 16 * 15 / 1024).to_string())?;
        }
        let restored_from = match from {
            Some(Source::Snapshot(handle)) => Some(handle.clone()),
            Some(Source::Volume(_)) | None => None,
        };
        let volume = Volume { name: asked.name.to_owned(), mode: asked.mode, size, path, node, restored_from };
        lock(&self.state).volumes.insert(handle.clone(), volume);
        Ok(handle)
    }

    /// Copies to a new volume what it is made from, or what is to come instead.
    fn fill(&self, path: &Path, size: u64, asked: &Asked<'_>, content: &Content) -> io::Result<()> {
        let is_stale = asked.bad == Some(BadRestore::Stale);
        if content.is_live && (is_stale || self.quirk == Some(Quirk::SharesClones)) {
            return std::os::unix::fs::symlink(&content.path, path);
        }
        let from = match asked.bad {
            Some(BadRestore::Stale) => self.path(&content.of).ok_or_else(|| missing("volume", &content.of))?,
            Some(BadRestore::OtherVolume) => self.other(content)?,
            _ => content.path.clone(),
        };
        files::copy(&from, path)?;
        if asked.mode == Mode::Block {
            grow(path, size)?;
        }
        match asked.bad {
            Some(BadRestore::Truncated) => damage::truncate(path, asked.mode),
            Some(BadRestore::BitFlipped) => damage::flip(path, asked.mode),
            _ => Ok(()),
        }
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
        match self.quirk {
            Some(Quirk::LosesOrder) => cut::out_of_order(&source.path, &path)?,
            _ => cut::at_one_moment(&source.path, &path)?,
        }
        let size = source.size;
        let Volume { mode, node, .. } = source;
        let snapshot = Snapshot { name: name.to_owned(), mode, size, path, source: volume.to_owned(), node };
        lock(&self.state).snapshots.insert(handle.clone(), snapshot);
        Ok((handle, size))
    }

    /// Cuts snapshots of several volumes and tells of which volume each is, its handle and its size. Blocks.
    pub(super) fn create_group(&self, name: &str, volumes: &[String]) -> io::Result<Vec<(String, String, u64)>> {
        let cut = |volume: &String| self.create_snapshot(&format!("{name}-{volume}"), volume);
        let mut snapshots = volumes.iter().map(cut).collect::<io::Result<Vec<_>>>()?;
        if self.quirk == Some(Quirk::ExchangesMembers) {
            snapshots.reverse();
        }
        Ok(volumes.iter().zip(snapshots).map(|(volume, (handle, size))| (volume.clone(), handle, size)).collect())
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
        let (gone, later, restored) = {
            let mut state = lock(&self.state);
            let restored = |volume: &&Volume| volume.restored_from.as_deref() == Some(handle);
            let restored: Vec<Volume> = state.volumes.values().filter(restored).cloned().collect();
            if self.quirk == Some(Quirk::SnapshotsStayWithRestores) && !restored.is_empty() {
                return Err(io::Error::other(format!("snapshot {handle} has dependent clones")));
            }
            let Some(gone) = state.snapshots.remove(handle) else { return Ok(()) };
            // Handles are in the order in which they were made.
            let mut later = state.snapshots.iter().filter(|(other, _)| other.as_str() > handle);
            let later = later.find(|(_, other)| other.source == gone.source).map(|(_, other)| other.clone());
            (gone, later.filter(|_| self.quirk == Some(Quirk::ChainsSnapshots)), restored)
        };
        for volume in restored.iter().filter(|_| self.quirk == Some(Quirk::RestoresNeedSnapshot)) {
            damage::truncate(&volume.path, volume.mode)?;
        }
        if let Some(later) = later {
            damage::truncate(&later.path, later.mode)?;
        }
        files::remove(&gone.path)
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

    /// The youngest other volume of the same mode that has data, or one made for the purpose.
    fn other(&self, content: &Content) -> io::Result<PathBuf> {
        let volumes: Vec<Volume> = {
            let state = lock(&self.state);
            let others = state.volumes.iter().rev().filter(|(handle, _)| **handle != content.of);
            others.map(|(_, volume)| volume.clone()).filter(|volume| volume.mode == content.mode).collect()
        };
        for volume in volumes {
            if damage::has_data(&volume.path, volume.mode)? {
                return Ok(volume.path);
            }
        }
        let path = self.root.join(match content.mode {
            Mode::Filesystem => "somebody-elses-files",
            Mode::Block => "somebody-elses-disk",
        });
        if !path.exists() {
            somebody_elses(&path, content.mode, content.size)?;
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

    fn make(
        plane: &DataPlane,
        name: &str,
        mode: Mode,
        from: Option<&Source>,
        bad: Option<BadRestore>,
    ) -> io::Result<String> {
        plane.create_volume(&Asked { name, mode, size: SIZE, node: None, bad }, from)
    }

    fn restored(plane: &DataPlane, mode: Mode, snapshot: &str, bad: Option<BadRestore>) -> PathBuf {
        let name = format!("restored-{bad:?}");
        plane.path(&make(plane, &name, mode, Some(&Source::Snapshot(snapshot.to_owned())), bad).unwrap()).unwrap()
    }

    #[test]
    fn files_come_back_as_they_were_or_as_bad_as_asked_for() {
        let (_root, plane) = plane();
        let source = make(&plane, "source", Mode::Filesystem, None, None).unwrap();
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
            let source = make(&plane, &format!("{mode:?}"), mode, None, None).unwrap();
            let (snapshot, _) = plane.create_snapshot(&format!("{mode:?}"), &source).unwrap();
            let name = format!("wrong {mode:?}");
            let wrong =
                make(&plane, &name, mode, Some(&Source::Snapshot(snapshot)), Some(BadRestore::OtherVolume)).unwrap();
            let path = plane.path(&wrong).unwrap();
            let file = if mode == Mode::Block { path } else { path.join("README") };
            assert!(fs::read(file).unwrap().starts_with(b"This volume belongs to somebody else."));
        }
    }

    #[test]
    fn disks_come_back_as_they_were_or_as_bad_as_asked_for() {
        let (_root, plane) = plane();
        let source = make(&plane, "source", Mode::Block, None, None).unwrap();
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
        assert!(make(&plane, "v", Mode::Block, Some(&Source::Snapshot("snap-x".to_owned())), None).is_err());
        plane.delete_volume("vol-x").unwrap();
        plane.delete_snapshot("snap-x").unwrap();
    }

    #[test]
    fn a_clone_is_a_copy_unless_it_shares_its_source() {
        for (quirk, expected) in [(None, "before"), (Some(Quirk::SharesClones), "after")] {
            let root = tempfile::tempdir().unwrap();
            let plane = DataPlane::new(root.path(), quirk);
            let source = make(&plane, "source", Mode::Filesystem, None, None).unwrap();
            let file = plane.path(&source).unwrap().join("data");
            fs::write(&file, "before").unwrap();
            let clone = make(&plane, "clone", Mode::Filesystem, Some(&Source::Volume(source)), None).unwrap();
            fs::write(&file, "after").unwrap();
            let path = plane.path(&clone).unwrap();
            assert_eq!(fs::read_to_string(path.join("data")).unwrap(), expected);
            plane.delete_volume(&clone).unwrap();
            assert!(file.exists() && path.symlink_metadata().is_err());
        }
    }

    #[test]
    fn node_local_storage_restores_where_the_source_lies() {
        let root = tempfile::tempdir().unwrap();
        let plane = DataPlane::new(root.path(), Some(Quirk::NodeLocal));
        let asked = |name, node| Asked { name, mode: Mode::Filesystem, size: SIZE, node, bad: None };
        let source = plane.create_volume(&asked("source", Some("a")), None).unwrap();
        let snapshot = Source::Snapshot(plane.create_snapshot("s", &source).unwrap().0);
        assert!(plane.create_volume(&asked("there", Some("a")), Some(&snapshot)).is_ok());
        assert!(plane.create_volume(&asked("anywhere", None), Some(&snapshot)).is_ok());
        let error = plane.create_volume(&asked("elsewhere", Some("b")), Some(&snapshot)).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
    }
}
