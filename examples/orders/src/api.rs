//! What the service answers.
use crate::{
    db::{Db, NewOrder, Order},
    matched,
};
use axum::{
    Json, Router,
    extract::{Path, State},
    http::{HeaderMap, StatusCode, header},
    middleware,
    routing::get,
};
use detectviz_core::{
    error::BoxError,
    secret::{SecretRef, SecretWatch, SecretsProvider},
    task::Component,
};
use std::{
    fmt,
    sync::{Arc, OnceLock},
};

/// What the handlers share.
#[derive(Clone)]
pub struct Api {
    db: Db,
    secrets: Arc<dyn SecretsProvider>,
    token: SecretRef,
    /// Followed from the start on.
    current: Arc<OnceLock<SecretWatch>>,
}

impl Api {
    /// Orders in `db`; whoever writes one shows the token behind `token`.
    pub fn new(db: Db, secrets: Arc<dyn SecretsProvider>, token: SecretRef) -> Self {
        Self {
            db,
            secrets,
            token,
            current: Arc::default(),
        }
    }

    /// The routes.
    pub fn router(self) -> Router {
        Router::new()
            .route("/orders", get(list).post(create))
            .route("/orders/{id}", get(find))
            .route_layer(middleware::from_fn(matched::route))
            .with_state(self)
    }

    /// Whether the caller shows the token, which may have been rotated since the last call.
    fn is_allowed(&self, headers: &HeaderMap) -> Result<bool, StatusCode> {
        let watch = self.current.get();
        let bundle = watch.ok_or(StatusCode::SERVICE_UNAVAILABLE)?.latest();
        let token = bundle
            .value(&self.token)
            .map_err(|_| StatusCode::SERVICE_UNAVAILABLE)?;
        let shown = headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.as_bytes().strip_prefix(b"Bearer "));
        Ok(shown.is_some_and(|shown| token.matches(shown)))
    }
}

#[async_trait::async_trait]
impl Component for Api {
    /// Without its token the service could refuse everybody or let everybody in: it does not start.
    async fn start(&self) -> Result<(), BoxError> {
        let watch = self.secrets.watch(&self.token).await?;
        watch.latest().value(&self.token)?;
        let _ = self.current.set(watch);
        Ok(())
    }
}

impl fmt::Debug for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Api")
            .field("db", &self.db)
            .field("token", &self.token)
            .finish_non_exhaustive()
    }
}

async fn list(State(api): State<Api>) -> Result<Json<Vec<Order>>, StatusCode> {
    api.db.newest().await.map(Json).map_err(failed)
}

async fn find(State(api): State<Api>, Path(id): Path<i64>) -> Result<Json<Order>, StatusCode> {
    let found = api.db.find(id).await.map_err(failed)?;
    found.map(Json).ok_or(StatusCode::NOT_FOUND)
}

async fn create(
    State(api): State<Api>,
    headers: HeaderMap,
    Json(order): Json<NewOrder>,
) -> Result<(StatusCode, Json<Order>), StatusCode> {
    if !api.is_allowed(&headers)? {
        return Err(StatusCode::UNAUTHORIZED);
    }
    let order = api.db.insert(&order).await.map_err(failed)?;
    tracing::info!(order = order.id, item = %order.item, "ordered");
    Ok((StatusCode::CREATED, Json(order)))
}

fn failed(err: sqlx::Error) -> StatusCode {
    tracing::error!(error = %err, "the database failed");
    match err {
        sqlx::Error::PoolTimedOut => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    }
}
