//! The contract of whoever keeps secrets.
use super::{SecretBundle, SecretError, SecretRef, SecretWatch};
use async_trait::async_trait;

/// A store of secrets.
///
/// References that differ only in `#field` are the same secret. Implementations are shared by the whole service, so
/// they coalesce: concurrent calls for one reference ask the store once.
///
/// # Cancel safety
/// Every future may be dropped; a fetch that others wait for goes on.
#[async_trait]
pub trait SecretsProvider: Send + Sync + 'static {
    /// A name for logs, metrics and health checks, such as `file`.
    fn name(&self) -> &str;

    /// The bundle that `reference` points into; from a cache where the provider has one.
    ///
    /// # Errors
    /// [`SecretError`], whose kind says whether to try again.
    async fn get(&self, reference: &SecretRef) -> Result<SecretBundle, SecretError>;

    /// Asks the store again, for a driver whose login was refused. Single-flight and rate-limited: within a second of the
    /// last answer for the same reference, that answer comes back.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    async fn refresh(&self, reference: &SecretRef) -> Result<SecretBundle, SecretError>;

    /// Follows the secret from now on.
    ///
    /// # Errors
    /// As [`get`](Self::get), when there is no first value.
    async fn watch(&self, reference: &SecretRef) -> Result<SecretWatch, SecretError>;
}
