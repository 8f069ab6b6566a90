//! One request as a client behind a gateway sends it, and how a service answers it without a network.
use bytes::Bytes;
use http::{Request, Response, Version};
use http_body::Body;
use http_body_util::Empty;
use std::{
    fmt::Debug,
    future::Future,
    pin::pin,
    task::{Context, Poll, Waker},
};
use tower_service::Service;

/// A GET of `/orders/7` with five headers, `traceparent` among them, that says whether the trace is sampled.
///
/// Clone it for each call. Its values are pieces of shared buffers, as those that came over a wire are.
#[must_use]
pub fn request(sampled: bool) -> Request<Empty<Bytes>> {
    let flags = u8::from(sampled);
    let parent = format!("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0{flags}");
    let mut request = Request::new(Empty::new());
    *request.uri_mut() = http::Uri::from_static("/orders/7?expand=lines");
    *request.version_mut() = Version::HTTP_11;
    for (name, value) in [
        ("host", "shop.example:8080"),
        ("user-agent", "curl/8.5.0"),
        ("accept", "*/*"),
        ("x-request-id", "7f3c1e52"),
        ("traceparent", parent.as_str()),
    ] {
        let value = Bytes::copy_from_slice(value.as_bytes());
        // A buffer that is shared once stays so, and its clones allocate nothing.
        drop(value.clone());
        if let Ok(value) = http::HeaderValue::from_maybe_shared(value) {
            request.headers_mut().insert(name, value);
        }
    }
    request
}

/// Calls a service and reads its answer to the end, polling until it is there; returns the status.
///
/// # Panics
/// When the service fails or refuses to be ready.
pub fn answer<S, B>(service: &mut S, request: Request<Empty<Bytes>>) -> u16
where
    S: Service<Request<Empty<Bytes>>, Response = Response<B>, Error: Debug>,
    B: Body<Error: Debug>,
{
    let mut cx = Context::from_waker(Waker::noop());
    assert!(service.poll_ready(&mut cx).is_ready(), "not ready");
    let mut call = pin!(service.call(request));
    let response = loop {
        if let Poll::Ready(answered) = call.as_mut().poll(&mut cx) {
            break answered.expect("the service answers");
        }
    };
    read(response)
}

/// Reads an answer to its end; returns the status.
///
/// # Panics
/// When its body fails.
#[inline]
pub fn read<B: Body<Error: Debug>>(response: Response<B>) -> u16 {
    let mut cx = Context::from_waker(Waker::noop());
    let status = response.status().as_u16();
    let mut body = pin!(response.into_body());
    while !body.is_end_stream() {
        match body.as_mut().poll_frame(&mut cx) {
            Poll::Ready(Some(frame)) => drop(frame.expect("the body goes on")),
            Poll::Ready(None) => break,
            Poll::Pending => {}
        }
    }
    status
}
