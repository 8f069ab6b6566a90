//! What the stores of clouds share: one exchange over HTTP, a login that is kept while it lasts, and references with parameters.
//!
//! Nothing here reads the environment: no proxy, no certificate directory and no profile but what the configuration names.
mod address;
mod failure;
mod form;
mod refusal;
mod session;
mod source;
mod state;
#[cfg(test)]
mod tests;
mod wire;

#[cfg(any(feature = "aws", feature = "azure"))]
pub(crate) use self::address::check_reference;
#[cfg(feature = "gcp")]
pub(crate) use self::address::is_private;
#[cfg(feature = "azure")]
pub(crate) use self::form::encoded;
#[cfg(any(feature = "gcp", feature = "azure"))]
pub(crate) use self::form::{JSON, bearer};
pub(crate) use self::{
    address::{check_https, check_metadata, check_timeout},
    failure::Failure,
    form::post_form,
    refusal::Refusal,
    session::{Login, Session},
    source::read_file,
    state::parameters,
    wire::{Answer, Wire, WireError},
};

use std::{path::PathBuf, time::Duration};

/// The authorities that Debian, Ubuntu, Alpine and distroless images trust.
pub(crate) const CA_FILE: &str = "/etc/ssl/certs/ca-certificates.crt";

/// For how long one exchange with a cloud may take. A login and a read together stay below the 10 s that a start-up probe of
/// Kubernetes usually grants.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(4);

/// Where the authorities are, as a default.
pub(crate) fn ca_file() -> PathBuf {
    PathBuf::from(CA_FILE)
}
