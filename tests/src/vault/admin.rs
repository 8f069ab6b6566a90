//! A person with the root token: what tests set up, they set up through the HTTP API, here as on a real Vault or OpenBao.
use super::{core::Answer, source};
use bytes::Bytes;
use detectviz_core::error::BoxError;
use http::Request;
use http_body_util::{BodyExt, Full};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde_json::{Value, json};
use std::fmt;

/// A client with a token, over plain HTTP.
///
/// # Clone
/// Clones share the connections.
#[derive(Clone)]
pub struct VaultAdmin {
    /// `http://host:port`.
    pub address: String,
    /// The token that comes with each request; empty for none.
    pub token: String,
    /// `X-Vault-Namespace`; empty for the root.
    pub namespace: String,
    client: Client<HttpConnector, Full<Bytes>>,
}

// === impl VaultAdmin ===

impl VaultAdmin {
    /// Talks to `address` with `token`.
    #[must_use]
    pub fn new(address: impl Into<String>, token: impl Into<String>) -> Self {
        Self {
            address: address.into(),
            token: token.into(),
            namespace: String::new(),
            client: Client::builder(TokioExecutor::new()).build_http(),
        }
    }

    /// The real server that `DETECTVIZ_TEST_VAULT_ADDR` and `DETECTVIZ_TEST_VAULT_TOKEN` name; `None` unless both are set.
    #[must_use]
    pub fn real() -> Option<Self> {
        let (address, token) = source::real()?;
        Some(Self::new(address.trim_end_matches('/'), token))
    }

    /// Where it is, such as `http://127.0.0.1:8200`.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The same with another token.
    #[must_use]
    pub fn with_token(&self, token: impl Into<String>) -> Self {
        Self {
            token: token.into(),
            ..self.clone()
        }
    }

    /// The same in a namespace.
    #[must_use]
    pub fn with_namespace(&self, namespace: impl Into<String>) -> Self {
        Self {
            namespace: namespace.into(),
            ..self.clone()
        }
    }

    /// What the server answers to a request, whatever its status; `path` is what follows `/v1/`. The body is null where the
    /// answer has none.
    ///
    /// # Errors
    /// The server is not there, or answers with what is no JSON.
    pub async fn send(&self, method: &str, path: &str, body: Value) -> Result<Answer, BoxError> {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}/v1/{path}", self.address));
        for (name, value) in [
            ("x-vault-token", &self.token),
            ("x-vault-namespace", &self.namespace),
        ] {
            if !value.is_empty() {
                request = request.header(name, value);
            }
        }
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        let request = request.body(Full::new(Bytes::from(body)))?;
        let response = self.client.request(request).await?;
        let status = response.status().as_u16();
        let body = response.into_body().collect().await?.to_bytes();
        let body = match body.is_empty() {
            true => None,
            false => Some(serde_json::from_slice(&body)?),
        };
        Ok(Answer { status, body })
    }

    /// `POST`; the body of the answer, null without one.
    ///
    /// # Errors
    /// As [`send`](Self::send), and a status of 400 or more, with what the server says to it.
    pub async fn write(&self, path: &str, body: Value) -> Result<Value, BoxError> {
        self.done("POST", path, body).await
    }

    /// `GET`.
    ///
    /// # Errors
    /// As [`write`](Self::write).
    pub async fn read(&self, path: &str) -> Result<Value, BoxError> {
        self.done("GET", path, Value::Null).await
    }

    /// `LIST`.
    ///
    /// # Errors
    /// As [`write`](Self::write).
    pub async fn list(&self, path: &str) -> Result<Value, BoxError> {
        self.done("LIST", path, Value::Null).await
    }

    /// `DELETE`.
    ///
    /// # Errors
    /// As [`write`](Self::write).
    pub async fn delete(&self, path: &str) -> Result<Value, BoxError> {
        self.done("DELETE", path, Value::Null).await
    }

    /// Enables a secrets engine; `kv-v2` stands for `kv` with `version=2`.
    ///
    /// # Errors
    /// As [`write`](Self::write).
    pub async fn enable_mount(&self, path: &str, kind: &str) -> Result<(), BoxError> {
        let body = match kind {
            "kv-v2" => json!({ "type": "kv", "options": { "version": "2" } }),
            kind => json!({ "type": kind }),
        };
        self.write(&format!("sys/mounts/{path}"), body)
            .await
            .map(drop)
    }

    /// Removes a secrets engine with all that it holds.
    ///
    /// # Errors
    /// As [`write`](Self::write).
    pub async fn disable_mount(&self, path: &str) -> Result<(), BoxError> {
        self.delete(&format!("sys/mounts/{path}")).await.map(drop)
    }

    /// Enables an auth method.
    ///
    /// # Errors
    /// As [`write`](Self::write).
    pub async fn enable_auth(&self, path: &str, kind: &str) -> Result<(), BoxError> {
        let body = json!({ "type": kind });
        self.write(&format!("sys/auth/{path}"), body)
            .await
            .map(drop)
    }

    /// Removes an auth method with all tokens that it made.
    ///
    /// # Errors
    /// As [`write`](Self::write).
    pub async fn disable_auth(&self, path: &str) -> Result<(), BoxError> {
        self.delete(&format!("sys/auth/{path}")).await.map(drop)
    }

    /// Writes an ACL policy in HCL or JSON.
    ///
    /// # Errors
    /// As [`write`](Self::write).
    pub async fn put_policy(&self, name: &str, rules: &str) -> Result<(), BoxError> {
        let body = json!({ "policy": rules });
        self.write(&format!("sys/policies/acl/{name}"), body)
            .await
            .map(drop)
    }

    async fn done(&self, method: &str, path: &str, body: Value) -> Result<Value, BoxError> {
        let answer = self.send(method, path, body).await?;
        match answer.status {
            ..400 => Ok(answer.body.unwrap_or_default()),
            status => Err(format!("{method} {path}: {status} {}", answer.at("/errors")).into()),
        }
    }
}

impl fmt::Debug for VaultAdmin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("VaultAdmin");
        shown
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}
