//! What is the password: the stores that secrets are kept in, behind
//! [`SecretsProvider`](detectviz_core::secret::SecretsProvider).
//!
//! | module | holds |
//! |---|---|
//! | [`store`] | what a store is asked: the contract of the modules below, and of a store of your own |
//! | [`keeper`] | what stands before every store: cache, leases, renewal, rotation |
//! | [`mod@env`], [`mod@file`] | `${secret:env:…}`, `${secret:file:…}` |
#![cfg_attr(
    feature = "vault",
    doc = "| [`vault`] | `${secret:vault:…}`: HashiCorp Vault and OpenBao |"
)]
#![cfg_attr(
    feature = "kubernetes",
    doc = "| [`kubernetes`] | `${secret:k8s:…}`: Secret objects through the API |"
)]
#![cfg_attr(
    feature = "aws",
    doc = "| [`aws`] | `${secret:aws:…}`: AWS Secrets Manager |"
)]
#![cfg_attr(
    feature = "gcp",
    doc = "| [`gcp`] | `${secret:gcp:…}`: Google Secret Manager |"
)]
#![cfg_attr(
    feature = "azure",
    doc = "| [`azure`] | `${secret:azure:…}`: Azure Key Vault |"
)]
//! | [`composite`] | one provider for several stores, by the scheme of the reference |
//!
//! A service gives [`SecretsConfig`] to its builder and has all of them, as its configuration says. Each stands alone too:
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")] async fn main() {
//! use detectviz_core::{secret::SecretsProvider, task::Tasks};
//! use detectviz_secrets::{
//!     env::EnvStore,
//!     keeper::{CacheConfig, Keeper},
//! };
//!
//! let store = EnvStore::new([("DB_PASSWORD", "hunter2")]);
//! let provider = Keeper::new(store, CacheConfig::default(), &Tasks::new());
//! let reference = "${secret:env:DB_PASSWORD}".parse().expect("a valid reference");
//! let bundle = provider.get(&reference).await.expect("it is set");
//! assert_eq!(bundle.value(&reference).expect("it has one value").expose(), b"hunter2");
//! # }
//! ```
//!
//! # Features
//! - `vault`, `kubernetes`, `aws`, `gcp`, `azure`: one store each, all off by default, since each brings a client of its own.
//!   Without its feature, no crate of it is compiled.
pub mod names;
mod schedule;
#[cfg(feature = "_remote")]
mod wiped;
#[cfg(feature = "_remote")]
mod source;
pub mod store;
pub mod keeper;
mod payload;
pub mod env;
pub mod file;
#[cfg(feature = "vault")]
pub mod vault;
#[cfg(feature = "kubernetes")]
pub mod kubernetes;
#[cfg(any(feature = "aws", feature = "gcp", feature = "azure"))]
mod cloud;
#[cfg(feature = "aws")]
pub mod aws;
#[cfg(feature = "gcp")]
pub mod gcp;
#[cfg(feature = "azure")]
pub mod azure;
pub mod composite;
mod config;
mod component;
mod build;

pub use config::SecretsConfig;
