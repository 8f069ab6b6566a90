//! TLS for the server: certificates that are read again when their files change.
mod acceptor;
mod config;
mod source;

pub(super) use self::acceptor::{Acceptor, watch};
pub use self::config::TlsConfig;
