//! What a user may set about TLS.
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{path::PathBuf, time::Duration};

/// Settings of TLS.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct TlsConfig {
    /// Whether clients must speak TLS (1.2 or 1.3).
    pub enabled: bool,
    /// The file with the certificate chain in PEM, the server's own first.
    pub cert: PathBuf,
    /// The file with the private key in PEM.
    pub key: PathBuf,
    /// The file with the certificates in PEM that client certificates must be signed by; without it none is asked for.
    pub client_ca: Option<PathBuf>,
    /// How long a handshake may take.
    #[serde(with = "detectviz_core::config::duration")]
    #[schemars(with = "detectviz_core::config::DurationText")]
    pub handshake_timeout: Duration,
    /// How often the files are looked at for a change. A change that cannot be used leaves the last good one in place.
    #[serde(with = "detectviz_core::config::duration")]
    #[schemars(with = "detectviz_core::config::DurationText")]
    pub reload: Duration,
}

// === impl TlsConfig ===

impl TlsConfig {
    /// What is wrong: the key, what about it, and what to write instead.
    pub(in crate::server) fn problems(&self) -> Vec<(&'static str, String, String)> {
        let mut problems = Vec::new();
        if !self.enabled {
            return problems;
        }
        for (key, path) in [("tls.cert", &self.cert), ("tls.key", &self.key)] {
            if path.as_os_str().is_empty() {
                problems.push((
                    key,
                    "is missing while tls.enabled is true".to_owned(),
                    "write the path of the PEM file".to_owned(),
                ));
            }
        }
        for (key, value) in [
            ("tls.handshake_timeout", self.handshake_timeout),
            ("tls.reload", self.reload),
        ] {
            if value.is_zero() {
                problems.push((
                    key,
                    "is zero".to_owned(),
                    "write a longer time, such as `5s`".to_owned(),
                ));
            }
        }
        problems
    }
}

impl Default for TlsConfig {
    fn default() -> Self {
        Self {
            enabled: false,
            cert: PathBuf::new(),
            key: PathBuf::new(),
            client_ca: None,
            handshake_timeout: Duration::from_secs(10),
            reload: Duration::from_secs(5),
        }
    }
}
