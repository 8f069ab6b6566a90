//! The store.
use super::{
    GcpConfig,
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
    error::BoxError,
    secret::{Secret, SecretError, SecretErrorKind, SecretRef},
};
use http::{Request, StatusCode, header};
use std::{fmt, sync::Arc};

/// Google Secret Manager; see the [module](super).
pub struct GcpStore {
    config: GcpConfig,
    wire: Wire,
    session: Session<Token>,
}

// === impl GcpStore ===

impl GcpStore {
    pub(super) fn new(mut config: GcpConfig) -> Self {
        config
            .endpoint
            .truncate(config.endpoint.trim_end_matches('/').len());
        Self {
            wire: Wire::new(config.ca_file.clone(), config.timeout),
            config,
            session: Session::default(),
        }
    }

    async fn token(&self) -> Result<Arc<Token>, Failure> {
        let log_in = || log_in(&self.wire, &self.config.credentials);
        self.session.get(log_in).await
    }

    async fn ask(&self, token: &Token, wanted: &Wanted<'_>) -> Result<Answer, Refusal> {
        let mut request = Request::builder()
            .uri(format!("{}{}", self.config.endpoint, wanted.path()))
            .header(header::ACCEPT, "application/json");
        if let Some(token) = token {
            let value = bearer("the token of Google", token)?;
            request = request.header(header::AUTHORIZATION, value);
        }
        let request = request.body(Bytes::new()).map_err(|_| {
            let remedy = "correct `endpoint`: it is no address";
            Failure::new(SecretErrorKind::Malformed, remedy)
        })?;
        let answer = self.wire.send(request).await.map_err(Failure::from)?;
        match answer.status {
            StatusCode::OK => Ok(answer),
            status => Err(state::refused(wanted, status.as_u16(), &answer.body)),
        }
    }
}

#[async_trait]
impl Store for GcpStore {
    fn name(&self) -> &'static str {
        "gcp"
    }

    async fn fetch(&self, reference: &SecretRef) -> Result<Fetched, SecretError> {
        let wanted = Wanted::parse(reference, &self.config.project)?;
        let wanted = &wanted;
        let ask = |token: Arc<_>| async move { self.ask(&token, wanted).await };
        let answer = self.session.asked(|| self.token(), ask).await;
        let answer = answer.map_err(|err| err.of(reference))?;
        let (fields, version) = state::fields(&answer.body).map_err(|err| err.of(reference))?;
        if fields.values().all(Secret::is_empty) {
            let remedy = "add a version with a value (`gcloud secrets versions add`)";
            return Err(SecretError::new(SecretErrorKind::Empty, reference, remedy));
        }
        Ok(Fetched::new(fields).label(version))
    }

    /// Logs in, and looks whether Secret Manager is there; costs no call that Google charges for.
    async fn check(&self) -> Result<(), BoxError> {
        self.token().await?;
        self.wire.reach(&self.config.endpoint).await?;
        Ok(())
    }
}

impl fmt::Debug for GcpStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GcpStore")
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}
