//! What a user may set.
use super::GcpStore;
use crate::cloud::{self, check_https, check_metadata};
use detectviz_core::{
    config::{Checker, DurationText, Section},
    error::BoxError,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{path::PathBuf, time::Duration};

/// Settings of [`GcpStore`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct GcpConfig {
    /// Whether `${secret:gcp:…}` is served.
    pub enabled: bool,
    /// The project of the secrets that are named without one: its id or its number.
    pub project: String,
    /// The address of Secret Manager; for regional secrets `https://secretmanager.<location>.rep.googleapis.com`.
    pub endpoint: String,
    /// Where the credentials come from.
    pub credentials: GcpCredentials,
    /// A PEM file of the certificate authorities to trust, read for each connection.
    pub ca_file: PathBuf,
    /// How long one call may take, between 100 ms and 1 min; a login is one or two calls of its own.
    #[serde(with = "detectviz_core::config::duration")]
    #[schemars(with = "DurationText")]
    pub timeout: Duration,
}

/// Where credentials for Google Cloud come from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "source", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum GcpCredentials {
    /// The metadata server of the node: on GKE, workload identity.
    Metadata {
        /// Its address.
        #[serde(default = "metadata_endpoint")]
        endpoint: String,
    },
    /// The key of a service account, in the JSON form that Google gives out; read at each login.
    ServiceAccountFile {
        /// The file.
        file: PathBuf,
    },
    /// Workload identity federation, for a cluster outside Google Cloud: the configuration that
    /// `gcloud iam workload-identity-pools create-cred-config` writes, with a file as the source of the token.
    ExternalAccountFile {
        /// The file. It names where tokens are sent, so that it must not come from others.
        file: PathBuf,
    },
    /// No credentials, for a fake.
    Anonymous,
}

// === impl GcpConfig ===

impl GcpConfig {
    /// Sets whether `${secret:gcp:…}` is served.
    #[must_use]
    pub fn enabled(mut self, enabled: bool) -> Self {
        self.enabled = enabled;
        self
    }

    /// Sets the project of the secrets that are named without one.
    #[must_use]
    pub fn project(mut self, project: impl Into<String>) -> Self {
        self.project = project.into();
        self
    }

    /// Sets the address of Secret Manager.
    #[must_use]
    pub fn endpoint(mut self, endpoint: impl Into<String>) -> Self {
        self.endpoint = endpoint.into();
        self
    }

    /// Sets where the credentials come from.
    #[must_use]
    pub fn credentials(mut self, credentials: GcpCredentials) -> Self {
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

    /// Makes the store; the first fetch connects.
    ///
    /// # Errors
    /// Everything that [`Section::validate`] reports, whether `enabled` or not.
    pub fn build(self) -> Result<GcpStore, BoxError> {
        detectviz_core::config::check(&self.clone().enabled(true))?;
        Ok(GcpStore::new(self))
    }
}

impl Default for GcpConfig {
    fn default() -> Self {
        Self {
            enabled: false,
            project: String::new(),
            endpoint: "https://secretmanager.googleapis.com".to_owned(),
            credentials: GcpCredentials::Metadata {
                endpoint: metadata_endpoint(),
            },
            ca_file: cloud::ca_file(),
            timeout: cloud::TIMEOUT,
        }
    }
}

impl Section for GcpConfig {
    fn validate(&self, check: &mut Checker<'_>) {
        if !self.enabled {
            return;
        }
        if !super::state::is_project(&self.project) {
            let remedy = "write the id of the project of the secrets, such as `orders-prod`";
            check.problem("project", "is no id of a project", remedy);
        }
        check_https(check, "endpoint", &self.endpoint);
        cloud::check_timeout(check, self.timeout);
        if let GcpCredentials::Metadata { endpoint } = &self.credentials {
            check_metadata(check, "credentials.endpoint", endpoint);
        }
    }
}

fn metadata_endpoint() -> String {
    "http://169.254.169.254".to_owned()
}
