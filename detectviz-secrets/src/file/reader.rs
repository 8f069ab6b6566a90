//! From a reference to the fields of its secret. Blocks while it reads.
use super::{
    FileConfig,
    error::{self, broken},
    form::{self, Form},
    permissions::Loose,
    place::Place,
    source::{self, Content, Found},
};
use crate::store::{Fetched, Fields, Life};
use detectviz_core::secret::{Secret, SecretError, SecretErrorKind, SecretRef};
use std::{
    path::Path,
    sync::{Mutex, PoisonError},
};

/// Reads what `config` allows.
#[derive(Debug)]
pub(super) struct Reader {
    config: FileConfig,
    loose: Mutex<Loose>,
}

impl Reader {
    pub(super) fn new(config: FileConfig) -> Self {
        Self {
            config,
            loose: Mutex::default(),
        }
    }

    /// Reads the secret as it is now.
    pub(super) fn read(&self, reference: &SecretRef) -> Result<Fetched, SecretError> {
        let place = Place::of(reference)?;
        let path = self.config.root.join(place.path);
        let max_size = self.config.max_size;
        let found = source::read(&path, max_size.0)
            .map_err(|err| error::unreadable(reference, err, max_size))?;
        let (fields, label) = match found {
            Found::File(content) => {
                self.judge(&path, &content);
                let form = place.form.unwrap_or_else(|| Form::of(place.path));
                let fields = form::fields(form, &content.bytes);
                (fields.map_err(|what| broken(reference, &path, what))?, None)
            }
            Found::Directory { .. } if place.form.is_some() => {
                let what = "leave `format` out, or name a file in it: it is a directory".to_owned();
                return Err(broken(reference, &path, what));
            }
            Found::Directory { files, version } => {
                (self.directory(reference, &path, files)?, version)
            }
        };
        if fields.values().all(Secret::is_empty) {
            let remedy = match fields.len() {
                0 => format!("write a secret to {}: it holds none", path.display()),
                _ => format!("write a value to {}", path.display()),
            };
            return Err(SecretError::new(SecretErrorKind::Empty, reference, remedy));
        }
        let fetched = Fetched::new(fields).life(Life::Polled(self.config.poll_interval));
        Ok(match label {
            Some(label) => fetched.label(label),
            None => fetched,
        })
    }

    fn directory(
        &self,
        reference: &SecretRef,
        path: &Path,
        files: Vec<(String, Content)>,
    ) -> Result<Fields, SecretError> {
        let field = |(name, content): (String, Content)| {
            let path = path.join(&name);
            self.judge(&path, &content);
            let value = form::value(&content.bytes);
            Ok((name, value.map_err(|what| broken(reference, &path, what))?))
        };
        files.into_iter().map(field).collect()
    }

    fn judge(&self, path: &Path, content: &Content) {
        let mut loose = self.loose.lock().unwrap_or_else(PoisonError::into_inner);
        if loose.is_news(path, content.mode) {
            drop(loose);
            tracing::warn!(
                path = %path.display(),
                mode = format!("{:04o}", content.mode),
                "others may read or replace a secret file: take their permissions away (`chmod 0640`), or mount the volume \
                 with `defaultMode: 0440` and a `securityContext.fsGroup`"
            );
        }
    }
}
