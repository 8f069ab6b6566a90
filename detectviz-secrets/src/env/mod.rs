//! Secrets in environment variables: `${secret:env:NAME}`.
//!
//! A variable is one secret with one value, whose bytes need not be UTF-8. The environment is taken when the store is made
//! and never rotates: a watch yields what there was at the start and nothing after it.
//!
//! Prefer a mounted file in production. Anything that can read `/proc/<pid>/environ` can read the environment, child
//! processes inherit it, and the block in which the kernel handed it over stays in memory as long as the process lives.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")] async fn main() {
//! use detectviz_secrets::{env::EnvStore, store::Store};
//!
//! let store = EnvStore::new([("DB_PASSWORD", "hunter2")]);
//! let reference = "${secret:env:DB_PASSWORD}".parse().expect("a valid reference");
//! let fetched = store.fetch(&reference).await.expect("it is set");
//! assert_eq!(fetched.fields["value"].expose(), b"hunter2");
//! # }
//! ```
mod source;
mod store;

pub use self::{source::process_environment, store::EnvStore};
