//! Cuts of a volume that may be written to meanwhile.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::files::{copy, next_data, remove};

const BLOCK: usize = 4096;
/// A volume that nobody has written to for so long is not written to.
const QUIET: Duration = Duration::from_secs(2);
const PAUSE: Duration = Duration::from_millis(2);

/// A block of a file: the file's path below the volume, empty for a disk, and the block's offset.
type Place = (PathBuf, u64);

/// Copies what a volume holds at one moment: a copy that the volume still is the same as when it is complete.
pub(super) fn at_one_moment(from: &Path, to: &Path) -> io::Result<()> {
    loop {
        copy(from, to)?;
        if changed(from, to)?.is_empty() {
            return Ok(());
        }
        remove(to)?;
    }
}

/// Copies a volume so that the copy lacks a write and has a later one, if there are any meanwhile.
pub(super) fn out_of_order(from: &Path, to: &Path) -> io::Result<()> {
    loop {
        at_one_moment(from, to)?;
        let first = wait_for(from, to, |changed| !changed.is_empty())?;
        // Of two at once nobody knows which was the first.
        let [first] = first.as_slice() else {
            if first.is_empty() {
                return Ok(());
            }
            remove(to)?;
            continue;
        };
        let later = wait_for(from, to, |changed| changed.iter().any(|place| place != first))?;
        for place in later.iter().filter(|place| *place != first) {
            refresh(from, to, place)?;
        }
        return Ok(());
    }
}

/// Waits until what has changed since is this, or for so long that nobody writes; what has changed then.
fn wait_for(from: &Path, to: &Path, is_enough: impl Fn(&[Place]) -> bool) -> io::Result<Vec<Place>> {
    let began = Instant::now();
    loop {
        let changed = changed(from, to)?;
        if is_enough(&changed) || began.elapsed() > QUIET {
            return Ok(changed);
        }
        sleep(PAUSE);
    }
}

/// The blocks that are others in the copy.
fn changed(from: &Path, to: &Path) -> io::Result<Vec<Place>> {
    let mut found = Vec::new();
    let mut left = vec![PathBuf::new()];
    while let Some(below) = left.pop() {
        let path = joined(from, &below);
        let metadata = match path.symlink_metadata() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            other => other?,
        };
        if metadata.is_dir() {
            for entry in fs::read_dir(path)? {
                left.push(below.join(entry?.file_name()));
            }
        } else if metadata.is_file() {
            let offsets = differing(&File::open(path)?, metadata.len(), &joined(to, &below))?;
            found.extend(offsets.into_iter().map(|offset| (below.clone(), offset)));
        }
    }
    Ok(found)
}

/// A path below a volume; that of a disk is the volume's own.
fn joined(volume: &Path, below: &Path) -> PathBuf {
    if below.as_os_str().is_empty() { volume.to_owned() } else { volume.join(below) }
}

/// The offsets of a file's blocks that its copy does not have. What is a hole by now was never anything else.
fn differing(file: &File, length: u64, copy: &Path) -> io::Result<Vec<u64>> {
    let Ok(copy) = File::open(copy) else { return Ok(vec![0]) };
    let mut offsets = Vec::new();
    let mut offset = 0;
    while let Some((start, end)) = next_data(file, offset, length) {
        let mut at = start / BLOCK as u64 * BLOCK as u64;
        while at < end {
            if block(file, at)? != block(&copy, at)? {
                offsets.push(at);
            }
            at += BLOCK as u64;
        }
        offset = end;
    }
    Ok(offsets)
}

/// A block, as far as the file has it.
fn block(file: &File, offset: u64) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; BLOCK];
    let count = file.read_at(&mut bytes, offset)?;
    bytes.truncate(count);
    Ok(bytes)
}

/// Brings a block of the copy up to date.
fn refresh(from: &Path, to: &Path, (below, offset): &Place) -> io::Result<()> {
    let bytes = block(&File::open(joined(from, below))?, *offset)?;
    OpenOptions::new().write(true).open(joined(to, below))?.write_all_at(&bytes, *offset)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A writer that writes to two places in turn, one after the other, until it is told to stop.
    fn while_written_to(volume: &Path, places: &[(&str, u64)], cut: impl FnOnce()) {
        let stop = std::sync::atomic::AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let mut number = 0_u64;
                while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                    number += 1;
                    let (name, offset) = places[usize::try_from(number).unwrap() % places.len()];
                    let file = OpenOptions::new().write(true).open(joined(volume, Path::new(name))).unwrap();
                    file.write_all_at(&number.to_be_bytes(), offset).unwrap();
                    sleep(10 * PAUSE);
                }
            });
            cut();
            stop.store(true, std::sync::atomic::Ordering::Relaxed);
        });
    }

    fn number(volume: &Path, (name, offset): (&str, u64)) -> u64 {
        let mut bytes = [0; 8];
        File::open(joined(volume, Path::new(name))).unwrap().read_exact_at(&mut bytes, offset).unwrap();
        u64::from_be_bytes(bytes)
    }

    #[test]
    fn a_cut_has_all_writes_up_to_one_unless_it_loses_their_order() {
        type Cut = fn(&Path, &Path) -> io::Result<()>;
        let cuts: [(Cut, bool); 2] = [(at_one_moment, true), (out_of_order, false)];
        let of_files: &[_] = &[("a", 0), ("b", 0), ("c", 0)];
        let of_disk: &[_] = &[("", 0), ("", 1 << 20), ("", 3 << 20)];
        for (places, (cut, in_order)) in
            [of_files, of_disk].into_iter().flat_map(|places| cuts.map(|cut| (places, cut)))
        {
            let root = tempfile::tempdir().unwrap();
            let (volume, snapshot) = (root.path().join("volume"), root.path().join("snapshot"));
            if places[0].0.is_empty() {
                File::create(&volume).unwrap().set_len(1 << 30).unwrap();
            } else {
                fs::create_dir(&volume).unwrap();
                for (name, _) in places {
                    File::create(volume.join(name)).unwrap().set_len(8).unwrap();
                }
            }
            while_written_to(&volume, places, || cut(&volume, &snapshot).unwrap());
            let mut numbers: Vec<u64> = places.iter().map(|place| number(&snapshot, *place)).collect();
            numbers.sort_unstable();
            // So few writes that a place is still without any are in order as well.
            let last = numbers[2];
            let wanted: Vec<u64> = [2, 1, 0].map(|back| u64::saturating_sub(last, back)).to_vec();
            assert_eq!(numbers == wanted, in_order, "{numbers:?}");
        }
    }
}
