//! What is sent, and what comes back.
use super::{attempt::Answer, call::Call, pool::Lease, replay::Replayed};
use bytes::Bytes;
use detectviz_core::{clock, error::BoxError};
use http::Response;
use http_body::{Body as _, Frame, SizeHint};
use http_body_util::{BodyExt, Empty, Full, combinators::UnsyncBoxBody};
use hyper::body::Incoming;
use std::{
    any::Any,
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Instant,
};

/// The body of a request.
///
/// One that is empty, or in one piece, costs no allocation; any other is boxed.
#[derive(Default)]
pub struct Body(Kind);

#[derive(Default)]
enum Kind {
    #[default]
    Empty,
    Full(Full<Bytes>),
    Boxed(UnsyncBoxBody<Bytes, BoxError>),
    Replayed(Replayed),
}

pin_project_lite::pin_project! {
    /// The body of a response: fails with [`Elapsed`](detectviz_core::resilience::timeout::Elapsed) when the call's time is up
    /// before its end.
    ///
    /// The call is recorded when the body ends, fails or is dropped. It is not `Unpin`: use [`std::pin::pin!`], or read it
    /// whole with [`BodyExt::collect`]. One that is made from bytes stands in for one that did not come.
    pub struct ResponseBody {
        #[pin]
        inner: Inner,
        call: Option<Call>,
        lease: Option<Lease>,
    }
}

pin_project_lite::pin_project! {
    #[project = InnerProj]
    #[derive(Debug)]
    enum Inner {
        Incoming { #[pin] body: Incoming },
        Whole { #[pin] body: Full<Bytes> },
    }
}

// === impl Body ===

impl Body {
    /// A body of no bytes.
    #[must_use]
    pub fn empty() -> Self {
        Self::default()
    }

    /// All of it, when it is there as a whole.
    pub(super) fn whole(&self) -> Option<Bytes> {
        match &self.0 {
            Kind::Empty => Some(Bytes::new()),
            Kind::Full(body) => Some(body.clone().into_inner().unwrap_or_default()),
            Kind::Boxed(_) | Kind::Replayed(_) => None,
        }
    }

    /// The body of one of several attempts.
    pub(super) fn replayed(body: Replayed) -> Self {
        Self(Kind::Replayed(body))
    }

    /// Takes any body.
    pub fn new<B>(body: B) -> Self
    where
        B: http_body::Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        let mut body = Some(body);
        let any: &mut dyn Any = &mut body;
        if let Some(body) = any.downcast_mut::<Option<Self>>() {
            return body.take().unwrap_or_default();
        }
        if let Some(body) = any.downcast_mut::<Option<Full<Bytes>>>() {
            return Self(body.take().map_or(Kind::Empty, Kind::Full));
        }
        if any.is::<Option<Empty<Bytes>>>() {
            return Self::empty();
        }
        match body {
            Some(body) => Self(Kind::Boxed(body.map_err(Into::into).boxed_unsync())),
            None => Self::empty(),
        }
    }
}

impl From<Bytes> for Body {
    fn from(bytes: Bytes) -> Self {
        Self(Kind::Full(Full::new(bytes)))
    }
}

impl From<String> for Body {
    fn from(text: String) -> Self {
        Bytes::from(text).into()
    }
}

impl From<&'static str> for Body {
    fn from(text: &'static str) -> Self {
        Bytes::from_static(text.as_bytes()).into()
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match &mut self.0 {
            Kind::Empty => Poll::Ready(None),
            Kind::Full(body) => match ready!(Pin::new(body).poll_frame(cx)) {
                Some(Ok(frame)) => Poll::Ready(Some(Ok(frame))),
                _ => Poll::Ready(None),
            },
            Kind::Boxed(body) => Pin::new(body).poll_frame(cx),
            Kind::Replayed(body) => Pin::new(body).poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Kind::Empty => true,
            Kind::Full(body) => body.is_end_stream(),
            Kind::Boxed(body) => body.is_end_stream(),
            Kind::Replayed(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Kind::Empty => SizeHint::with_exact(0),
            Kind::Full(body) => body.size_hint(),
            Kind::Boxed(body) => body.size_hint(),
            Kind::Replayed(body) => body.size_hint(),
        }
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match &self.0 {
            Kind::Empty => "Empty",
            Kind::Full(_) => "Full",
            Kind::Boxed(_) => "Boxed",
            Kind::Replayed(_) => "Replayed",
        };
        f.debug_tuple("Body").field(&kind).finish()
    }
}

// === impl ResponseBody ===

impl ResponseBody {
    /// The response of a call.
    pub(super) fn answer(answer: Answer, mut call: Call) -> Response<Self> {
        let (response, lease) = (answer.response, answer.lease);
        let now = answer.answering.at();
        call.answered(response.status(), answer.answering);
        response.map(|body| {
            let (mut call, mut lease) = (Some(call), Some(lease));
            if body.is_end_stream() {
                whole(&mut call, &mut lease, now);
            }
            Self {
                inner: Inner::Incoming { body },
                call,
                lease,
            }
        })
    }

    /// A body of no bytes.
    #[must_use]
    pub fn empty() -> Self {
        Bytes::new().into()
    }
}

impl From<Bytes> for ResponseBody {
    fn from(bytes: Bytes) -> Self {
        let body = Full::new(bytes);
        Self {
            inner: Inner::Whole { body },
            call: None,
            lease: None,
        }
    }
}

impl From<String> for ResponseBody {
    fn from(text: String) -> Self {
        Bytes::from(text).into()
    }
}

impl From<&'static str> for ResponseBody {
    fn from(text: &'static str) -> Self {
        Bytes::from_static(text.as_bytes()).into()
    }
}

