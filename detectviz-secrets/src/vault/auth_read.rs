//! Reads how to log in.
//!
//! serde would read a tagged enum through a copy in which the places of keys are lost, and an unknown key would be reported as
//! `auth`. So all keys are read as one map, and then it is seen whether they are those of the method.
use super::AuthConfig;
use detectviz_core::secret::SecretRef;
use serde::{Deserialize, Deserializer, de::Error};
use std::path::PathBuf;

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Method {
    Token,
    AppRole,
    Kubernetes,
    UserPass,
    Cert,
}

/// The keys of all methods.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Keys {
    method: Method,
    mount: Option<String>,
    token: Option<SecretRef>,
    wrapped: Option<bool>,
    role_id: Option<String>,
    secret_id: Option<SecretRef>,
    role: Option<String>,
    token_file: Option<PathBuf>,
    username: Option<String>,
    password: Option<SecretRef>,
    name: Option<String>,
}

impl<'de> Deserialize<'de> for AuthConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut keys = Keys::deserialize(deserializer)?;
        let auth = keys.take().map_err(|key| {
            D::Error::custom(format!(
                "the key `{key}` is missing; add `{key}: …` beside `method`"
            ))
        })?;
        match keys.left() {
            None => Ok(auth),
            Some(key) => Err(D::Error::custom(format!(
                "the key `{key}` is none of the method `{}`; leave it out, or correct `method`",
                auth.method()
            ))),
        }
    }
}

// === impl Keys ===

impl Keys {
    /// What the method needs; the error is the key that is missing.
    fn take(&mut self) -> Result<AuthConfig, &'static str> {
        Ok(match self.method {
            Method::Token => AuthConfig::Token {
                token: self.token.take().ok_or("token")?,
                wrapped: self.wrapped.take().unwrap_or_default(),
            },
            Method::AppRole => AuthConfig::AppRole {
                mount: self.mount.take().unwrap_or_else(AuthConfig::approle),
                role_id: self.role_id.take().ok_or("role_id")?,
                secret_id: self.secret_id.take().ok_or("secret_id")?,
                wrapped: self.wrapped.take().unwrap_or_default(),
            },
            Method::Kubernetes => AuthConfig::Kubernetes {
                mount: self.mount.take().unwrap_or_else(AuthConfig::kubernetes),
                role: self.role.take().ok_or("role")?,
                token_file: self
                    .token_file
                    .take()
                    .unwrap_or_else(AuthConfig::token_file),
            },
            Method::UserPass => AuthConfig::UserPass {
                mount: self.mount.take().unwrap_or_else(AuthConfig::userpass),
                username: self.username.take().ok_or("username")?,
                password: self.password.take().ok_or("password")?,
            },
            Method::Cert => AuthConfig::Cert {
                mount: self.mount.take().unwrap_or_else(AuthConfig::cert),
                name: self.name.take().unwrap_or_default(),
            },
        })
    }

    /// A key that nobody has taken.
    fn left(&self) -> Option<&'static str> {
        let all = [
            ("mount", self.mount.is_some()),
            ("token", self.token.is_some()),
            ("wrapped", self.wrapped.is_some()),
            ("role_id", self.role_id.is_some()),
            ("secret_id", self.secret_id.is_some()),
            ("role", self.role.is_some()),
            ("token_file", self.token_file.is_some()),
            ("username", self.username.is_some()),
            ("password", self.password.is_some()),
            ("name", self.name.is_some()),
        ];
        all.iter()
            .find(|(_, is_left)| *is_left)
            .map(|(key, _)| *key)
    }
}
