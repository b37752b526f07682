use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;
use tar::{Builder, EntryType, Header};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::*;

const SMALL: Limits = Limits { file: 1_000, unpacked: 100_000, ratio: 100, header: 4_096, entries: 10 };

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packer = GzEncoder::new(Vec::new(), Compression::default());
    packer.write_all(bytes).unwrap();
    packer.finish().unwrap()
}

fn header(kind: EntryType, size: usize) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_size(size as u64);
    header.set_mode(0o644);
    header
}

fn tar_of(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut tar = Builder::new(Vec::new());
    for (name, bytes) in files {
        tar.append_data(&mut header(EntryType::Regular, bytes.len()), name, *bytes).unwrap();
    }
    tar.into_inner().unwrap()
}

fn zip_of(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = ZipWriter::new(io::Cursor::new(Vec::new()));
    for (name, bytes) in files {
        zip.start_file(*name, SimpleFileOptions::default()).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

type Files = Vec<(String, Result<Vec<u8>, String>)>;

/// What is read of a file, and of the same bytes in a pipe.
fn read_both(bytes: &[u8], limits: Limits) -> Result<Files, String> {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    file.rewind().unwrap();
    let mut of_file = Files::new();
    let answer = read(file, limits, &mut |name, bytes| of_file.push((name.to_owned(), bytes)));
    let mut of_pipe = Files::new();
    let other = read_stream(bytes, limits, &mut |name, bytes| of_pipe.push((name.to_owned(), bytes)));
    assert_eq!((&answer, &of_file), (&other, &of_pipe));
    answer.map(|()| of_file)
}

fn good(files: &[(&str, &str)]) -> Files {
    files.iter().map(|(name, text)| ((*name).to_owned(), Ok(text.as_bytes().to_vec()))).collect()
}

#[test]
fn every_form_is_read_by_what_is_in_it() {
    let files: [(&str, &[u8]); 3] = [("a/x.yaml", b"x"), ("log.txt", &[0; 5_000]), ("b.json", b"{}")];
    let wanted = Ok(good(&[("a/x.yaml", "x"), ("b.json", "{}")]));
    for archive in [tar_of(&files), gzip(&tar_of(&files)), zip_of(&files)] {
        assert_eq!(read_both(&archive, SMALL), wanted);
    }
    assert_eq!(read_both(b"kind: Pod", SMALL), Ok(good(&[("", "kind: Pod")])));
    assert_eq!(read_both(&gzip(b"kind: Pod"), SMALL), Ok(good(&[("", "kind: Pod")])));
    assert_eq!(read_both(b"", SMALL), Ok(good(&[("", "")])));
    assert_eq!(read_both(&zip_of(&[]), SMALL), Ok(Files::new()));
}

/// Nothing is unpacked, so a name is no more than a name.
#[test]
fn names_and_links_lead_nowhere() {
    let mut tar = Builder::new(Vec::new());
    let mut evil = header(EntryType::Regular, 1);
    evil.as_gnu_mut().unwrap().name[..17].copy_from_slice(b"../../etc/x.yaml\0");
    evil.set_cksum();
    tar.append(&evil, &b"x"[..]).unwrap();
    for kind in [EntryType::Symlink, EntryType::Link] {
        tar.append_link(&mut header(kind, 0), "link.yaml", "/etc/passwd").unwrap();
    }
    let link = || ("link.yaml".to_owned(), Err("a link".to_owned()));
    let mut read = good(&[("../../etc/x.yaml", "x")]);
    read.extend([link(), link()]);
    assert_eq!(read_both(&tar.into_inner().unwrap(), SMALL), Ok(read));

    let mut zip = ZipWriter::new(io::Cursor::new(Vec::new()));
    zip.add_symlink("link.yaml", "/etc/passwd", SimpleFileOptions::default()).unwrap();
    assert_eq!(read_both(&zip.finish().unwrap().into_inner(), SMALL), Ok(vec![link()]));
}

#[test]
fn what_is_too_large_is_named_and_what_unpacks_to_too_much_is_refused() {
    let large: &[u8] = &[b'x'; 1_001];
    let too_large = |name: &str| (name.to_owned(), Err("it is larger than 1000 bytes".to_owned()));
    let small = || ("y.yaml".to_owned(), Ok(b"y".to_vec()));
    for archive in [tar_of(&[("x.yaml", large), ("y.yaml", b"y")]), zip_of(&[("x.yaml", large), ("y.yaml", b"y")])] {
        assert_eq!(read_both(&archive, SMALL), Ok(vec![too_large("x.yaml"), small()]));
    }
    let refused = |archive: &[u8], limits, why: &str| {
        assert_eq!(read_both(archive, limits).unwrap_err(), why, "{why}");
    };
    let zeros: &[u8] = &vec![0; 90_000];
    let ratio = "an archive that unpacks to more than 100 times its size";
    refused(&gzip(&tar_of(&[("log", zeros)])), SMALL, ratio);
    refused(&gzip(zeros), SMALL, "it is larger than 1000 bytes");
    let total = "an archive of more than 100000 bytes when it is unpacked";
    refused(&tar_of(&[("a", zeros), ("b", zeros)]), SMALL, total);
    refused(&gzip(&tar_of(&[("a", zeros), ("b", zeros)])), Limits { ratio: 10_000, ..SMALL }, total);
    let many: Vec<String> = (0..11).map(|number| format!("{number}.yaml")).collect();
    let many: Vec<(&str, &[u8])> = many.iter().map(|name| (name.as_str(), &b"x"[..])).collect();
    refused(&zip_of(&many), SMALL, "an archive of more than 10 files");
    let name = "n".repeat(5_000);
    refused(&tar_of(&[(&name, b"x")]), SMALL, "an archive with a name of more than 4096 bytes");
}

/// Kinds that a part does not hold would look absent.
#[test]
fn an_archive_that_is_cut_is_refused() {
    let files: [(&str, &[u8]); 2] = [("a.yaml", &[b'x'; 900]), ("b.yaml", &[b'y'; 900])];
    for archive in [tar_of(&files), gzip(&tar_of(&files)), zip_of(&files)] {
        // A tar ends with two blocks of zeros; its last file ends before.
        for cut in [archive.len() / 2, archive.len() / 3] {
            let error = read_both(&archive[..cut], SMALL).unwrap_err();
            assert!(error.starts_with("a broken archive") || error == "an archive that ends too early", "{error}");
        }
    }
}

proptest! {
    #[test]
    fn no_bytes_do_harm(start in 0..4_usize, at in 0..2_000_usize, noise in proptest::collection::vec(any::<u8>(), 0..64)) {
        let files: [(&str, &[u8]); 2] = [("a.yaml", b"x"), ("b.json", b"{}")];
        let mut bytes = vec![tar_of(&files), gzip(&tar_of(&files)), zip_of(&files), Vec::new()].swap_remove(start);
        let at = at.min(bytes.len());
        for (byte, noise) in bytes[at..].iter_mut().zip(&noise) {
            *byte = *noise;
        }
        bytes.extend(noise.iter().skip(bytes.len().saturating_sub(at)));
        let _ = read_both(&bytes, SMALL);
    }
}
