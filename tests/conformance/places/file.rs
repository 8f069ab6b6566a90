//! Directories with a file per field, swapped as the kubelet swaps them.
use crate::secrets::{Place, conform, quick};
use async_trait::async_trait;
use detectviz_core::{secret::SecretRef, task::Tasks};
use detectviz_secrets::{file::FileConfig, keeper::Keeper};
use std::{
    fs,
    os::unix::fs::symlink,
    path::PathBuf,
    sync::atomic::{AtomicU32, Ordering},
};

struct Files {
    root: PathBuf,
    version: AtomicU32,
    keeper: Keeper,
}

impl Files {
    fn start() -> Self {
        let root = std::env::temp_dir().join(format!("conform-{}", std::process::id()));
        fs::create_dir_all(&root).unwrap();
        let config = FileConfig::default().root(&root);
        let tasks = Tasks::new();
        Self {
            keeper: Keeper::new(config.build(&tasks), quick(), &tasks),
            version: AtomicU32::new(0),
            root,
        }
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.root);
    }
}

#[async_trait]
impl Place for Files {
    fn keeper(&self) -> &Keeper {
        &self.keeper
    }

    fn reference(&self, name: &str, field: Option<&str>) -> SecretRef {
        let field = field.map_or(String::new(), |field| format!("#{field}"));
        format!("${{secret:file:{name}{field}}}").parse().unwrap()
    }

    async fn put(&self, name: &str, fields: &[(&str, &str)]) -> bool {
        let version = self.version.fetch_add(1, Ordering::Relaxed);
        let volume = self.root.join(name);
        let versioned = volume.join(format!("..{version}"));
        fs::create_dir_all(&versioned).unwrap();
        for (field, value) in fields {
            fs::write(versioned.join(field), value).unwrap();
            let _ = symlink(format!("..data/{field}"), volume.join(field));
        }
        let (next, data) = (volume.join("..data_tmp"), volume.join("..data"));
        let before = fs::canonicalize(&data);
        symlink(&versioned, &next).unwrap();
        fs::rename(&next, &data).unwrap();
        if let Ok(before) = before {
            fs::remove_dir_all(before).unwrap();
        }
        true
    }

    async fn delete(&self, name: &str) -> bool {
        fs::remove_dir_all(self.root.join(name)).unwrap();
        true
    }
}

#[tokio::test]
async fn files_conform() {
    conform(&Files::start()).await;
}
