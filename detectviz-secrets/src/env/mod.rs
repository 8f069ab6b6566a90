//! Secrets in environment variables: `${secret:env:NAME}`.
//!
//! The environment of a process does not change, so that a watch never yields. Anything that can read
//! `/proc/<pid>/environ` can read them: prefer a mounted file in production.
mod provider;
mod source;

pub use self::{provider::EnvProvider, source::process_environment};
