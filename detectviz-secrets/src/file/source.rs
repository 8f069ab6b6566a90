//! Reading files, so that what belongs together is read together.
use rustix::{fs::OFlags, io::Errno};
use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read},
    os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};
use zeroize::Zeroizing;

/// How often what is read may change under a read before it is called unreadable.
const TRIES: usize = 8;

/// The room that a file gets at least: one that says it is empty may be written by the kernel.
const LEAST: usize = 512;

/// What stands at a path.
pub(super) enum Found {
    /// A file.
    File(Content),
    /// All files of one version of a directory by name, and the name of the version where it has one.
    Directory {
        files: Vec<(String, Content)>,
        version: Option<String>,
    },
}

/// What a file holds.
pub(super) struct Content {
    pub(super) bytes: Zeroizing<Vec<u8>>,
    /// The permission bits of the file itself, not of links to it.
    pub(super) mode: u32,
}

/// What could not be read, and why.
#[derive(Debug)]
pub(super) struct Unreadable {
    pub(super) path: PathBuf,
    pub(super) why: Why,
}

#[derive(Debug)]
pub(super) enum Why {
    /// Nothing is there, or a link that leads nowhere.
    Absent {
        dangling: bool,
    },
    /// Links lead in a circle.
    Loop,
    /// It is this, and no file.
    NotAFile(&'static str),
    TooLarge,
    /// It changed each time that it was read.
    Restless,
    Other(io::Error),
}

/// The files of one version of a directory.
pub(super) struct Listing {
    directory: PathBuf,
    names: Vec<String>,
}

/// Reads the file, or all files of the directory, at `path`, up to `max_size` bytes.
pub(super) fn read(path: &Path, max_size: u64) -> Result<Found, Unreadable> {
    let link = volume_of(path);
    let mut last = Unreadable::new(path, Why::Restless);
    for _ in 0..TRIES {
        let before = fs::read_link(&link).ok();
        let read = if fs::metadata(path).is_ok_and(|found| found.is_dir()) {
            read_version(path, max_size)
        } else {
            read_file(path, max_size).map(Found::File)
        };
        let err = match read {
            Ok(found) => return Ok(found),
            Err(err) => err,
        };
        let passing = match err.why {
            Why::Restless => true,
            // A version that was swapped out is deleted under the reader; elsewhere a file may go after it was listed.
            Why::Absent { .. } => err.path != path || fs::read_link(&link).ok() != before,
            _ => false,
        };
        if !passing {
            return Err(err);
        }
        last = err;
    }
    Err(last)
}

/// Where the link to the current version stands, for a directory and for a file in it.
fn volume_of(path: &Path) -> PathBuf {
    let link = path.join("..data");
    if fs::symlink_metadata(&link).is_ok() {
        return link;
    }
    path.with_file_name("..data")
}

/// All files of the version of `directory` that is current from the first look to the last.
fn read_version(directory: &Path, max_size: u64) -> Result<Found, Unreadable> {
    let before = version_of(directory)?;
    let read = Listing::of(&before).and_then(|listing| listing.read(max_size));
    if version_of(directory)? != before {
        return Err(Unreadable::new(directory, Why::Restless));
    }
    let files = read?;
    let version = before.file_name().map(|name| name.to_string_lossy());
    let version = version
        .filter(|name| name.starts_with(".."))
        .map(Into::into);
    Ok(Found::Directory { files, version })
}

/// The directory that `..data` leads to in a volume of Kubernetes, else the directory itself.
fn version_of(directory: &Path) -> Result<PathBuf, Unreadable> {
    let link = directory.join("..data");
    let of = if link.is_symlink() { &link } else { directory };
    fs::canonicalize(of).map_err(|err| Unreadable::io(of, err))
}

fn read_file(path: &Path, max_size: u64) -> Result<Content, Unreadable> {
    let failed = |why| Unreadable::new(path, why);
    let io = |err| Unreadable::io(path, err);
    // Opening a pipe would wait for its writer.
    let mut file = OpenOptions::new()
        .read(true)
        .custom_flags(OFlags::NONBLOCK.bits().cast_signed())
        .open(path)
        .map_err(|err| match Errno::from_io_error(&err) {
            Some(Errno::NXIO) => failed(Why::NotAFile("a socket")),
            _ => io(err),
        })?;
    let before = file.metadata().map_err(io)?;
    if let Some(kind) = no_file(&before) {
        return Err(failed(Why::NotAFile(kind)));
    }
    if before.len() > max_size {
        return Err(failed(Why::TooLarge));
    }
    let bytes = contents(&mut file, &before, max_size).map_err(io)?;
    if bytes.len() as u64 > max_size {
        return Err(failed(Why::TooLarge));
    }
    let after = file.metadata().map_err(io)?;
    let state = |found: &fs::Metadata| (found.len(), found.mtime(), found.mtime_nsec());
    if state(&before) != state(&after) {
        return Err(failed(Why::Restless));
    }
    let mode = after.permissions().mode() & 0o777;
    Ok(Content { bytes, mode })
}

/// Reads to the end, or one byte more than is allowed. The system writes straight into the buffer that is wiped: the buffers
/// and the probes on the stack of [`Read::read_to_end`] would keep pieces of the secret.
fn contents(
    file: &mut File,
    found: &fs::Metadata,
    max_size: u64,
) -> io::Result<Zeroizing<Vec<u8>>> {
    let limit = usize::try_from(max_size)
        .unwrap_or(usize::MAX)
        .saturating_add(1);
    let size = usize::try_from(found.len()).unwrap_or(usize::MAX);
    let mut bytes = Zeroizing::new(vec![0; size.saturating_add(1).max(LEAST).min(limit)]);
    let mut filled = 0;
    loop {
        if filled == bytes.len() {
            if filled == limit {
                break;
            }
            let mut larger = Zeroizing::new(vec![0; filled.saturating_mul(2).min(limit)]);
            larger[..filled].copy_from_slice(&bytes);
            bytes = larger;
        }
        match file.read(&mut bytes[filled..]) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(err) if err.kind() == io::ErrorKind::Interrupted => {}
            Err(err) => return Err(err),
        }
    }
    bytes.truncate(filled);
    Ok(bytes)
}

