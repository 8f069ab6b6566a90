//! `POST /test`: calls what the W3C trace-context harness asks for.
use crate::answer::{self, Body};
use detectviz_core::error::BoxError;
use detectviz_http::{body::RequestBody, client::Client};
use http::{Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full};
use serde::Deserialize;
use serde_json::Value;
use std::{collections::BTreeMap, time::Duration};

/// One call that the harness asks for. What it does not know of is for tests of our own.
#[derive(Deserialize)]
struct Call {
    url: String,
    arguments: Value,
    /// How long to work before the call, in milliseconds.
    #[serde(default)]
    after_ms: u64,
    /// Headers of the call, in place of `content-type: application/json`.
    #[serde(default)]
    headers: BTreeMap<String, String>,
}

/// POSTs each `arguments` to its `url`, one after the other, in the trace of the current request.
pub(crate) async fn answer(client: Client, body: RequestBody) -> Result<Response<Body>, BoxError> {
    let body = body.collect().await?.to_bytes();
    let Ok(calls) = serde_json::from_slice::<Vec<Call>>(&body) else {
        return Ok(answer::text(
            StatusCode::BAD_REQUEST,
            "send a list of {url, arguments}\n",
        ));
    };
    for call in calls {
        if call.after_ms > 0 {
            tokio::time::sleep(Duration::from_millis(call.after_ms)).await;
        }
        let mut request = Request::builder().method(Method::POST).uri(call.url);
        if call.headers.is_empty() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        for (name, value) in call.headers {
            request = request.header(name, value);
        }
        let request = request.body(Full::from(call.arguments.to_string()))?;
        let response = client.request(request).await?;
        response.into_body().collect().await?;
    }
    Ok(answer::text(StatusCode::OK, "called\n"))
}
