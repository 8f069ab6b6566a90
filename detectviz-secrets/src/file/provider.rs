//! The provider.
use super::{
    FileConfig,
    source::{self, Found},
    state::{self, Form},
};
use crate::flight::{Fields, Flight, Flights};
use async_trait::async_trait;
use detectviz_core::{
    secret::{
        Secret, SecretBundle, SecretError, SecretErrorKind, SecretRef, SecretWatch, SecretsProvider,
    },
    task::Tasks,
};
use std::{
    collections::HashSet,
    io,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

/// Reads secrets from files and follows them.
///
/// # Clone
/// Clones share what was read and the polling.
#[derive(Clone, Debug)]
pub struct FileProvider {
    shared: Arc<Shared>,
    tasks: Tasks,
}

#[derive(Debug)]
struct Shared {
    config: FileConfig,
    flights: Flights,
    polled: Mutex<HashSet<SecretRef>>,
}

// === impl FileProvider ===

impl FileProvider {
    /// Reads as `config` says; the polling of watched secrets runs on `tasks`.
    #[must_use]
    pub fn new(config: FileConfig, tasks: &Tasks) -> Self {
        Self {
            shared: Arc::new(Shared {
                config,
                flights: Flights::default(),
                polled: Mutex::default(),
            }),
            tasks: tasks.clone(),
        }
    }

    async fn ask(&self, reference: &SecretRef) -> Result<(Arc<Flight>, SecretBundle), SecretError> {
        let flight = self.shared.flights.of(reference);
        let bundle = flight.ask(|| self.fetch(reference)).await?;
        if reference.field().is_some() {
            bundle.value(reference)?;
        }
        Ok((flight, bundle))
    }

    async fn fetch(&self, reference: &SecretRef) -> Result<Fields, SecretError> {
        let shared = Arc::clone(&self.shared);
        let wanted = reference.bundle();
        let read = self
            .tasks
            .spawn_blocking("secret file", move || shared.read(&wanted));
        read.await.unwrap_or_else(|err| {
            Err(SecretError::new(
                SecretErrorKind::Unavailable,
                reference,
                "try again: the read was cut short",
            )
            .with_source(err))
        })
    }

    /// Reads the secret again and again while somebody follows it.
    fn poll(&self, reference: SecretRef, flight: Arc<Flight>) {
        if !self.shared.polled().insert(reference.clone()) {
            return;
        }
        let this = self.clone();
        let stopping = self.tasks.token();
        self.tasks.spawn("secret file watch", async move {
            let mut failing = false;
            let mut ticks = tokio::time::interval(this.shared.config.poll_interval);
            ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            while flight.is_watched() {
                tokio::select! {
                    () = stopping.cancelled() => break,
                    _ = ticks.tick() => {}
                }
                let failed = flight.ask_again(|| this.fetch(&reference)).await.err();
                if let Some(err) = failed.as_ref().filter(|_| !failing) {
                    tracing::warn!(error = %err, "the last good value of a secret is kept");
                }
                failing = failed.is_some();
            }
            this.shared.polled().remove(&reference);
        });
    }
}

#[async_trait]
impl SecretsProvider for FileProvider {
    fn name(&self) -> &str {
        "file"
    }

    async fn get(&self, reference: &SecretRef) -> Result<SecretBundle, SecretError> {
        Ok(self.ask(reference).await?.1)
    }

    async fn refresh(&self, reference: &SecretRef) -> Result<SecretBundle, SecretError> {
        self.get(reference).await
    }

    async fn watch(&self, reference: &SecretRef) -> Result<SecretWatch, SecretError> {
        let (flight, bundle) = self.ask(reference).await?;
        let watch = flight.watch(bundle);
        self.poll(reference.bundle(), flight);
        Ok(watch)
    }
}

// === impl Shared ===

impl Shared {
    fn read(&self, reference: &SecretRef) -> Result<Fields, SecretError> {
        let path = self.config.root.join(reference.path());
        let found = source::read(&path, self.config.max_size.0)
            .map_err(|err| unreadable(reference, &path, err))?;
        let malformed = |remedy| SecretError::new(SecretErrorKind::Malformed, reference, remedy);
        match found {
            Found::File(bytes) => {
                let fields =
                    state::fields(Form::of(reference.path()), &bytes).map_err(malformed)?;
                if fields.values().all(Secret::is_empty) {
                    let remedy = format!("write a value to {}", path.display());
                    return Err(SecretError::new(SecretErrorKind::Empty, reference, remedy));
                }
                Ok(fields)
            }
            Found::Directory(files) if files.is_empty() => Err(SecretError::new(
                SecretErrorKind::Empty,
                reference,
                format!(
                    "mount a secret at {}: the directory holds no file",
                    path.display()
                ),
            )),
            Found::Directory(files) => Ok(files
                .into_iter()
                .map(|(name, bytes)| (name, state::value(&bytes)))
                .collect()),
        }
    }

    fn polled(&self) -> std::sync::MutexGuard<'_, HashSet<SecretRef>> {
        self.polled.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn unreadable(reference: &SecretRef, path: &Path, err: io::Error) -> SecretError {
    let path = path.display();
    let (kind, remedy) = match err.kind() {
        io::ErrorKind::NotFound => (
            SecretErrorKind::NotFound,
            format!("mount the secret at {path}, or correct the path"),
        ),
        io::ErrorKind::PermissionDenied => (
            SecretErrorKind::Denied,
            format!("let the user of this process read {path}"),
        ),
        _ => (
            SecretErrorKind::Unavailable,
            format!("make {path} readable"),
        ),
    };
    SecretError::new(kind, reference, remedy).with_source(err)
}
