//! Copying and removing trees, with holes, modes and links.

use std::fs::{self, File, Permissions};
use std::io;
use std::os::unix::fs::{FileExt, PermissionsExt};
use std::path::Path;

use rustix::fs::{SeekFrom, seek};
use rustix::io::Errno;

/// Copies a file or a tree. Holes stay holes, so a disk of 1 GiB with little in it is copied fast.
pub(super) fn copy(from: &Path, to: &Path) -> io::Result<()> {
    let metadata = from.symlink_metadata()?;
    if metadata.is_symlink() {
        return std::os::unix::fs::symlink(fs::read_link(from)?, to);
    }
    if metadata.is_file() {
        copy_file(from, to, metadata.len())?;
        return fs::set_permissions(to, metadata.permissions());
    }
    if metadata.is_dir() {
        fs::create_dir_all(to)?;
        for entry in fs::read_dir(from)? {
            let entry = entry?;
            match copy(&entry.path(), &to.join(entry.file_name())) {
                // What is deleted while a volume in use is being copied is not part of the snapshot.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                other => other?,
            }
        }
        return fs::set_permissions(to, metadata.permissions());
    }
    Ok(())
}

fn copy_file(from: &Path, to: &Path, length: u64) -> io::Result<()> {
    let (source, target) = (File::open(from)?, File::create(to)?);
    target.set_len(length)?;
    let mut offset = 0;
    while let Some((start, end)) = next_data(&source, offset, length) {
        copy_range(&source, &target, start, end)?;
        offset = end;
    }
    target.set_modified(source.metadata()?.modified()?)
}

/// The next stretch of a file that is not a hole.
pub(super) fn next_data(file: &File, offset: u64, length: u64) -> Option<(u64, u64)> {
    if offset >= length {
        return None;
    }
    let start = match seek(file, SeekFrom::Data(offset)) {
        Ok(start) => start,
        Err(Errno::NXIO) => return None,
        // Not every file system knows about holes.
        Err(_) => return Some((offset, length)),
    };
    let end = seek(file, SeekFrom::Hole(start)).unwrap_or(length);
    (start < length).then_some((start, end.min(length)))
}

fn copy_range(source: &File, target: &File, start: u64, end: u64) -> io::Result<()> {
    let mut buffer = vec![0; 64 << 10];
    let mut offset = start;
    while offset < end {
        let count = source.read_at(&mut buffer, offset)?;
        let within = usize::try_from(end - offset).unwrap_or(usize::MAX).min(count);
        let Some(data) = buffer.get(..within).filter(|data| !data.is_empty()) else { break };
        if data.iter().any(|byte| *byte != 0) {
            target.write_all_at(data, offset)?;
        }
        offset += data.len() as u64;
    }
    Ok(())
}

/// Removes a file or a tree, also one whose directories may not be written.
pub(super) fn remove(path: &Path) -> io::Result<()> {
    let removed = match path.symlink_metadata() {
        Err(error) => Err(error),
        Ok(metadata) if metadata.is_dir() => fs::remove_dir_all(path).or_else(|_| {
            open_up(path)?;
            fs::remove_dir_all(path)
        }),
        Ok(_) => fs::remove_file(path),
    };
    match removed {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

fn open_up(directory: &Path) -> io::Result<()> {
    fs::set_permissions(directory, Permissions::from_mode(0o700))?;
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            open_up(&entry.path())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt;

    use super::*;

    #[test]
    fn a_copy_has_the_same_links_modes_and_holes() {
        let root = tempfile::tempdir().unwrap();
        let (from, to) = (root.path().join("from"), root.path().join("to"));
        fs::create_dir_all(from.join("deep/er")).unwrap();
        fs::write(from.join("deep/er/file"), "text").unwrap();
        fs::set_permissions(from.join("deep/er/file"), Permissions::from_mode(0o640)).unwrap();
        std::os::unix::fs::symlink("deep/er/file", from.join("link")).unwrap();
        let sparse = File::create(from.join("sparse")).unwrap();
        sparse.set_len(1 << 30).unwrap();
        sparse.write_all_at(b"middle", 1 << 29).unwrap();
        copy(&from, &to).unwrap();

        assert_eq!(fs::read_to_string(to.join("link")).unwrap(), "text");
        assert_eq!(fs::metadata(to.join("deep/er/file")).unwrap().mode() & 0o777, 0o640);
        assert_eq!(fs::read_link(to.join("link")).unwrap(), Path::new("deep/er/file"));
        let copied = File::open(to.join("sparse")).unwrap();
        assert_eq!(copied.metadata().unwrap().len(), 1 << 30);
        let mut middle = [0; 6];
        copied.read_exact_at(&mut middle, 1 << 29).unwrap();
        assert_eq!(&middle, b"middle");
        remove(&to).unwrap();
        remove(&to).unwrap();
    }
}
