//! What a user may set.
use super::AzureStore;
use crate::cloud::{self, check_https, check_metadata};
use detectviz_core::{
    config::{Checker, DurationText, Section},
    error::BoxError,
    secret::{SecretRef, SecretsProvider},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{path::PathBuf, sync::Arc, time::Duration};

/// Settings of [`AzureStore`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct AzureConfig {
    /// Whether `${secret:azure:…}` is served.
    pub enabled: bool,
    /// The vault: `https://<vault>.vault.azure.net`.
    pub vault_url: String,
    /// The resource that tokens are for, where the name of the vault does not end in its domain (a private DNS zone, a
    /// gateway): `https://vault.azure.net`. Without it, what the vault asks for, which must be its own domain.
    pub resource: Option<String>,
    /// Whether a secret is served before its `nbf` and after its `exp`. Key Vault gives it out, and says that it should not
    /// be used.
    pub allow_expired: bool,
    /// Where the credentials come from.
    pub credentials: AzureCredentials,
    /// A PEM file of the certificate authorities to trust, read for each connection.
    pub ca_file: PathBuf,
    /// How long one call may take, between 100 ms and 1 min; a login is two calls of its own.
    #[serde(with = "detectviz_core::config::duration")]
    #[schemars(with = "DurationText")]
    pub timeout: Duration,
}

/// Where credentials for Azure come from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "source", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum AzureCredentials {
    /// Microsoft Entra Workload ID: the projected token of the pod, exchanged for one of the application.
    WorkloadIdentity {
        /// The id of the tenant.
        tenant_id: String,
        /// The id of the application or of the user-assigned identity.
        client_id: String,
        /// The projected token, with the audience `api://AzureADTokenExchange`.
        #[serde(default = "token_file")]
        token_file: PathBuf,
        /// Where tokens are given; another one in national clouds.
        #[serde(default = "authority_host")]
        authority_host: String,
    },
    /// The managed identity of the node, by the instance metadata service. Every pod of the node may use it.
    ManagedIdentity {
        /// The id of a user-assigned identity; without it, the one that the system assigned.
        #[serde(default)]
        client_id: Option<String>,
        /// The address of the metadata service.
        #[serde(default = "metadata_endpoint")]
        endpoint: String,
    },
    /// A secret of an application, read at each login.
    ClientSecret {
        /// The id of the tenant.
        tenant_id: String,
        /// The id of the application.
        client_id: String,
        /// A reference that `env` or `file` serves.
        secret: SecretRef,
        /// Where tokens are given; another one in national clouds.
        #[serde(default = "authority_host")]
        authority_host: String,
    },
}

// === impl AzureConfig ===

impl AzureConfig {
    /// Sets whether `${secret:azure:…}` is served.
    #[must_use]
    pub fn enabled(mut self, enabled: bool) -> Self {
        self.enabled = enabled;
        self
    }

    /// Sets the vault.
    #[must_use]
    pub fn vault_url(mut self, vault_url: impl Into<String>) -> Self {
        self.vault_url = vault_url.into();
        self
    }

    /// Sets the resource that tokens are for.
    #[must_use]
    pub fn resource(mut self, resource: impl Into<String>) -> Self {
        self.resource = Some(resource.into());
        self
    }

    /// Sets whether a secret is served before its `nbf` and after its `exp`.
    #[must_use]
    pub fn allow_expired(mut self, allow_expired: bool) -> Self {
        self.allow_expired = allow_expired;
        self
    }

    /// Sets where the credentials come from.
    #[must_use]
    pub fn credentials(mut self, credentials: AzureCredentials) -> Self {
        self.credentials = credentials;
        self
    }

    /// Sets the file of the certificate authorities to trust.
    #[must_use]
    pub fn ca_file(mut self, ca_file: impl Into<PathBuf>) -> Self {
        self.ca_file = ca_file.into();
        self
    }

