//! The future of one response.
use super::{
    control::Level, http_service::HttpService, link::InFlight, reply::Refusal,
    response::ResponseBody,
};
use crate::body::{Exchange, RequestBody};
use bytes::Bytes;
use detectviz_core::error::BoxError;
use http::{
    HeaderValue, Request, Response, StatusCode,
    header::{CONNECTION, CONTENT_LENGTH, CONTENT_TYPE},
};
use http_body::Body;
use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

pin_project_lite::pin_project! {
    /// The future of one response, which becomes what the rules of the connection make of it.
    pub(super) struct ConnFuture<S: HttpService> {
        #[pin]
        state: Start<S, S::ResponseFuture>,
        in_flight: Option<InFlight>,
        headless: bool,
    }
}

pin_project_lite::pin_project! {
    /// How a request begins.
    #[project = StartProj]
    pub(super) enum Start<S, F> {
        Called { #[pin] future: F },
        // On the heap: rare, and larger than the others.
        Waiting { service: S, request: Option<Box<Request<RequestBody>>> },
        Failed { err: Option<BoxError> },
        Refused { refusal: Refusal },
    }
}

// === impl ConnFuture ===

impl<S: HttpService> ConnFuture<S> {
    /// Sends the head alone when `headless`: the answer to a `HEAD` over HTTP/2, where hyper leaves that to its user and a
    /// client that gets a body resets the stream (RFC 9110 §9.3.2).
    pub(super) fn new(
        state: Start<S, S::ResponseFuture>,
        in_flight: InFlight,
        headless: bool,
    ) -> Self {
        Self {
            state,
            in_flight: Some(in_flight),
            headless,
        }
    }
}

impl<S: HttpService> Future for ConnFuture<S> {
    type Output = Result<Response<ResponseBody<S::ResponseBody>>, BoxError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let result = loop {
            match this.state.as_mut().project() {
                StartProj::Called { future } => {
                    break ready!(future.poll(cx)).map_err(|err| failed(err.into()));
                }
                StartProj::Waiting { service, request } => {
                    if let Err(err) = ready!(service.poll_ready(cx)) {
                        break Err(failed(err.into()));
                    }
                    let request = request.take().expect("a request waits once");
                    let info = this.in_flight.as_ref().map(|open| open.link().info());
                    let _entered = info.map(crate::conn::ConnInfo::enter);
                    let future = service.call(*request);
                    this.state.set(Start::Called { future });
                }
                StartProj::Failed { err } => {
                    break Err(failed(
                        err.take().expect("a future is not polled after its end"),
                    ));
                }
                StartProj::Refused { refusal } => break Err(*refusal),
            }
        };
        let in_flight = this
            .in_flight
            .take()
            .expect("a future is not polled after its end");
        let response = finish(result, in_flight);
        Poll::Ready(Ok(if *this.headless {
            without_body(response)
        } else {
            response
        }))
    }
}

/// The service is expected to answer its own errors; one that comes this far has no better answer.
fn failed(err: BoxError) -> Refusal {
    tracing::error!(error = %err, "the service failed; answered with 500");
    Refusal::Internal
}

fn finish<B>(
    result: Result<Response<B>, Refusal>,
    in_flight: InFlight,
) -> Response<ResponseBody<B>> {
    let link = in_flight.link();
    let shared = link.shared();
    let exchange = in_flight.exchange();
    let result = result.and_then(|response| overrule(response, exchange));
    let refused = result.is_err();
    if refused && result.as_ref().err() == Some(&Refusal::RequestTimeout) {
        link.body_timed_out();
    }
    if exchange.is_some_and(Exchange::is_dropped) {
        link.leave_unread();
    }
    let http1 = !link.info().is_http2();
    let ending = shared.phase.is_ending() || shared.control.level() >= Level::Draining;
    let close = http1 && (ending || link.is_unread() || link.is_retired() || refused);
    let mut response = match result {
        Ok(response) => {
            let drain = is_event_stream(&response).then(|| shared.control.drain_token().clone());
            response.map(|body| ResponseBody::service(body, in_flight, drain.as_ref()))
        }
        Err(refusal) => refusal
            .response(false)
            .map(|bytes| ResponseBody::refusal(bytes, in_flight)),
    };
    if close && response.status() != StatusCode::SWITCHING_PROTOCOLS {
        response
            .headers_mut()
            .insert(CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

/// Takes the body away, and leaves its length.
fn without_body<B>(mut response: Response<ResponseBody<B>>) -> Response<ResponseBody<B>>
where
    B: Body<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    let length = response.body().size_hint().exact();
    if let Some(length) = length
        && !response.headers().contains_key(CONTENT_LENGTH)
    {
        let length = HeaderValue::from(length);
        response.headers_mut().insert(CONTENT_LENGTH, length);
    }
    response.map(ResponseBody::ended)
}

/// Puts 408 or 413 in place of the error that a handler made of a body that failed.
fn overrule<B>(response: Response<B>, exchange: Option<&Exchange>) -> Result<Response<B>, Refusal> {
    let status = response.status();
    if !status.is_client_error() && !status.is_server_error() {
        return Ok(response);
    }
    match exchange {
        Some(exchange) if exchange.is_timed_out() => Err(Refusal::RequestTimeout),
        Some(exchange) if exchange.is_too_large() => Err(Refusal::TooLarge),
        _ => Ok(response),
    }
}

fn is_event_stream<B>(response: &Response<B>) -> bool {
    // A look-up hashes the name; a response has few headers.
    let mut headers = response.headers().iter();
    let kind = headers.find(|(name, _)| **name == CONTENT_TYPE);
    kind.is_some_and(|(_, value)| {
        let start = value.as_bytes().first_chunk::<17>();
        start.is_some_and(|start| start.eq_ignore_ascii_case(b"text/event-stream"))
    })
}
