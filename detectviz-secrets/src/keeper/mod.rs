//! What stands between a service and a [`Store`](crate::store::Store): cache, leases and rotation.
//!
//! A [`Keeper`] is a [`SecretsProvider`](detectviz_core::secret::SecretsProvider). It asks its store once for many who ask
//! at the same time, keeps what was answered, fetches it anew before it is old, renews leases, replaces those that cannot be
//! renewed any longer, publishes what has changed to whoever watches it, and gives back a lease when the last holder of its
//! bundle has let go.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")] async fn main() {
//! use detectviz_core::{secret::SecretsProvider, task::Tasks};
//! use detectviz_secrets::{
//!     env::EnvStore,
//!     keeper::{CacheConfig, Keeper},
//! };
//!
//! let store = EnvStore::new([("TOKEN", "hunter2")]);
//! let keeper = Keeper::new(store, CacheConfig::default(), &Tasks::new());
//! let reference = "${secret:env:TOKEN}".parse().expect("a valid reference");
//! let watch = keeper.watch(&reference).await.expect("it is set");
//! // On the request path: no lock, no allocation.
//! let bundle = watch.latest();
//! assert_eq!(bundle.value(&reference).expect("it has one value").expose(), b"hunter2");
//! # }
//! ```
//!
//! # When the store fails
//! What was had before is served on, up to [`CacheConfig::stale`]; a lease never past its end. The store is asked again with
//! growing pauses, the health check fails and says for which references, `detectviz_secrets_gets_total{outcome="stale"}`
//! counts. A secret that was never had is an error at once, and the store is not asked again for it within a second.
//!
//! # Leases
//! A lease is renewed at 70–73 % of its time while anybody watches the secret or holds its bundle, and replaced before the
//! end that no renewal moves. Whoever holds the bundle of a replaced lease has what was left of it, a quarter or more, to
//! finish; the lease is revoked when the last of them drops it.
//!
//! # Cancel safety
//! A call that is dropped loses nothing: what it started goes on for others and for the cache.
mod config;
mod state;
mod recorder;
mod entry;
mod shared;
mod driver;
mod service;
#[cfg(test)]
pub(crate) mod tests;
mod view;

pub use self::{config::CacheConfig, service::Keeper};
