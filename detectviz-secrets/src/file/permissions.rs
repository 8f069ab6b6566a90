//! Who else may read or replace a secret file.
use std::{
    collections::HashMap,
    path::{Path, PathBuf},
};

/// What a secret file must not let: others read or write, the group write.
const LOOSE: u32 = 0o026;

/// How many paths are remembered, each of which is warned about once.
const MOST: usize = 1024;

/// The files whose permissions were found too loose, and how they were then.
#[derive(Debug, Default)]
pub(super) struct Loose(HashMap<PathBuf, u32>);

impl Loose {
    /// Whether to warn about the file at `path`, which has these permission bits: once, and again when they change.
    pub(super) fn is_news(&mut self, path: &Path, mode: u32) -> bool {
        if mode & LOOSE == 0 {
            self.0.remove(path);
            return false;
        }
        if self.0.get(path) == Some(&mode) || self.0.len() >= MOST {
            return false;
        }
        self.0.insert(path.to_owned(), mode);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permissions_looser_than_0640_are_news_once_for_each_path_and_change() {
        let mut loose = Loose::default();
        let (a, b) = (Path::new("/a"), Path::new("/b"));
        for (path, mode, news) in [
            (a, 0o640, false),
            (a, 0o440, false),
            (a, 0o600, false),
            (a, 0o750, false),
            (a, 0o644, true),
            (a, 0o644, false),
            (b, 0o644, true),
            (a, 0o646, true),
            (a, 0o400, false),
            (a, 0o660, true),
            (a, 0o602, true),
        ] {
            assert_eq!(
                loose.is_news(path, mode),
                news,
                "{} {mode:o}",
                path.display()
            );
        }
    }
}