    /// Sets how long one call may take.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Makes the store; the first fetch connects. `secrets` serves the reference of a client secret.
    ///
    /// # Errors
    /// Everything that [`Section::validate`] reports, whether `enabled` or not.
    pub fn build(self, secrets: Arc<dyn SecretsProvider>) -> Result<AzureStore, BoxError> {
        detectviz_core::config::check(&self.clone().enabled(true))?;
        Ok(AzureStore::new(self, secrets))
    }
}

impl Default for AzureConfig {
    fn default() -> Self {
        Self {
            enabled: false,
            vault_url: String::new(),
            resource: None,
            allow_expired: false,
            credentials: AzureCredentials::managed_identity(),
            ca_file: cloud::ca_file(),
            timeout: cloud::TIMEOUT,
        }
    }
}

impl Section for AzureConfig {
    fn validate(&self, check: &mut Checker<'_>) {
        if !self.enabled {
            return;
        }
        check_https(check, "vault_url", &self.vault_url);
        if self.vault_url.trim_end_matches('/').matches('/').count() > 2 {
            let remedy = "write `https://<vault>.vault.azure.net`, without a path";
            check.problem("vault_url", "names more than a vault", remedy);
        }
        if let Some(resource) = &self.resource {
            check_https(check, "resource", resource);
        }
        cloud::check_timeout(check, self.timeout);
        let identity = |check: &mut Checker<'_>, key: &str, id: &str| {
            if id.is_empty()
                || !id
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b"-.".contains(&b))
            {
                let key = format!("credentials.{key}");
                check.problem(
                    &key,
                    "is no id",
                    "write the id, such as `11111111-2222-3333-4444-555555555555`",
                );
            }
        };
        match &self.credentials {
            AzureCredentials::WorkloadIdentity {
                tenant_id,
                client_id,
                authority_host,
                ..
            } => {
                identity(check, "tenant_id", tenant_id);
                identity(check, "client_id", client_id);
                check_https(check, "credentials.authority_host", authority_host);
            }
            AzureCredentials::ManagedIdentity {
                client_id,
                endpoint,
            } => {
                if let Some(client_id) = client_id {
                    identity(check, "client_id", client_id);
                }
                check_metadata(check, "credentials.endpoint", endpoint);
            }
            AzureCredentials::ClientSecret {
                tenant_id,
                client_id,
                secret,
                authority_host,
            } => {
                identity(check, "tenant_id", tenant_id);
                identity(check, "client_id", client_id);
                cloud::check_reference(check, "credentials.secret", Some(secret));
                check_https(check, "credentials.authority_host", authority_host);
            }
        }
    }
}

// === impl AzureCredentials ===

impl AzureCredentials {
    /// Microsoft Entra Workload ID, with the token where its webhook mounts it, in the public cloud.
    #[must_use]
    pub fn workload_identity(tenant_id: impl Into<String>, client_id: impl Into<String>) -> Self {
        Self::WorkloadIdentity {
            tenant_id: tenant_id.into(),
            client_id: client_id.into(),
            token_file: token_file(),
            authority_host: authority_host(),
        }
    }

    /// The managed identity that the system assigned to the node.
    #[must_use]
    pub fn managed_identity() -> Self {
        Self::ManagedIdentity {
            client_id: None,
            endpoint: metadata_endpoint(),
        }
    }

    /// A secret of an application in the public cloud.
    #[must_use]
    pub fn client_secret(
        tenant_id: impl Into<String>,
        client_id: impl Into<String>,
        secret: SecretRef,
    ) -> Self {
        Self::ClientSecret {
            tenant_id: tenant_id.into(),
            client_id: client_id.into(),
            secret,
            authority_host: authority_host(),
        }
    }
}

fn token_file() -> PathBuf {
    PathBuf::from("/var/run/secrets/azure/tokens/azure-identity-token")
}

fn authority_host() -> String {
    "https://login.microsoftonline.com".to_owned()
}

fn metadata_endpoint() -> String {
    "http://169.254.169.254".to_owned()
}
