//! Archives: what lies in a `.tar`, `.tar.gz` or `.zip` is read as if it lay in a folder. Nothing is unpacked to the disk, so names and
//! links in it lead nowhere. One that is broken or too large is not read in part: kinds that are not in it would look absent.

#[cfg(test)]
mod tests;

use std::cell::Cell;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek};
use std::path::Path;
use std::rc::Rc;

use flate2::bufread::MultiGzDecoder;
use zip::ZipArchive;
use zip::result::ZipError;

/// Where an archive says what it is: `ustar` in the first header of a tar.
const TAR_MAGIC: (usize, &[u8]) = (257, b"ustar");
const GZIP_MAGIC: &[u8] = &[0x1f, 0x8b];
/// The first file of a zip, or the end of an empty one.
const ZIP_MAGIC: [&[u8]; 2] = [b"PK\x03\x04", b"PK\x05\x06"];
/// So many bytes tell what a file is.
const HEAD: u64 = 512;

/// How much of an archive is read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// Bytes of a file in it that is read.
    pub(super) file: u64,
    /// Bytes of all that is unpacked of it.
    pub(super) unpacked: u64,
    /// How many times its own size, once that is more than `file`.
    pub(super) ratio: u64,
    /// Bytes of what stands before a file in a tar: its name, and whatever else is said of it.
    pub(super) header: u64,
    /// Files in a zip, whose list is read as a whole.
    pub(super) entries: usize,
}

impl Limits {
    pub(super) const USUAL: Self = Self {
        file: crate::facts::files::LARGEST_FILE,
        unpacked: 8 << 30,
        ratio: 200,
        header: 1 << 20,
        entries: 200_000,
    };
}

/// A file that is read, or why one is not.
pub(super) type Taken<'a> = dyn FnMut(&str, Result<Vec<u8>, String>) + 'a;

/// Reads a file that may be an archive. `take` gets what is in it, by its name there, or the file itself, with an empty name.
/// An error is one of the whole.
pub(super) fn read(mut file: File, limits: Limits, take: &mut Taken<'_>) -> Result<(), String> {
    let head = head(&mut file).map_err(|error| error.to_string())?;
    if is_zip(&head) {
        file.rewind().map_err(|error| error.to_string())?;
        return zip(BufReader::new(file), limits, take);
    }
    stream(head, file, limits, take)
}

/// The same of what cannot be read twice. A zip has its list at its end, so it is kept in a file without a name until then.
pub(super) fn read_stream(mut input: impl Read, limits: Limits, take: &mut Taken<'_>) -> Result<(), String> {
    let head = head(&mut input).map_err(|error| error.to_string())?;
    if !is_zip(&head) {
        return stream(head, input, limits, take);
    }
    let mut kept = tempfile::tempfile().map_err(|error| error.to_string())?;
    let whole = io::Cursor::new(head).chain(input);
    let copied = io::copy(&mut whole.take(limits.unpacked + 1), &mut kept).map_err(|error| error.to_string())?;
    if copied > limits.unpacked {
        return Err(too_large(limits.unpacked));
    }
    kept.rewind().map_err(|error| error.to_string())?;
    zip(BufReader::new(kept), limits, take)
}

/// The first bytes.
fn head(input: impl Read) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    input.take(HEAD).read_to_end(&mut head)?;
    Ok(head)
}

fn is_zip(head: &[u8]) -> bool {
    ZIP_MAGIC.iter().any(|magic| head.starts_with(magic))
}

fn is_tar(head: &[u8]) -> bool {
    let (at, magic) = TAR_MAGIC;
    head.get(at..).is_some_and(|rest| rest.starts_with(magic))
}

fn stream(head: Vec<u8>, rest: impl Read, limits: Limits, take: &mut Taken<'_>) -> Result<(), String> {
    let is_packed = head.starts_with(GZIP_MAGIC);
    let whole = io::Cursor::new(head).chain(BufReader::new(rest));
    if is_packed {
        let packed = Rc::new(Cell::new(0));
        let unpacker = MultiGzDecoder::new(BufReader::new(Counted { input: whole, read: Rc::clone(&packed) }));
        unpacked(unpacker, Some(packed), limits, take)
    } else {
        unpacked(whole, None, limits, take)
    }
}

/// A tar, or a file by itself.
fn unpacked(
    input: impl Read,
    packed: Option<Rc<Cell<u64>>>,
    limits: Limits,
    take: &mut Taken<'_>,
) -> Result<(), String> {
    let left = Rc::new(Cell::new(u64::MAX));
    let mut input = Meter { input, packed, left: Rc::clone(&left), read: 0, limits };
    let head = head(&mut input).map_err(broken)?;
    let is_tar = is_tar(&head);
    let whole = io::Cursor::new(head).chain(input);
    if is_tar { tar(whole, &left, limits, take) } else { single(whole, limits, take) }
}

fn single(input: impl Read, limits: Limits, take: &mut Taken<'_>) -> Result<(), String> {
    let bytes = limited(input, limits.file)?;
    take("", Ok(bytes));
    Ok(())
}