/// What it is, if it is no file.
fn no_file(found: &fs::Metadata) -> Option<&'static str> {
    let kind = found.file_type();
    match kind {
        _ if kind.is_file() => None,
        _ if kind.is_dir() => Some("a directory"),
        _ if kind.is_fifo() => Some("a pipe"),
        _ if kind.is_socket() => Some("a socket"),
        _ => Some("a device"),
    }
}

// === impl Listing ===

impl Listing {
    /// Names that start with `..` are the volume's own, and a name that is not UTF-8 is no name of a field. What is neither a
    /// file nor a link to one is left out.
    pub(super) fn of(directory: &Path) -> Result<Self, Unreadable> {
        let io = |err| Unreadable::io(directory, err);
        let mut names = Vec::new();
        for entry in fs::read_dir(directory).map_err(io)? {
            let entry = entry.map_err(io)?;
            let Ok(name) = entry.file_name().into_string() else {
                continue;
            };
            let is_file = fs::metadata(entry.path()).map_or(true, |found| found.is_file());
            if !name.starts_with("..") && is_file {
                names.push(name);
            }
        }
        let directory = directory.to_owned();
        Ok(Self { directory, names })
    }

    /// Reads them all; together they may hold `max_size` bytes.
    pub(super) fn read(self, max_size: u64) -> Result<Vec<(String, Content)>, Unreadable> {
        let mut rest = max_size;
        let read = |name: String| {
            let content = read_file(&self.directory.join(&name), max_size)?;
            let size = content.bytes.len() as u64;
            let left = rest.checked_sub(size);
            rest = left.ok_or_else(|| Unreadable::new(&self.directory, Why::TooLarge))?;
            Ok((name, content))
        };
        self.names.into_iter().map(read).collect()
    }
}

// === impl Unreadable ===

impl Unreadable {
    fn new(path: &Path, why: Why) -> Self {
        let path = path.to_owned();
        Self { path, why }
    }

    fn io(path: &Path, err: io::Error) -> Self {
        let why = match (err.kind(), Errno::from_io_error(&err)) {
            (io::ErrorKind::NotFound | io::ErrorKind::NotADirectory, _) => Why::Absent {
                dangling: path.is_symlink(),
            },
            (_, Some(Errno::LOOP)) => Why::Loop,
            _ => Why::Other(err),
        };
        Self::new(path, why)
    }
}
