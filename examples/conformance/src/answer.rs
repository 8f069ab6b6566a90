//! What this server answers with.
use bytes::Bytes;
use detectviz_core::error::BoxError;
use http::{Response, StatusCode, header};
use http_body_util::{BodyExt, Either, Full, combinators::UnsyncBoxBody};

/// A body that is there at once, or one that comes bit by bit.
pub(crate) type Body = Either<Full<Bytes>, UnsyncBoxBody<Bytes, BoxError>>;

/// An answer of plain text.
pub(crate) fn text(status: StatusCode, text: &'static str) -> Response<Body> {
    let mut response = Response::new(Either::Left(Full::new(Bytes::from_static(text.as_bytes()))));
    *response.status_mut() = status;
    let plain = header::HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, plain);
    response
}

/// An answer whose body comes bit by bit.
pub(crate) fn stream<B>(body: B) -> Response<Body>
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    if body.is_end_stream() {
        return Response::new(Either::Left(Full::default()));
    }
    Response::new(Either::Right(body.map_err(Into::into).boxed_unsync()))
}
