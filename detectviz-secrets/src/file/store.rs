//! The store.
use super::{FileConfig, reader::Reader};
use crate::store::{Fetched, Store};
use async_trait::async_trait;
use detectviz_core::{
    secret::{SecretError, SecretErrorKind, SecretRef},
    task::Tasks,
};
use std::sync::Arc;

/// Secrets in files. What it answers is good for one [`FileConfig::poll_interval`].
#[derive(Debug)]
pub struct FileStore {
    reader: Arc<Reader>,
    tasks: Tasks,
}

impl FileStore {
    /// Reads as `config` says, on the threads for blocking work of `tasks`.
    #[must_use]
    pub fn new(config: FileConfig, tasks: &Tasks) -> Self {
        Self {
            reader: Arc::new(Reader::new(config)),
            tasks: tasks.clone(),
        }
    }
}

#[async_trait]
impl Store for FileStore {
    fn name(&self) -> &'static str {
        "file"
    }

    async fn fetch(&self, reference: &SecretRef) -> Result<Fetched, SecretError> {
        let (reader, wanted) = (Arc::clone(&self.reader), reference.clone());
        let read = self
            .tasks
            .spawn_blocking("secret file", move || reader.read(&wanted));
        read.await.unwrap_or_else(|err| {
            let remedy = "try again: the read was cut short";
            let err =
                SecretError::new(SecretErrorKind::Unavailable, reference, remedy).with_source(err);
            Err(err)
        })
    }
}
