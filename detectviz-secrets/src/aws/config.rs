//! What a user may set.
use super::AwsStore;
use crate::cloud::{self, check_https, check_metadata};
use detectviz_core::{
    config::{Checker, DurationText, Section},
    error::BoxError,
    secret::{SecretRef, SecretsProvider},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{path::PathBuf, sync::Arc, time::Duration};

/// Settings of [`AwsStore`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct AwsConfig {
    /// Whether `${secret:aws:…}` is served.
    pub enabled: bool,
    /// The region of the secrets, such as `eu-west-1`.
    pub region: String,
    /// The address of Secrets Manager, for a VPC endpoint such as `https://vpce-….secretsmanager.eu-west-1.vpce.amazonaws.com`;
    /// without it, that of the region.
    pub endpoint: Option<String>,
    /// Where the credentials come from.
    pub credentials: AwsCredentials,
    /// A PEM file of the certificate authorities to trust, read for each connection.
    pub ca_file: PathBuf,
    /// How long one call may take, between 100 ms and 1 min; a login is a call of its own.
    #[serde(with = "detectviz_core::config::duration")]
    #[schemars(with = "DurationText")]
    pub timeout: Duration,
}

/// Where credentials for AWS come from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "source", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum AwsCredentials {
    /// IAM roles for service accounts (IRSA): the projected token of the pod, exchanged with STS for credentials of an hour.
    WebIdentity {
        /// The role to assume: `arn:aws:iam::<account>:role/<name>`.
        role_arn: String,
        /// The projected token, with the audience `sts.amazonaws.com`.
        #[serde(default = "web_identity_token")]
        token_file: PathBuf,
        /// The name of the session in CloudTrail: 2 to 64 of `A-Za-z0-9_=,.@-`.
        #[serde(default = "session_name")]
        session_name: String,
        /// The address of STS, for a VPC endpoint; without it, that of the region.
        #[serde(default)]
        sts_endpoint: Option<String>,
    },
    /// EKS Pod Identity: the agent on the node gives credentials for the projected token of the pod.
    PodIdentity {
        /// The address of the agent.
        #[serde(default = "pod_identity_endpoint")]
        endpoint: String,
        /// The projected token, with the audience `pods.eks.amazonaws.com`.
        #[serde(default = "pod_identity_token")]
        token_file: PathBuf,
    },
    /// Keys of an IAM user, read for every call, so that new ones are seen.
    StaticKeys {
        /// A reference that `env` or `file` serves.
        access_key_id: SecretRef,
        /// A reference that `env` or `file` serves.
        secret_access_key: SecretRef,
        /// A reference that `env` or `file` serves; only temporary credentials have a session token.
        #[serde(default)]
        session_token: Option<SecretRef>,
    },
    /// The role of the EC2 instance, by the instance metadata service (IMDSv2). A pod reaches it only where the hop limit of
    /// the instance is 2 or more, and gets what every pod of that node gets.
    Instance {
        /// The address of the metadata service.
        #[serde(default = "instance_endpoint")]
        endpoint: String,
    },
}

// === impl AwsConfig ===

impl AwsConfig {
    /// Sets whether `${secret:aws:…}` is served.
    #[must_use]
    pub fn enabled(mut self, enabled: bool) -> Self {
        self.enabled = enabled;
        self
    }

    /// Sets the region of the secrets.
    #[must_use]
    pub fn region(mut self, region: impl Into<String>) -> Self {
        self.region = region.into();
        self
    }

    /// Sets the address of Secrets Manager.
    #[must_use]
    pub fn endpoint(mut self, endpoint: impl Into<String>) -> Self {
        self.endpoint = Some(endpoint.into());
        self
    }

