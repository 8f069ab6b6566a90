//! `GET /sse`: an event each second until the service drains.
use crate::answer::{self, Body};
use bytes::Bytes;
use detectviz_core::{
    error::BoxError,
    lifecycle::{Phase, PhaseWatch},
};
use futures_util::stream;
use http::{Response, header};
use http_body::Frame;
use http_body_util::StreamBody;
use std::time::Duration;

/// Answers with a stream of events, the first at once.
pub(crate) fn answer(phase: PhaseWatch) -> Response<Body> {
    let events = stream::unfold((phase, 0_u64), async |(phase, n)| {
        if n > 0 {
            tokio::select! {
                () = tokio::time::sleep(Duration::from_secs(1)) => {}
                () = phase.reached(Phase::Draining) => return None,
            }
        }
        let event = Bytes::from(format!("data: {n}\n\n"));
        Some((Ok::<_, BoxError>(Frame::data(event)), (phase, n + 1)))
    });
    let mut response = answer::stream(StreamBody::new(Box::pin(events)));
    let events = header::HeaderValue::from_static("text/event-stream");
    response.headers_mut().insert(header::CONTENT_TYPE, events);
    response
}
