//! How to log in.
use detectviz_core::secret::SecretRef;
use schemars::JsonSchema;
use serde::Serialize;
use std::path::PathBuf;

/// How to log in; `method` says by which of Vault's auth methods. What is secret is a reference to `env` or `file`, which is
/// read again at every login.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(
    tag = "method",
    rename_all = "lowercase",
    rename_all_fields = "snake_case",
    deny_unknown_fields
)]
#[non_exhaustive]
pub enum AuthConfig {
    /// By a token that somebody else got, such as an agent's sink file. It is renewed and never revoked.
    Token {
        /// The token.
        token: SecretRef,
        /// Whether it is the token of a wrapped response that holds the real one.
        #[serde(default)]
        wrapped: bool,
    },
    /// By AppRole.
    AppRole {
        /// Where the method is mounted, below `auth/`.
        #[serde(default = "AuthConfig::approle")]
        mount: String,
        /// The role's id.
        role_id: String,
        /// The secret id.
        secret_id: SecretRef,
        /// Whether `secret_id` is the token of a wrapped response that holds the real one.
        #[serde(default)]
        wrapped: bool,
    },
    /// By the token of the pod's service account.
    Kubernetes {
        /// Where the method is mounted, below `auth/`.
        #[serde(default = "AuthConfig::kubernetes")]
        mount: String,
        /// The role.
        role: String,
        /// The projected token, read at every login since the kubelet replaces it.
        #[serde(default = "AuthConfig::token_file")]
        token_file: PathBuf,
    },
    /// By user and password.
    UserPass {
        /// Where the method is mounted, below `auth/`.
        #[serde(default = "AuthConfig::userpass")]
        mount: String,
        /// The user.
        username: String,
        /// The password.
        password: SecretRef,
    },
    /// By the TLS certificate of `tls.cert_file`.
    Cert {
        /// Where the method is mounted, below `auth/`.
        #[serde(default = "AuthConfig::cert")]
        mount: String,
        /// The certificate role to use; empty takes any that fits.
        #[serde(default)]
        name: String,
    },
}

// === impl AuthConfig ===

impl AuthConfig {
    /// What Vault calls the method.
    pub(super) fn method(&self) -> &'static str {
        match self {
            Self::Token { .. } => "token",
            Self::AppRole { .. } => "approle",
            Self::Kubernetes { .. } => "kubernetes",
            Self::UserPass { .. } => "userpass",
            Self::Cert { .. } => "cert",
        }
    }

    pub(super) fn approle() -> String {
        "approle".to_owned()
    }

    pub(super) fn kubernetes() -> String {
        "kubernetes".to_owned()
    }

    pub(super) fn userpass() -> String {
        "userpass".to_owned()
    }

    pub(super) fn cert() -> String {
        "cert".to_owned()
    }

    pub(super) fn token_file() -> PathBuf {
        PathBuf::from("/var/run/secrets/kubernetes.io/serviceaccount/token")
    }
}

impl Default for AuthConfig {
    /// By Kubernetes, with a role that is still to be named.
    fn default() -> Self {
        Self::Kubernetes {
            mount: Self::kubernetes(),
            role: String::new(),
            token_file: Self::token_file(),
        }
    }
}
