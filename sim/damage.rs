//! Restores that look like restores and are none. Which bytes are hit follows the driver of the real test cluster.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::files::next_data;
use super::volume_mode::Mode;

/// Cuts every file to half its length, or zeros the second half of what is written of a disk.
pub(super) fn truncate(path: &Path, mode: Mode) -> io::Result<()> {
    match mode {
        Mode::Filesystem => {
            for (file, length) in files_with_data(path)? {
                open(&file)?.set_len(length / 2)?;
            }
            Ok(())
        }
        Mode::Block => {
            let disk = open(path)?;
            let Some((first, last)) = written(&disk)? else { return Ok(()) };
            let length = disk.metadata()?.len();
            disk.set_len(first + (last - first).div_ceil(2))?;
            disk.set_len(length)
        }
    }
}

/// Flips one bit in the middle of the largest file, or of the last written block of a disk.
pub(super) fn flip(path: &Path, mode: Mode) -> io::Result<()> {
    let (file, offset) = match mode {
        Mode::Filesystem => {
            let Some((file, length)) = files_with_data(path)?.into_iter().next() else { return Ok(()) };
            (open(&file)?, length / 2)
        }
        Mode::Block => {
            let disk = open(path)?;
            let Some((first, last)) = written(&disk)? else { return Ok(()) };
            let block = first.max(last / 4096 * 4096);
            (disk, block.midpoint(last))
        }
    };
    let mut byte = [0];
    file.read_exact_at(&mut byte, offset)?;
    file.write_all_at(&byte.map(|byte| byte ^ 1), offset)
}

/// Whether somebody has written something.
pub(super) fn has_data(path: &Path, mode: Mode) -> io::Result<bool> {
    Ok(match mode {
        Mode::Filesystem => !files_with_data(path)?.is_empty(),
        Mode::Block => written(&File::open(path)?)?.is_some(),
    })
}

fn open(path: &Path) -> io::Result<File> {
    // A file that its owner may not write is damaged all the same.
    let mut permissions = fs::metadata(path)?.permissions();
    let before = permissions.clone();
    std::os::unix::fs::PermissionsExt::set_mode(&mut permissions, 0o600);
    fs::set_permissions(path, permissions)?;
    let opened = OpenOptions::new().read(true).write(true).open(path);
    fs::set_permissions(path, before)?;
    opened
}

/// The regular files that are not empty, the largest first, then by name.
fn files_with_data(root: &Path) -> io::Result<Vec<(PathBuf, u64)>> {
    let mut found = Vec::new();
    let mut directories = vec![root.to_owned()];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(directory)? {
            let entry = entry?;
            let metadata = entry.metadata()?;
            if metadata.is_dir() {
                directories.push(entry.path());
            } else if metadata.is_file() && metadata.len() > 0 {
                found.push((entry.path(), metadata.len()));
            }
        }
    }
    found.sort_by(|(name, length), (other_name, other)| other.cmp(length).then_with(|| name.cmp(other_name)));
    Ok(found)
}

/// The positions of the first and the last byte that is not zero.
fn written(disk: &File) -> io::Result<Option<(u64, u64)>> {
    let length = disk.metadata()?.len();
    let mut buffer = vec![0; 64 << 10];
    let (mut first, mut last, mut offset) = (None, 0, 0);
    while let Some((start, end)) = next_data(disk, offset, length) {
        let mut at = start;
        while at < end {
            let count = disk.read_at(&mut buffer, at)?;
            let Some(data) = buffer.get(..count).filter(|data| !data.is_empty()) else { break };
            if let Some(position) = data.iter().position(|byte| *byte != 0) {
                first.get_or_insert(at + position as u64);
            }
            if let Some(position) = data.iter().rposition(|byte| *byte != 0) {
                last = at + position as u64;
            }
            at += data.len() as u64;
        }
        offset = end;
    }
    Ok(first.map(|first| (first, last)))
}
