//! Reading files, so that what belongs together is read together.
use std::{
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
};
use zeroize::Zeroizing;

/// How often a directory may change under a read before it is called unreadable.
const TRIES: usize = 8;

/// What stands at a path.
pub(super) enum Found {
    File(Zeroizing<Vec<u8>>),
    Directory(Vec<(String, Zeroizing<Vec<u8>>)>),
}

/// Reads the file, or all files of the directory, at `path`.
pub(super) fn read(path: &Path, max_size: u64) -> io::Result<Found> {
    if !fs::metadata(path)?.is_dir() {
        return read_file(path, max_size).map(Found::File);
    }
    for _ in 0..TRIES {
        let before = version_of(path)?;
        match read_directory(&before, max_size) {
            Ok(files) if version_of(path)? == before => return Ok(Found::Directory(files)),
            Ok(_) => {}
            // A version that was swapped out is deleted under the reader.
            Err(err) if err.kind() == io::ErrorKind::NotFound => {}
            Err(err) => return Err(err),
        }
    }
    Err(io::Error::other(
        "the directory changes faster than it can be read",
    ))
}

/// The directory that `..data` leads to in a volume of Kubernetes, else the directory itself.
fn version_of(directory: &Path) -> io::Result<PathBuf> {
    match fs::canonicalize(directory.join("..data")) {
        Err(err) if err.kind() == io::ErrorKind::NotFound => fs::canonicalize(directory),
        other => other,
    }
}

fn read_directory(
    directory: &Path,
    max_size: u64,
) -> io::Result<Vec<(String, Zeroizing<Vec<u8>>)>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else {
            continue;
        };
        if !name.starts_with('.') && fs::metadata(entry.path())?.is_file() {
            files.push((name, read_file(&entry.path(), max_size)?));
        }
    }
    Ok(files)
}

fn read_file(path: &Path, max_size: u64) -> io::Result<Zeroizing<Vec<u8>>> {
    let file = File::open(path)?;
    let size = usize::try_from(file.metadata()?.len()).unwrap_or(0);
    // A buffer that grows leaves pieces of the secret behind, so it starts at its size.
    let mut bytes = Zeroizing::new(Vec::with_capacity(size.saturating_add(1).min(1 << 20)));
    file.take(max_size + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > max_size {
        return Err(io::Error::other(format!(
            "it is larger than {max_size} bytes"
        )));
    }
    Ok(bytes)
}
