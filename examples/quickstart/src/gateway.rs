//! What the gateway answers: it passes calls on to orders, by name.
use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    http::{StatusCode, Uri, uri::PathAndQuery},
    response::{IntoResponse, Response},
    routing::get,
};
use detectviz_core::{error::BoxError, runtime::BuildContext};
use detectviz_http::{client::Client, error::Problem, kinds::App};

/// The routes of the gateway.
pub(crate) fn app(cx: &mut BuildContext<'_>) -> Result<App<Router>, BoxError> {
    let client: Client = cx.provided("client")?;
    let router = Router::new()
        .route("/orders", get(pass).post(pass))
        .route("/orders/{id}", get(pass))
        .with_state(client);
    Ok(App::new(router).routes(["/orders", "/orders/{id}"])?)
}

/// Sends the request on to `http://orders/…`, which discovery turns into one of its instances.
async fn pass(State(client): State<Client>, mut request: Request) -> Response {
    let path = request
        .uri()
        .path_and_query()
        .map_or("/", PathAndQuery::as_str);
    let Ok(uri) = Uri::builder()
        .scheme("http")
        .authority("orders")
        .path_and_query(path)
        .build()
    else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    *request.uri_mut() = uri;
    request.headers_mut().remove("host");
    match client.request(request).await {
        Ok(response) => response.map(Body::new),
        Err(err) => {
            tracing::warn!(error = %err, "orders could not be called");
            Problem::of(&*err).into_response().map(Body::new)
        }
    }
}
