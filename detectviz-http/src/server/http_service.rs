//! What a server serves.
use crate::body::RequestBody;
use bytes::Bytes;
use detectviz_core::error::BoxError;
use http::{Request, Response};
use http_body::Body;
use tower_service::Service;

/// What a [`Server`](super::Server) serves: any `tower` service of HTTP requests, such as a stack of layers, an axum
/// `Router` or a tonic service. It is implemented for all of them, and not to be implemented by hand.
pub trait HttpService:
    Service<
        Request<RequestBody>,
        Response = Response<<Self as HttpService>::ResponseBody>,
        Error: Into<BoxError>,
        Future = <Self as HttpService>::ResponseFuture,
    > + Clone
    + Send
    + 'static
{
    /// The body of its responses.
    type ResponseBody: Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static;
    /// The future of its responses.
    type ResponseFuture: Future<Output = Result<Response<Self::ResponseBody>, Self::Error>>
        + Send
        + 'static;
}

// === impl HttpService ===

impl<S, B> HttpService for S
where
    S: Service<Request<RequestBody>, Response = Response<B>, Error: Into<BoxError>>
        + Clone
        + Send
        + 'static,
    S::Future: Send + 'static,
    B: Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
{
    type ResponseBody = B;
    type ResponseFuture = S::Future;
}
