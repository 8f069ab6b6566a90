//! One provider for several stores, chosen by the scheme of the reference.
//!
//! Strict: an unknown scheme is an error, never a literal. A scheme may have others to fall back to, which are asked for the
//! same path and field when the first cannot be asked; each fallback is counted with its reason, and a watch returns to the
//! first as soon as that can be had.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")] async fn main() {
//! use detectviz_core::{secret::SecretsProvider, task::Tasks};
//! use detectviz_secrets::{
//!     composite::CompositeProvider,
//!     env::EnvStore,
//!     keeper::{CacheConfig, Keeper},
//! };
//! use std::sync::Arc;
//!
//! let env = Keeper::new(EnvStore::new([("TOKEN", "hunter2")]), CacheConfig::default(), &Tasks::new());
//! let provider = CompositeProvider::new().with("env", Arc::new(env));
//! assert!(provider.get(&"${secret:env:TOKEN}".parse().expect("valid")).await.is_ok());
//! let err = provider.get(&"${secret:vault:TOKEN}".parse().expect("valid")).await.expect_err("no such scheme");
//! assert!(err.to_string().ends_with("this service serves: env"));
//! # }
//! ```
mod config;
mod fallback;
mod provider;
#[cfg(test)]
mod tests;

pub(crate) use self::fallback::FALLBACKS;
pub use self::{
    config::{FallbackConfig, FallbackReason},
    fallback::FallbackProvider,
    provider::CompositeProvider,
};
