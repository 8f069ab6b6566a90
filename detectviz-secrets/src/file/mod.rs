//! Secrets in files: `${secret:file:/run/secrets/db}`.
//!
//! A path may lead to
//! - a file with one value, whose last line break is taken off: `${secret:file:/run/secrets/token}`;
//! - a directory with one file per field, as Kubernetes mounts a Secret: `${secret:file:/run/secrets/db#password}`. All
//!   fields are read through one look at the `..data` link, so that a user and a password of different versions never meet;
//! - a `.json` file that holds an object of strings, or a `.env` file of `NAME=value` lines, with a field.
//!
//! Watched secrets are read again every [`FileConfig::poll_interval`]. A file that is missing or cannot be understood after
//! a good read keeps the last good value for those who watch; the failure is logged.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")] async fn main() {
//! use detectviz_core::{secret::SecretsProvider, task::Tasks};
//! use detectviz_secrets::file::FileConfig;
//!
//! let dir = std::env::temp_dir().join(format!("detectviz-doc-{}", std::process::id()));
//! std::fs::create_dir_all(&dir).expect("a temporary directory");
//! std::fs::write(dir.join("token"), "hunter2\n").expect("it is writable");
//!
//! let provider = FileConfig::default().root(&dir).build(&Tasks::new());
//! let reference = "${secret:file:token}".parse().expect("a valid reference");
//! let bundle = provider.get(&reference).await.expect("the file is there");
//! assert_eq!(bundle.value(&reference).expect("it has one value").expose(), b"hunter2");
//! # std::fs::remove_dir_all(&dir).expect("it is ours");
//! # }
//! ```
mod config;
mod provider;
mod source;
mod state;
#[cfg(test)]
mod tests;

pub use self::{config::FileConfig, provider::FileProvider};