    /// Sets where the credentials come from.
    #[must_use]
    pub fn credentials(mut self, credentials: AwsCredentials) -> Self {
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

    /// Makes the store; the first fetch connects. `secrets` serves the references of the credentials.
    ///
    /// # Errors
    /// Everything that [`Section::validate`] reports, whether `enabled` or not.
    pub fn build(self, secrets: Arc<dyn SecretsProvider>) -> Result<AwsStore, BoxError> {
        detectviz_core::config::check(&self.clone().enabled(true))?;
        Ok(AwsStore::new(self, secrets))
    }
}

impl Default for AwsConfig {
    fn default() -> Self {
        Self {
            enabled: false,
            region: String::new(),
            endpoint: None,
            credentials: AwsCredentials::pod_identity(),
            ca_file: cloud::ca_file(),
            timeout: cloud::TIMEOUT,
        }
    }
}

impl Section for AwsConfig {
    fn validate(&self, check: &mut Checker<'_>) {
        if !self.enabled {
            return;
        }
        let known = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        if self.region.is_empty() || !self.region.bytes().all(known) {
            let remedy = "write the region of the secrets, such as `eu-west-1`";
            check.problem("region", "is no region of AWS", remedy);
        }
        if let Some(endpoint) = &self.endpoint {
            check_https(check, "endpoint", endpoint);
        }
        cloud::check_timeout(check, self.timeout);
        match &self.credentials {
            AwsCredentials::WebIdentity {
                role_arn,
                session_name,
                sts_endpoint,
                ..
            } => {
                if !(role_arn.starts_with("arn:") && role_arn.contains(":role/")) {
                    let remedy = "write `arn:aws:iam::<account>:role/<name>`";
                    check.problem("credentials.role_arn", "is no ARN of a role", remedy);
                }
                let known = |b: u8| b.is_ascii_alphanumeric() || b"_=,.@-".contains(&b);
                if !(2..=64).contains(&session_name.len()) || !session_name.bytes().all(known) {
                    let remedy = "write 2 to 64 of `A-Za-z0-9_=,.@-`";
                    check.problem(
                        "credentials.session_name",
                        "is no name of a session",
                        remedy,
                    );
                }
                if let Some(endpoint) = sts_endpoint {
                    check_https(check, "credentials.sts_endpoint", endpoint);
                }
            }
            AwsCredentials::PodIdentity { endpoint, .. }
            | AwsCredentials::Instance { endpoint } => {
                check_metadata(check, "credentials.endpoint", endpoint);
            }
            AwsCredentials::StaticKeys {
                access_key_id,
                secret_access_key,
                session_token,
            } => {
                let keys = [
                    ("access_key_id", Some(access_key_id)),
                    ("secret_access_key", Some(secret_access_key)),
                ];
                for (key, reference) in keys
                    .into_iter()
                    .chain([("session_token", session_token.as_ref())])
                {
                    cloud::check_reference(check, &format!("credentials.{key}"), reference);
                }
            }
        }
    }
}

// === impl AwsCredentials ===

impl AwsCredentials {
    /// IAM roles for service accounts (IRSA), with the token where EKS mounts it.
    #[must_use]
    pub fn web_identity(role_arn: impl Into<String>) -> Self {
        Self::WebIdentity {
            role_arn: role_arn.into(),
            token_file: web_identity_token(),
            session_name: session_name(),
            sts_endpoint: None,
        }
    }

    /// EKS Pod Identity, with the agent and the token where EKS has them.
    #[must_use]
    pub fn pod_identity() -> Self {
        Self::PodIdentity {
            endpoint: pod_identity_endpoint(),
            token_file: pod_identity_token(),
        }
    }

    /// Keys of an IAM user.
    #[must_use]
    pub fn static_keys(access_key_id: SecretRef, secret_access_key: SecretRef) -> Self {
        Self::StaticKeys {
            access_key_id,
            secret_access_key,
            session_token: None,
        }
    }

    /// The role of the EC2 instance.
    #[must_use]
    pub fn instance() -> Self {
        Self::Instance {
            endpoint: instance_endpoint(),
        }
    }
}

fn web_identity_token() -> PathBuf {
    PathBuf::from("/var/run/secrets/eks.amazonaws.com/serviceaccount/token")
}

fn session_name() -> String {
    "detectviz".to_owned()
}

fn pod_identity_endpoint() -> String {
    "http://169.254.170.23/v1/credentials".to_owned()
}

fn pod_identity_token() -> PathBuf {
    PathBuf::from("/var/run/secrets/pods.eks.amazonaws.com/serviceaccount/eks-pod-identity-token")
}

fn instance_endpoint() -> String {
    "http://169.254.169.254".to_owned()
}
