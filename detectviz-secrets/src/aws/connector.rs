//! The connection under the SDK: ours, so that it reads no environment.
use crate::cloud::{Answer, Wire};
use aws_smithy_runtime_api::client::{
    http::{
        HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
    },
    orchestrator::{HttpRequest, HttpResponse},
    result::ConnectorError,
    runtime_components::RuntimeComponents,
};
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use detectviz_core::error::BoxError;
use http::Request;
use http_body_util::Full;
use std::sync::Arc;

/// Makes the exchanges of the SDK over [`Wire`].
///
/// # Clone
/// Clones share the wire.
#[derive(Clone, Debug)]
pub(super) struct Connector(pub(super) Arc<Wire>);

// === impl Connector ===

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let wire = Arc::clone(&self.0);
        HttpConnectorFuture::new(async move {
            let request = translate(request).map_err(ConnectorError::user)?;
            let answer = wire.send(request).await;
            let answer = answer.map_err(|err| ConnectorError::io(err.into()))?;
            response(answer).map_err(|err| ConnectorError::other(err, None))
        })
    }
}

impl HttpClient for Connector {
    fn http_connector(
        &self,
        _: &HttpConnectorSettings,
        _: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

fn translate(request: HttpRequest) -> Result<Request<Bytes>, BoxError> {
    let (parts, body) = request.try_into_http1x()?.into_parts();
    let body = body.bytes().ok_or("a body that is not in memory")?;
    Ok(Request::from_parts(parts, Bytes::copy_from_slice(body)))
}

fn response(answer: Answer) -> Result<HttpResponse, BoxError> {
    // Wiped when the SDK lets go of it; and no body in memory, because the SDK logs that at its most verbose level.
    let body = Full::new(Bytes::from_owner(answer.body));
    let mut response = http::Response::new(SdkBody::from_body_1_x(body));
    *response.status_mut() = answer.status;
    *response.headers_mut() = answer.headers;
    Ok(HttpResponse::try_from(response)?)
}