/// `left` is what may be read for now.
fn tar(input: impl Read, left: &Cell<u64>, limits: Limits, take: &mut Taken<'_>) -> Result<(), String> {
    let mut archive = tar::Archive::new(input);
    let mut entries = archive.entries().map_err(broken)?;
    loop {
        // A name can be as long as its header says, and is read as a whole.
        left.set(limits.header);
        let Some(entry) = entries.next() else { return Ok(()) };
        left.set(u64::MAX);
        let mut entry = entry.map_err(broken)?;
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        if is_wanted(&name) {
            let kind = entry.header().entry_type();
            if kind.is_file() {
                let bytes = limited(&mut entry, limits.file);
                take(&name, bytes);
            } else if kind.is_symlink() || kind.is_hard_link() {
                take(&name, Err("a link".to_owned()));
            }
        }
        io::copy(&mut entry, &mut io::sink()).map_err(broken)?;
    }
}

fn zip(input: impl Read + Seek, limits: Limits, take: &mut Taken<'_>) -> Result<(), String> {
    let damaged = |error: ZipError| match error {
        ZipError::Io(error) => broken(error),
        error => format!("a broken archive: {error}"),
    };
    let mut archive = ZipArchive::new(input).map_err(damaged)?;
    if archive.len() > limits.entries {
        return Err(format!("an archive of more than {} files", limits.entries));
    }
    let mut unpacked: u64 = 0;
    for number in 0..archive.len() {
        let entry = match archive.by_index(number) {
            Ok(entry) => entry,
            // One that is encrypted, or packed in another way, hides no other.
            Err(ZipError::UnsupportedArchive(why)) => {
                take(&format!("file {}", number + 1), Err(why.to_string()));
                continue;
            }
            Err(error) => return Err(damaged(error)),
        };
        let name = entry.name().map_err(damaged)?.into_owned();
        if !is_wanted(&name) || entry.is_dir() {
            continue;
        }
        if entry.is_symlink() {
            take(&name, Err("a link".to_owned()));
            continue;
        }
        let bytes = limited(entry, limits.file);
        unpacked += bytes.as_ref().map_or(limits.file, |bytes| bytes.len() as u64);
        if unpacked > limits.unpacked {
            return Err(too_large(limits.unpacked));
        }
        take(&name, bytes);
    }
    Ok(())
}

/// What has these endings is read in a folder or an archive. A file that is named is read whatever it is called.
const ENDINGS: [&str; 3] = ["yaml", "yml", "json"];

/// Whether a file of this name is read in a folder or an archive.
pub(super) fn is_wanted(name: &str) -> bool {
    Path::new(name).extension().is_some_and(|ending| ENDINGS.iter().any(|known| ending == *known))
}

/// The bytes of a file, if they are not too many.
pub(super) fn limited(input: impl Read, most: u64) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let read = input.take(most + 1).read_to_end(&mut bytes).map_err(broken)?;
    if read as u64 > most { Err(format!("it is larger than {}", size(most))) } else { Ok(bytes) }
}

fn too_large(most: u64) -> String {
    format!("an archive of more than {} when it is unpacked", size(most))
}

fn size(bytes: u64) -> String {
    if bytes >= 1 << 20 { format!("{} MiB", bytes >> 20) } else { format!("{bytes} bytes") }
}

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
fn broken(error: io::Error) -> String {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => "an archive that ends too early".to_owned(),
        io::ErrorKind::FileTooLarge | io::ErrorKind::IsADirectory | io::ErrorKind::PermissionDenied => {
            error.to_string()
        }
        _ => format!("a broken archive: {error}"),
    }
}

/// Counts what is read.
struct Counted<R> {
    input: R,
    read: Rc<Cell<u64>>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.input.read(buffer)?;
        self.read.set(self.read.get() + read as u64);
        Ok(read)
    }
}

/// Ends what is too large when it is unpacked.
struct Meter<R> {
    input: R,
    /// How much was read of what is packed.
    packed: Option<Rc<Cell<u64>>>,
    /// How much may be read for now.
    left: Rc<Cell<u64>>,
    read: u64,
    limits: Limits,
}

impl<R: Read> Read for Meter<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.input.read(buffer)? as u64;
        self.read += read;
        let Limits { file, unpacked, ratio, header, .. } = self.limits;
        let too_large = |why: String| Err(io::Error::new(io::ErrorKind::FileTooLarge, why));
        if self.read > unpacked {
            return too_large(self::too_large(unpacked));
        }
        if let Some(packed) = &self.packed
            && self.read > file
            && self.read / ratio > packed.get()
        {
            return too_large(format!("an archive that unpacks to more than {ratio} times its size"));
        }
        let left = self.left.get();
        if read > left {
            return too_large(format!("an archive with a name of more than {}", size(header)));
        }
        self.left.set(if left == u64::MAX { left } else { left - read });
        usize::try_from(read).map_err(io::Error::other)
    }
}
