//! Secrets in files: `${secret:file:/run/secrets/db}`.
//!
//! A path may lead to
//! - a file with one value, whose last line break is taken off: `${secret:file:/run/secrets/token}`;
//! - a directory with one file per field, as Kubernetes, the CSI driver and the agent of Vault mount a secret:
//!   `${secret:file:/run/secrets/db#password}`. All fields are read through one look at the `..data` link, so that a user
//!   and a password of different versions never meet. Two references to files in the directory are two secrets, which are
//!   not read at the same time;
//! - a file with several fields, told by its name: a `.json` object, a `.yaml` or `.yml` map of scalars, or `.env` lines of
//!   `NAME=value`. `?format=json` (or `yaml`, `dotenv`, `value`) behind the path says what the name does not tell:
//!   `${secret:file:/run/secrets/db/config?format=json#password}`.
//!
//! A watched secret is read again every [`FileConfig::poll_interval`]. A file whose permissions are looser than 0640 (others
//! may read, or the group may write) is read, and warned about once, and again when they change; judged is the file itself,
//! not the links that lead to it.
//!
//! # What is refused
//! Pipes, sockets and devices, without waiting for them; files above [`FileConfig::max_size`]; a byte order mark before a
//! single value (before JSON, YAML and dotenv it is skipped); in YAML whatever is no map of scalars, a second document,
//! anchors, aliases, tags, and text over several lines but for a block behind `|`; the same key twice in YAML and dotenv.
//! Errors name the path, the line and the remedy, never the content.
//!
//! # Dotenv
//! A line is empty, a comment behind `#`, or `NAME=value`, with or without `export`. Without quotes a value is as it is
//! written, up to ` #`. Between single quotes it is as it is written. Between double quotes `\n`, `\r`, `\t`, `\\`, `\"`,
//! `\$` and ``\` `` are escapes, and every other is refused. A value ends on its line. Variables (`$NAME`) are not replaced.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")] async fn main() {
//! use detectviz_core::task::Tasks;
//! use detectviz_secrets::{file::{FileConfig, FileStore}, store::Store};
//!
//! let dir = std::env::temp_dir().join(format!("detectviz-doc-{}", std::process::id()));
//! std::fs::create_dir_all(&dir).expect("a temporary directory");
//! std::fs::write(dir.join("token"), "hunter2\n").expect("it is writable");
//!
//! let store = FileStore::new(FileConfig::default().root(&dir), &Tasks::new());
//! let reference = "${secret:file:token}".parse().expect("a valid reference");
//! let fetched = store.fetch(&reference).await.expect("the file is there");
//! assert_eq!(fetched.fields["value"].expose(), b"hunter2");
//! # std::fs::remove_dir_all(&dir).expect("it is ours");
//! # }
//! ```
mod config;
mod dotenv;
mod error;
mod form;
mod permissions;
mod place;
mod reader;
mod source;
mod store;
#[cfg(test)]
mod tests;
mod yaml;

pub use self::{config::FileConfig, store::FileStore};
