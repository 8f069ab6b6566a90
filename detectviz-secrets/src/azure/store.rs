//! The store.
use super::{
    AzureConfig, challenge,
    credentials::{Token, log_in},
    state::{self, Wanted},
};
use crate::{
    cloud::{Answer, Failure, Refusal, Session, Wire, bearer},
    store::{Fetched, Store},
};
use async_trait::async_trait;
use bytes::Bytes;
use detectviz_core::{
    clock,
    error::BoxError,
    secret::{Secret, SecretError, SecretErrorKind, SecretRef, SecretsProvider},
};
use http::{HeaderValue, Request, StatusCode, header};
use std::{fmt, sync::Arc};

/// The version of the interface.
const API_VERSION: &str = "7.6";

/// Azure Key Vault; see the [module](super).
pub struct AzureStore {
    config: AzureConfig,
    secrets: Arc<dyn SecretsProvider>,
    wire: Wire,
    session: Session<Token>,
}

// === impl AzureStore ===

impl AzureStore {
    pub(super) fn new(mut config: AzureConfig, secrets: Arc<dyn SecretsProvider>) -> Self {
        config
            .vault_url
            .truncate(config.vault_url.trim_end_matches('/').len());
        Self {
            wire: Wire::new(config.ca_file.clone(), config.timeout),
            config,
            secrets,
            session: Session::default(),
        }
    }

    async fn token(&self) -> Result<Arc<Token>, Failure> {
        let log_in = async || {
            let resource = self.resource().await?;
            log_in(
                &self.wire,
                &*self.secrets,
                &self.config.credentials,
                &resource,
            )
            .await
        };
        self.session.get(log_in).await
    }

    /// What the vault wants a token for.
    async fn resource(&self) -> Result<String, Failure> {
        let answer = self.send("/secrets", None).await?;
        let challenge = answer.headers.get(header::WWW_AUTHENTICATE);
        let challenge = challenge
            .and_then(|it| it.to_str().ok())
            .unwrap_or_default();
        match answer.status {
            StatusCode::UNAUTHORIZED => challenge::resource(
                challenge,
                &self.config.vault_url,
                self.config.resource.as_deref(),
            ),
            status if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS => {
                Err(Failure::unavailable(format!(
                    "wait, and look at the health of Azure: Key Vault answered {status}"
                )))
            }
            status => Err(Failure::unavailable(format!(
                "find out who answers in place of Key Vault: {status} to a call without a token"
            ))),
        }
    }

    async fn ask(&self, token: &Token, wanted: &Wanted<'_>) -> Result<Answer, Refusal> {
        let token = bearer("the token of Azure", token)?;
        let path = format!("/secrets/{}/{}", wanted.name, wanted.version);
        let answer = self.send(path.trim_end_matches('/'), Some(token)).await?;
        let retry_after = answer.headers.get(header::RETRY_AFTER);
        let retry_after = retry_after.and_then(|it| it.to_str().ok());
        match answer.status {
            StatusCode::OK => Ok(answer),
            status => Err(state::refused(
                wanted,
                status.as_u16(),
                retry_after,
                &answer.body,
            )),
        }
    }

    async fn send(&self, path: &str, token: Option<HeaderValue>) -> Result<Answer, Failure> {
        let mut request = Request::builder()
            .uri(format!(
                "{}{path}?api-version={API_VERSION}",
                self.config.vault_url
            ))
            .header(header::ACCEPT, "application/json");
        if let Some(token) = token {
            request = request.header(header::AUTHORIZATION, token);
        }
        let request = request.body(Bytes::new()).map_err(|_| {
            let remedy = "correct `vault_url`: it is no address";
            Failure::new(SecretErrorKind::Malformed, remedy)
        })?;
        Ok(self.wire.send(request).await?)
    }
}

#[async_trait]
impl Store for AzureStore {
    fn name(&self) -> &'static str {
        "azure"
    }

    async fn fetch(&self, reference: &SecretRef) -> Result<Fetched, SecretError> {
        let wanted = Wanted::parse(reference, &self.config.vault_url)?;
        let wanted = &wanted;
        let ask = |token: Arc<_>| async move { self.ask(&token, wanted).await };
        let answer = self.session.asked(|| self.token(), ask).await;
        let answer = answer.map_err(|err| err.of(reference))?;
        let now = clock::unix_nanos() / 1_000_000_000;
        let now = (!self.config.allow_expired).then_some(now);
        let (fields, version) =
            state::fields(wanted, &answer.body, now).map_err(|err| err.of(reference))?;
        if fields.values().all(Secret::is_empty) {
            let remedy = "set a version with a value (`az keyvault secret set`)";
            return Err(SecretError::new(SecretErrorKind::Empty, reference, remedy));
        }
        Ok(Fetched::new(fields).label(version))
    }

    /// Logs in, and looks whether the vault is there; reads no secret.
    async fn check(&self) -> Result<(), BoxError> {
        self.token().await?;
        self.wire.reach(&self.config.vault_url).await?;
        Ok(())
    }
}

impl fmt::Debug for AzureStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AzureStore")
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}
