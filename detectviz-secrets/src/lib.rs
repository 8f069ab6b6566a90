//! What is the password: the stores that secrets are kept in, behind
//! [`SecretsProvider`](detectviz_core::secret::SecretsProvider).
//!
//! Each provider stands alone. [`SchemeProvider`](scheme::SchemeProvider) joins several behind one, by the scheme of the
//! reference: `${secret:env:…}`, `${secret:file:…}`.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")] async fn main() {
//! use detectviz_core::secret::SecretsProvider;
//! use detectviz_secrets::env::EnvProvider;
//!
//! let provider = EnvProvider::new([("DB_PASSWORD", "hunter2")]);
//! let reference = "${secret:env:DB_PASSWORD}".parse().expect("a valid reference");
//! let bundle = provider.get(&reference).await.expect("it is set");
//! assert_eq!(bundle.value(&reference).expect("it has one value").expose(), b"hunter2");
//! # }
//! ```
pub mod store;
mod payload;
mod flight;
pub mod env;
pub mod file;
#[cfg(any(feature = "aws", feature = "gcp", feature = "azure"))]
mod cloud;
#[cfg(feature = "aws")]
pub mod aws;
#[cfg(feature = "gcp")]
pub mod gcp;
#[cfg(feature = "azure")]
pub mod azure;
pub mod scheme;
mod config;

pub use config::SecretsConfig;
