//! What a store of secrets is asked, without cache, leases or rotation: those are the [`Keeper`](crate::keeper::Keeper)'s.
//!
//! A store translates: a reference into a call of its API, the answer into fields, and everything that can go wrong into the
//! kinds of [`SecretErrorKind`]. Whoever keeps secrets in a place of their own
//! writes a [`Store`] and has all else from the keeper.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")] async fn main() {
//! use detectviz_core::{
//!     secret::{Secret, SecretError, SecretRef, SecretsProvider},
//!     task::Tasks,
//! };
//! use detectviz_secrets::{
//!     keeper::{CacheConfig, Keeper},
//!     store::{Fetched, Store},
//! };
//!
//! struct Constant;
//!
//! #[async_trait::async_trait]
//! impl Store for Constant {
//!     fn name(&self) -> &'static str {
//!         "constant"
//!     }
//!
//!     async fn fetch(&self, _: &SecretRef) -> Result<Fetched, SecretError> {
//!         Ok(Fetched::single(Secret::from("hunter2")))
//!     }
//! }
//!
//! let tasks = Tasks::new();
//! let keeper = Keeper::new(Constant, CacheConfig::default(), &tasks);
//! let reference = "${secret:constant:any}".parse().expect("a valid reference");
//! let watch = keeper.watch(&reference).await.expect("it is always there");
//! assert_eq!(watch.latest().value(&reference).expect("it has one value").expose(), b"hunter2");
//! # }
//! ```
mod events;
mod fetched;

pub use self::{
    events::{StoreEvent, StoreEvents},
    fetched::{Fetched, Fields, Grant, Life, Renewed},
};

use async_trait::async_trait;
use detectviz_core::{
    error::BoxError,
    secret::{SecretError, SecretErrorKind, SecretRef},
};

/// A store of secrets, as the [`Keeper`](crate::keeper::Keeper) asks it.
///
/// The keeper bounds every call by its timeout, makes one call at a time for one reference, and keeps what was answered: an
/// implementation neither caches nor retries, except to log in again.
///
/// # Cancel safety
/// Every future may be dropped. A call that grants a lease is then lost with the lease, which ends by itself.
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// A name for logs, metrics and health checks, such as `vault`; usually the scheme.
    fn name(&self) -> &'static str;

    /// Asks for the secret behind `reference`, which has no field.
    ///
    /// # Errors
    /// [`SecretError`]: `Unavailable` where asking again may help, `NotFound`, `Denied`, `Malformed` and `Empty` where the
    /// store gave an answer. It names the reference and what to change, and never the value.
    async fn fetch(&self, reference: &SecretRef) -> Result<Fetched, SecretError>;

    /// Prolongs the lease of a secret that was fetched.
    ///
    /// # Errors
    /// `Unavailable` where asking again may help; with any other kind the lease counts as lost, and the secret is fetched
    /// anew.
    async fn renew(&self, reference: &SecretRef, grant: &Grant) -> Result<Renewed, SecretError> {
        let _ = grant;
        let remedy = "fetch it anew: this store prolongs nothing";
        Err(SecretError::new(SecretErrorKind::Denied, reference, remedy))
    }

    /// Gives back a lease that nobody uses any more.
    ///
    /// # Errors
    /// Any: it is logged and counted, and tried again a few times.
    async fn revoke(&self, grant: &Grant) -> Result<(), BoxError> {
        let _ = grant;
        Ok(())
    }

    /// Called once, when a keeper takes the store over. `events` is how the store says that something has changed.
    fn attach(&self, events: StoreEvents) {
        let _ = events;
    }

    /// Whether the store can be asked, for the health check; cheap, and without a secret.
    ///
    /// # Errors
    /// Why it cannot.
    async fn check(&self) -> Result<(), BoxError> {
        Ok(())
    }

    /// Called once, at the very end: logs out. The keeper has revoked what it could.
    async fn close(&self) {}
}
