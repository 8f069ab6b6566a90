//! What is sent, and what comes back.
use super::{call::Call, pool::Lease};
use bytes::Bytes;
use detectviz_core::{error::BoxError, resilience::timeout::Elapsed};
use http_body::{Body as _, Frame, SizeHint};
use http_body_util::{BodyExt, Empty, Full, combinators::UnsyncBoxBody};
use hyper::body::Incoming;
use std::{
    any::Any,
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Instant,
};
use tokio::time::{Sleep, sleep_until};

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
}

pin_project_lite::pin_project! {
    /// The body of a response: fails with [`Elapsed`] when the call's time is up before its end.
    ///
    /// The call is recorded when the body ends, fails or is dropped. It is not `Unpin`: use [`std::pin::pin!`], or read it
    /// whole with [`BodyExt::collect`].
    pub struct ResponseBody {
        #[pin]
        inner: Incoming,
        #[pin]
        sleep: Option<Sleep>,
        deadline: Instant,
        call: Option<Call>,
        lease: Option<Lease>,
    }
}

// === impl Body ===

impl Body {
    /// A body of no bytes.
    #[must_use]
    pub fn empty() -> Self {
        Self::default()
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
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Kind::Empty => true,
            Kind::Full(body) => body.is_end_stream(),
            Kind::Boxed(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Kind::Empty => SizeHint::with_exact(0),
            Kind::Full(body) => body.size_hint(),
            Kind::Boxed(body) => body.size_hint(),
        }
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match &self.0 {
            Kind::Empty => "Empty",
            Kind::Full(_) => "Full",
            Kind::Boxed(_) => "Boxed",
        };
        f.debug_tuple("Body").field(&kind).finish()
    }
}

// === impl ResponseBody ===

impl ResponseBody {
    pub(super) fn new(
        inner: Incoming,
        deadline: Instant,
        mut call: Option<Call>,
        lease: Lease,
    ) -> Self {
        let mut lease = Some(lease);
        if inner.is_end_stream() {
            whole(&mut call, &mut lease);
        }
        Self {
            inner,
            sleep: None,
            deadline,
            call,
            lease,
        }
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
        if let Poll::Ready(frame) = this.inner.as_mut().poll_frame(cx) {
            let failed = match frame {
                Some(Ok(frame)) => {
                    // The last frame is the end for a reader who counts bytes and does not ask again.
                    if this.inner.is_end_stream() {
                        whole(this.call, this.lease);
                    }
                    return Poll::Ready(Some(Ok(frame)));
                }
                Some(Err(err)) => err,
                None => {
                    whole(this.call, this.lease);
                    return Poll::Ready(None);
                }
            };
            let err = match this.call.take() {
                Some(mut call) => call.failed(failed),
                None => failed.into(),
            };
            return Poll::Ready(Some(Err(err)));
        }
        if this.call.is_none() {
            return Poll::Pending;
        }
        if this.sleep.is_none() {
            this.sleep.set(Some(sleep_until((*this.deadline).into())));
        }
        if let Some(sleep) = this.sleep.as_mut().as_pin_mut() {
            ready!(sleep.poll(cx));
        }
        let err = match this.call.take() {
            Some(mut call) => call.elapsed(*this.deadline),
            None => Elapsed::new(std::time::Duration::ZERO).into(),
        };
        Poll::Ready(Some(Err(err)))
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

/// The body has ended: the call is recorded, and its connection is free.
fn whole(call: &mut Option<Call>, lease: &mut Option<Lease>) {
    if let Some(mut call) = call.take() {
        call.ended();
    }
    if let Some(lease) = lease.take() {
        lease.finish();
    }
}

impl fmt::Debug for ResponseBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseBody")
            .field("inner", &self.inner)
            .field("deadline", &self.deadline)
            .finish_non_exhaustive()
    }
}
