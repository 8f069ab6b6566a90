//! What a user may set.
use super::{AuthConfig, VaultStore};
use detectviz_core::{
    config::{self, DurationText, duration},
    error::BoxError,
    secret::SecretsProvider,
    task::Tasks,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, path::PathBuf, sync::Arc, time::Duration};

/// Settings of [`VaultStore`]. The variables of Vault's own tools (`VAULT_ADDR`, `VAULT_TOKEN` and so on) have no effect.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct VaultConfig {
    /// Whether `${secret:vault:…}` may be used.
    pub enabled: bool,
    /// The nodes of one cluster, such as `https://vault-0.vault:8200`: scheme, host and port. They are tried in order, and the
    /// one that answered is asked first from then on.
    pub addresses: Vec<String>,
    /// The namespace (`X-Vault-Namespace`) that every path and mount is in; empty is the root namespace.
    pub namespace: String,
    /// Whom to trust on `https`, and who we are.
    pub tls: VaultTlsConfig,
    /// The longest that one call to one node may take; with several nodes each has as long. Vault's own client waits 60 s
    /// (`api/client.go`), which is longer than the start of a service may take.
    #[serde(with = "duration")]
    #[schemars(with = "DurationText")]
    pub timeout: Duration,
    /// How to log in.
    pub auth: AuthConfig,
    /// What is mounted where, for a token that may not read `sys/internal/ui/mounts`. What is not listed is asked for, once.
    pub mounts: BTreeMap<String, MountKind>,
}

/// TLS towards Vault: rustls with ring. The files are read again at every login, and when no node could be asked, so that
/// certificates may rotate.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct VaultTlsConfig {
    /// A PEM file of the certificate authorities to trust. Without it `https` is refused.
    pub ca_file: Option<PathBuf>,
    /// A PEM file of the client's certificate and its chain.
    pub cert_file: Option<PathBuf>,
    /// A PEM file of the key that belongs to `cert_file`.
    pub key_file: Option<PathBuf>,
    /// The name in the certificate of the nodes, where it is not the host of their addresses; sent as SNI and as `Host` too.
    pub server_name: Option<String>,
}

/// What is mounted at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum MountKind {
    /// Key and value, version 1.
    KvV1,
    /// Key and value, version 2.
    KvV2,
    /// The database secrets engine.
    Database,
    /// The PKI secrets engine.
    Pki,
    /// Any other: secrets are read at the very path.
    Other,
}

// === impl VaultConfig ===

impl VaultConfig {
    /// Sets whether it may be used.
    #[must_use]
    pub fn enabled(mut self, enabled: bool) -> Self {
        self.enabled = enabled;
        self
    }

    /// Sets the nodes, in the order in which they are tried.
    #[must_use]
    pub fn addresses<T: Into<String>>(mut self, addresses: impl IntoIterator<Item = T>) -> Self {
        self.addresses = addresses.into_iter().map(Into::into).collect();
        self
    }

    /// Sets the namespace.
    #[must_use]
    pub fn namespace(mut self, namespace: impl Into<String>) -> Self {
        self.namespace = namespace.into();
        self
    }

    /// Sets whom to trust and who we are.
    #[must_use]
    pub fn tls(mut self, tls: VaultTlsConfig) -> Self {
        self.tls = tls;
        self
    }

    /// Sets the longest that one call may take.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Sets how to log in.
    #[must_use]
    pub fn auth(mut self, auth: AuthConfig) -> Self {
        self.auth = auth;
        self
    }

    /// Says what is mounted at `path`.
    #[must_use]
    pub fn mount(mut self, path: impl Into<String>, kind: MountKind) -> Self {
        self.mounts.insert(path.into(), kind);
        self
    }

    /// Makes the store. It touches nothing outside the process: the first fetch or check connects.
    ///
    /// `bootstrap` serves the references in [`auth`](Self::auth), which is asked at every login; `tasks` runs the logins and the
    /// renewal of the token.
    ///
    /// # Errors
    /// What [`Section::validate`](config::Section::validate) reports.
    pub fn build(
        self,
        bootstrap: Arc<dyn SecretsProvider>,
        tasks: &Tasks,
    ) -> Result<VaultStore, BoxError> {
        let config = self.enabled(true);
        config::check(&config)?;
        Ok(VaultStore::new(config, bootstrap, tasks))
    }
}

impl Default for VaultConfig {
    fn default() -> Self {
        Self {
            enabled: false,
            addresses: Vec::new(),
            namespace: String::new(),
            tls: VaultTlsConfig::default(),
            timeout: Duration::from_secs(5),
            auth: AuthConfig::default(),
            mounts: BTreeMap::new(),
        }
    }
}

// === impl VaultTlsConfig ===

impl VaultTlsConfig {
    /// Sets the file of authorities to trust.
    #[must_use]
    pub fn ca_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.ca_file = Some(path.into());
        self
    }

    /// Sets the files of the client's certificate and key.
    #[must_use]
    pub fn client(mut self, cert_file: impl Into<PathBuf>, key_file: impl Into<PathBuf>) -> Self {
        self.cert_file = Some(cert_file.into());
        self.key_file = Some(key_file.into());
        self
    }

    /// Sets the name in the certificate of the nodes.
    #[must_use]
    pub fn server_name(mut self, name: impl Into<String>) -> Self {
        self.server_name = Some(name.into());
        self
    }
}
