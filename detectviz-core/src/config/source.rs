//! The only place of the configuration that touches the outside world: files and the environment of the process.
use super::{
    place::{Origin, Place},
    problem::Problem,
    yaml,
};
use std::{
    collections::hash_map::DefaultHasher,
    fs::File,
    hash::{Hash, Hasher},
    io::{self, Read},
    path::{Path, PathBuf},
};

/// The variables of the process, for [`Sources::env`](super::Sources::env). Those that are not UTF-8 are left out.
#[must_use]
pub fn environment() -> Vec<(String, String)> {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that reads the environment"
    )]
    let variables = std::env::vars_os();
    variables
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

/// Reads a file, if it is there, up to a little more than what is accepted.
pub(crate) fn file(path: &Path) -> Result<Option<(Origin, Vec<u8>)>, Box<Problem>> {
    let shown = path.display().to_string();
    let origin = Origin::File(shown.as_str().into());
    let problem = |what: String, remedy: &str| {
        Box::new(Problem::new(Place::new(origin.clone()), "", what, remedy))
    };
    match contents(path, yaml::MAX_BYTES as u64 + 1) {
        Ok(bytes) => Ok(Some((origin, bytes))),
        Err(err) if err.kind() == io::ErrorKind::NotFound && path.is_symlink() => Err(problem(
            "it is a link to nowhere".to_owned(),
            "mount what it points to, or remove it",
        )),
        Err(err) if err.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(err) if err.kind() == io::ErrorKind::IsADirectory => Err(problem(
            "it is a directory".to_owned(),
            "put a file in its place (a ConfigMap mounted with `subPath` needs a key of that name)",
        )),
        Err(err) if err.kind() == io::ErrorKind::PermissionDenied => Err(problem(
            format!("it cannot be read: {err}"),
            "let the user of the process read it",
        )),
        Err(err) => Err(problem(
            format!("it cannot be read: {err}"),
            "make it a plain file that can be read",
        )),
    }
}

/// The first `limit` bytes of a plain file; a pipe or a device, which might never end, is refused.
fn contents(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let kind = std::fs::metadata(path)?.file_type();
    if kind.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    if !kind.is_file() {
        return Err(io::Error::other("it is not a plain file"));
    }
    let mut bytes = Vec::new();
    File::open(path)?.take(limit).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Says what is wrong with a directory that should hold the configuration.
pub(crate) fn directory(dir: &Path, wanted: &[PathBuf]) -> Option<Problem> {
    let place = Place::new(Origin::File(dir.display().to_string().into()));
    let names = || {
        let names = wanted.iter().filter_map(|path| path.file_name());
        names
            .map(|name| format!("`{}`", name.to_string_lossy()))
            .collect::<Vec<_>>()
            .join(" or ")
    };
    let (what, remedy) = match std::fs::metadata(dir) {
        Err(err) if err.kind() == io::ErrorKind::NotFound => (
            "the directory does not exist".to_owned(),
            "create it, or name another with --config".to_owned(),
        ),
        Err(err) => (
            format!("the directory cannot be read: {err}"),
            "let the user of the process read it".to_owned(),
        ),
        Ok(found) if !found.is_dir() => (
            "it is not a directory".to_owned(),
            "name the directory that holds the files with --config".to_owned(),
        ),
        Ok(_) if !wanted.iter().any(|path| path.symlink_metadata().is_ok()) => (
            "the directory holds no configuration".to_owned(),
            format!("put {} there, or name another with --config", names()),
        ),
        Ok(_) => return None,
    };
    Some(Problem::new(place, "", what, remedy))
}

/// Says something that differs whenever one of `files` appears, goes, or has other contents.
pub(crate) fn fingerprint(files: &[PathBuf]) -> u64 {
    let mut hasher = DefaultHasher::new();
    for path in files {
        // One byte more than is accepted: a file that is too large stays a problem however it grows.
        match contents(path, yaml::MAX_BYTES as u64 + 1) {
            Ok(bytes) => bytes.hash(&mut hasher),
            Err(err) => format!("{:?}", err.kind()).hash(&mut hasher),
        }
    }
    hasher.finish()
}
