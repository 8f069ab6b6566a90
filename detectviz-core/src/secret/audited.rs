//! Who asked for which secret.
use super::{SecretBundle, SecretError, SecretRef, SecretWatch, SecretsProvider};
use async_trait::async_trait;
use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

/// A provider as one asker sees it: the first time that it is given a version of a secret, and each time that it is
/// refused one, is an event with the target `secret.audit`. The value never is.
pub struct AuditedProvider {
    asker: String,
    inner: Arc<dyn SecretsProvider>,
    given: Mutex<HashMap<SecretRef, u64>>,
}

// === impl AuditedProvider ===

impl AuditedProvider {
    /// Lets `asker`, for example the name of a component, ask `inner`.
    #[must_use]
    pub fn new(asker: impl Into<String>, inner: Arc<dyn SecretsProvider>) -> Self {
        Self {
            asker: asker.into(),
            inner,
            given: Mutex::default(),
        }
    }

    fn note(
        &self,
        asked: &'static str,
        reference: &SecretRef,
        answer: Result<&SecretBundle, &SecretError>,
    ) {
        let bundle = match answer {
            Ok(bundle) => bundle,
            Err(err) => {
                tracing::warn!(
                    target: "secret.audit",
                    asker = self.asker,
                    asked,
                    reference = %err.reference(),
                    error = %err,
                    "a secret was not given out"
                );
                return;
            }
        };
        let version = bundle.version();
        let mut given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        let before = given.insert(reference.clone(), version.sequence);
        drop(given);
        if before != Some(version.sequence) {
            tracing::info!(
                target: "secret.audit",
                asker = self.asker,
                asked,
                reference = %reference,
                version = version.sequence,
                label = version.label,
                lease = bundle.lease().map(|lease| lease.id()),
                "a secret was given out"
            );
        }
    }
}

#[async_trait]
impl SecretsProvider for AuditedProvider {
    fn name(&self) -> &str {
        self.inner.name()
    }

    async fn get(&self, reference: &SecretRef) -> Result<SecretBundle, SecretError> {
        let answer = self.inner.get(reference).await;
        self.note("get", reference, answer.as_ref());
        answer
    }

    async fn refresh(&self, reference: &SecretRef) -> Result<SecretBundle, SecretError> {
        let answer = self.inner.refresh(reference).await;
        self.note("refresh", reference, answer.as_ref());
        answer
    }

    async fn watch(&self, reference: &SecretRef) -> Result<SecretWatch, SecretError> {
        let answer = self.inner.watch(reference).await;
        let latest = answer.as_ref().map(SecretWatch::latest);
        self.note("watch", reference, latest.as_ref().map_err(|err| *err));
        answer
    }
}

impl fmt::Debug for AuditedProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuditedProvider")
            .field("asker", &self.asker)
            .field("provider", &self.inner.name())
            .finish_non_exhaustive()
    }
}
