//! Secrets: the value that never shows itself, the reference to it, and the contract of whoever keeps it.
//!
//! Configuration holds [`SecretRef`]s, never values. A component is given a [`SecretsProvider`] and asks it for the
//! [`SecretBundle`] behind a reference, so that what rotates can reach it.
//!
//! ```
//! use detectviz_core::secret::{Secret, SecretRef};
//!
//! let reference: SecretRef = "${secret:file:/run/secrets/db#password}".parse().expect("a valid reference");
//! assert_eq!((reference.scheme(), reference.path(), reference.field()), ("file", "/run/secrets/db", Some("password")));
//!
//! let secret = Secret::from("hunter2");
//! assert_eq!(format!("{secret:?}"), "Secret([redacted])");
//! assert_eq!(secret.expose(), b"hunter2");
//! ```
mod audited;
mod bundle;
mod error;
mod lease;
mod provider;
mod reference;
mod startup;
#[cfg(test)]
mod tests;
mod value;
mod watch;

pub use self::{
    audited::AuditedProvider,
    bundle::{SecretBundle, SecretVersion},
    error::{SecretError, SecretErrorKind},
    lease::Lease,
    provider::SecretsProvider,
    reference::{InvalidSecretRef, SecretRef},
    startup::fetch_all,
    value::Secret,
    watch::{SecretPublisher, SecretWatch},
};