impl http_body::Body for ResponseBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let mut this = self.project();
        let polled = match this.inner.as_mut().project() {
            InnerProj::Whole { body } => {
                return body.poll_frame(cx).map_err(|never| match never {});
            }
            InnerProj::Incoming { body } => body.poll_frame(cx),
        };
        match polled {
            Poll::Ready(Some(Ok(frame))) => {
                if let (Some(call), Some(trailers)) = (&mut *this.call, frame.trailers_ref()) {
                    call.trailers(trailers);
                }
                // The last frame is the end for a reader who counts bytes and does not ask again.
                if this.inner.is_end_stream() {
                    whole(this.call, this.lease, clock::now());
                }
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Ready(Some(Err(err))) => {
                let err = match this.call.take() {
                    Some(mut call) => call.failed(err),
                    None => err.into(),
                };
                Poll::Ready(Some(Err(err)))
            }
            Poll::Ready(None) => {
                if this.call.is_some() {
                    whole(this.call, this.lease, clock::now());
                }
                Poll::Ready(None)
            }
            Poll::Pending => {
                let Some(call) = this.call.as_mut() else {
                    return Poll::Pending;
                };
                let now = ready!(call.poll_body_time(cx));
                let err = call.elapsed(now);
                *this.call = None;
                Poll::Ready(Some(Err(err)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        match &self.inner {
            Inner::Incoming { body } => body.size_hint(),
            Inner::Whole { body } => body.size_hint(),
        }
    }
}

impl fmt::Debug for ResponseBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseBody")
            .field("inner", &self.inner)
            .finish_non_exhaustive()
    }
}

// === impl Inner ===

impl Inner {
    fn is_end_stream(&self) -> bool {
        match self {
            Self::Incoming { body } => body.is_end_stream(),
            Self::Whole { body } => body.is_end_stream(),
        }
    }
}

/// The body has ended at `now`: the call is recorded, and its connection is free.
fn whole(call: &mut Option<Call>, lease: &mut Option<Lease>, now: Instant) {
    if let Some(mut call) = call.take() {
        call.ended(now);
    }
    if let Some(lease) = lease.take() {
        lease.finish(now);
    }
}
