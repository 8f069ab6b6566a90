//! A directory that stands for `/`.
use std::{
    env, fs,
    path::{Path, PathBuf},
    process,
};

/// A directory that is removed when the test ends.
pub(in crate::telemetry::metrics) struct Root(PathBuf);

impl Root {
    /// A directory of the test `name` that holds these files.
    pub(in crate::telemetry::metrics) fn with(name: &str, files: &[(&str, &str)]) -> Self {
        let name = format!("detectviz-{name}-{}", process::id());
        let root = env::temp_dir().join(name);
        for (path, text) in files {
            let path = root.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        Self(root)
    }

    pub(in crate::telemetry::metrics) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Root {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
