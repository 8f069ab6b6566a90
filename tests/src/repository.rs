//! The files of this repository.
use std::path::{Path, PathBuf};

/// The directory that holds the workspace.
///
/// # Panics
/// Never: this crate stands in it.
#[must_use]
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().expect("tests/ has a parent").to_owned()
}

/// A file, by its path from the [`root`].
///
/// # Panics
/// When it cannot be read.
#[must_use]
pub fn text(path: &str) -> String {
    #[expect(clippy::disallowed_methods, reason = "a file of this repository")]
    let text = std::fs::read_to_string(root().join(path));
    text.unwrap_or_else(|err| panic!("{path}: {err}"))
}

/// The files below the [`root`] whose names end with one of `endings`, as paths from it, in order. What was built, and
/// what begins with a dot, is left out.
///
/// # Panics
/// When a directory cannot be read.
#[must_use]
pub fn files(endings: &[&str]) -> Vec<String> {
    let root = root();
    let mut found = Vec::new();
    let mut rest = vec![root.clone()];
    while let Some(dir) = rest.pop() {
        for entry in std::fs::read_dir(&dir).expect("the directory is readable") {
            let path = entry.expect("the entry is readable").path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let ours = !name.starts_with('.') && name != "target";
            let wanted = endings.iter().any(|ending| name.ends_with(ending));
            if path.is_dir() && ours {
                rest.push(path);
            } else if wanted && ours {
                let short = path.strip_prefix(&root).unwrap_or(&path);
                found.push(short.display().to_string());
            }
        }
    }
    found.sort();
    found
}
