//! The body of a response on its way out.
use super::{control::DrainToken, link::InFlight};
use bytes::Bytes;
use detectviz_core::error::BoxError;
use http_body::{Body, Frame, SizeHint};
use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};
use tokio_util::sync::WaitForCancellationFutureOwned;

pin_project_lite::pin_project! {
    /// The body of a response: that of the service, or of a refusal. An event stream ends cleanly when the drain starts.
    pub(super) struct ResponseBody<B> {
        #[pin]
        source: Source<B>,
        in_flight: InFlight,
        drained: Option<Pin<Box<WaitForCancellationFutureOwned>>>,
    }
}

pin_project_lite::pin_project! {
    #[project = SourceProj]
    enum Source<B> {
        Service { #[pin] body: B },
        Refusal { bytes: Option<Bytes> },
        Ended,
    }
}

// === impl ResponseBody ===

impl<B> ResponseBody<B> {
    /// With `drain`, it ends with the drain instead of with the service's body.
    pub(super) fn service(body: B, in_flight: InFlight, drain: Option<&DrainToken>) -> Self {
        Self {
            source: Source::Service { body },
            drained: drain.map(|drain| Box::pin(drain.wait())),
            in_flight,
        }
    }

    pub(super) fn refusal(bytes: Bytes, in_flight: InFlight) -> Self {
        Self {
            source: Source::Refusal { bytes: Some(bytes) },
            in_flight,
            drained: None,
        }
    }

    /// Holds nothing any more.
    pub(super) fn ended(self) -> Self {
        Self {
            source: Source::Ended,
            in_flight: self.in_flight,
            drained: None,
        }
    }
}

impl<B> Body for ResponseBody<B>
where
    B: Body<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let mut this = self.project();
        match this.source.as_mut().project() {
            SourceProj::Service { body } => {
                if let Poll::Ready(frame) = body.poll_frame(cx) {
                    return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
                }
                if let Some(drained) = this.drained
                    && drained.as_mut().poll(cx).is_ready()
                {
                    this.source.set(Source::Ended);
                    return Poll::Ready(None);
                }
                Poll::Pending
            }
            SourceProj::Refusal { bytes } => {
                Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes))))
            }
            SourceProj::Ended => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.source {
            Source::Service { body } => body.is_end_stream(),
            Source::Refusal { bytes } => bytes.is_none(),
            Source::Ended => true,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.source {
            Source::Service { body } => body.size_hint(),
            Source::Refusal { bytes } => {
                SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64))
            }
            Source::Ended => SizeHint::with_exact(0),
        }
    }
}

impl<B> fmt::Debug for ResponseBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseBody")
            .field("in_flight", &self.in_flight)
            .finish_non_exhaustive()
    }
}
