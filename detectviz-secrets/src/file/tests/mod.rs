//! Files as they are found on real file systems.
mod differential;
mod forms;
mod outcomes;
mod volume;
mod watched;

use super::{FileConfig, FileStore};
use crate::store::{Fetched, Store};
use detectviz_core::{
    config::ByteSize,
    secret::{SecretError, SecretErrorKind, SecretRef},
    task::Tasks,
};
use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

/// A directory of its own for one test, removed at its end.
struct Dir(PathBuf);

impl Dir {
    fn new() -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let n = NEXT.fetch_add(1, Ordering::Relaxed);
        let path =
            std::env::temp_dir().join(format!("detectviz-secrets-{}-{n}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        fs::write(self.0.join(name), bytes).unwrap();
    }

    fn config(&self) -> FileConfig {
        let config = FileConfig::default().root(&self.0);
        config
            .poll_interval(Duration::from_millis(5))
            .max_size(ByteSize(4096))
    }

    async fn fetch(&self, path: &str) -> Result<Fetched, SecretError> {
        let store = FileStore::new(self.config(), &Tasks::new());
        store.fetch(&reference(path)).await
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn reference(path: &str) -> SecretRef {
    format!("${{secret:file:{path}}}").parse().unwrap()
}

/// The fields as text.
fn shown(fetched: &Fetched) -> Vec<(&str, &str)> {
    let fields = fetched.fields.iter();
    fields
        .map(|(name, value)| (name.as_str(), value.expose_str().unwrap()))
        .collect()
}

/// Puts a new version of a two-key secret in place as the kubelet does.
fn swap(dir: &Path, version: usize) {
    let name = format!("..v{version}");
    let data = dir.join(&name);
    fs::create_dir(&data).unwrap();
    for key in ["user", "password"] {
        fs::write(data.join(key), format!("{version}")).unwrap();
    }
    symlink(&name, dir.join("..data_tmp")).unwrap();
    fs::rename(dir.join("..data_tmp"), dir.join("..data")).unwrap();
    if version > 0 {
        let _ = fs::remove_dir_all(dir.join(format!("..v{}", version - 1)));
    }
}

/// A volume as the kubelet mounts it.
fn volume() -> Dir {
    let dir = Dir::new();
    swap(&dir.0, 0);
    for key in ["user", "password"] {
        symlink(format!("..data/{key}"), dir.0.join(key)).unwrap();
    }
    dir
}
