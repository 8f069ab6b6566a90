//! Hands the route that axum matched to detectviz: the ten lines that an axum service needs.
use axum::extract::{MatchedPath, Request};
use axum::{middleware::Next, response::Response};

/// Names the route in metrics, spans and the access log. Add it with `Router::route_layer`.
pub(crate) async fn route(request: Request, next: Next) -> Response {
    if let Some(path) = request.extensions().get::<MatchedPath>() {
        detectviz_http::route::matched(path.as_str());
    }
    next.run(request).await
}
