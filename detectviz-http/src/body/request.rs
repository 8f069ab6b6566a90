//! The body of a request itself.
use super::{
    Exchange,
    error::{BodyError, Cause},
    state::Pace,
};
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};
use tokio::time::{Instant, Sleep, sleep_until};

/// The body of a request, bounded in size and in time.
///
/// # Cancel safety
/// A frame is returned or stays in the body; dropping the future that polls it loses nothing. Dropping the body itself
/// before its end closes an HTTP/1 connection once the response is sent.
#[derive(Debug)]
pub struct RequestBody {
    source: Source,
    left: u64,
    limit: u64,
    pace: Option<Pace>,
    sleep: Option<Pin<Box<Sleep>>>,
    exchange: Option<Arc<Exchange>>,
    over: bool,
}

#[derive(Debug)]
enum Source {
    Full(Option<Bytes>),
    Incoming(Incoming),
    #[cfg(test)]
    Test(tokio::sync::mpsc::UnboundedReceiver<Bytes>),
}

// === impl RequestBody ===

impl RequestBody {
    /// A body without bytes.
    #[must_use]
    pub fn empty() -> Self {
        Self::new(Source::Full(None))
    }

    pub(crate) fn incoming(
        incoming: Incoming,
        limit: u64,
        progress: Duration,
        min_rate: u64,
        exchange: Arc<Exchange>,
    ) -> Self {
        let mut body = Self::new(Source::Incoming(incoming)).limit(limit);
        body.pace = Some(Pace::new(progress, min_rate));
        body.exchange = Some(exchange);
        body
    }

    #[cfg(test)]
    pub(super) fn channel(
        progress: Duration,
        min_rate: u64,
    ) -> (tokio::sync::mpsc::UnboundedSender<Bytes>, Self) {
        let (sender, receiver) = tokio::sync::mpsc::unbounded_channel();
        let mut body = Self::new(Source::Test(receiver));
        body.pace = Some(Pace::new(progress, min_rate));
        (sender, body)
    }

    fn new(source: Source) -> Self {
        Self {
            source,
            left: u64::MAX,
            limit: u64::MAX,
            pace: None,
            sleep: None,
            exchange: None,
            over: false,
        }
    }

    /// Fails the body once more than `bytes` have come, counted from now on. A route may allow more than the server's
    /// default this way only where the length is not declared: a declared length beyond the server's limit never gets
    /// here.
    #[must_use]
    pub fn limit(mut self, bytes: u64) -> Self {
        self.limit = bytes;
        self.left = bytes;
        self
    }

    /// Takes both limits off: for a stream of messages that lives long and may be silent, such as a gRPC client stream,
    /// where each message has a limit of its own.
    #[must_use]
    pub fn streaming(mut self) -> Self {
        self.pace = None;
        self.sleep = None;
        self.limit(u64::MAX)
    }

    fn fail(&mut self, cause: Cause) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        if let Some(exchange) = self.exchange.take() {
            match cause {
                Cause::TooLarge { .. } => exchange.too_large(),
                Cause::TimedOut { .. } => exchange.timed_out(),
                Cause::Broken(_) => {}
            }
            exchange.dropped();
        }
        self.over = true;
        // Nothing more is wanted: the connection may stop reading even when the handler keeps the body.
        self.source = Source::Full(None);
        Poll::Ready(Some(Err(BodyError::new(cause))))
    }

    fn ended(&mut self) {
        self.over = true;
        if let Some(exchange) = self.exchange.take() {
            exchange.ended();
        }
    }

    /// Whether the wait has become too long.
    fn poll_late(&mut self, cx: &mut Context<'_>) -> Poll<Duration> {
        let Some(pace) = &mut self.pace else {
            return Poll::Pending;
        };
        let mut now = Instant::now();
        let deadline = pace.waiting(now);
        let sleep = self
            .sleep
            .get_or_insert_with(|| Box::pin(sleep_until(deadline)));
        // A timer that is set too early is put right when it fires: a body that flows then costs no timer operation.
        if sleep.deadline() > deadline || (sleep.is_elapsed() && now < deadline) {
            sleep.as_mut().reset(deadline);
        }
        while sleep.as_mut().poll(cx).is_ready() {
            now = now.max(Instant::now());
            if now >= deadline {
                return Poll::Ready(pace.limit());
            }
            sleep.as_mut().reset(deadline);
        }
        Poll::Pending
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = self.get_mut();
        if this.over {
            return Poll::Ready(None);
        }
        let Poll::Ready(next) = this.source.poll_frame(cx) else {
            return match this.poll_late(cx) {
                Poll::Ready(limit) => this.fail(Cause::TimedOut { limit }),
                Poll::Pending => Poll::Pending,
            };
        };
        if let Some(pace) = &mut this.pace
            && pace.is_waiting()
        {
            pace.resumed(Instant::now());
        }
        match next {
            Some(Ok(frame)) => {
                if let Some(data) = frame.data_ref() {
                    let bytes = data.len();
                    let Some(left) = this.left.checked_sub(bytes as u64) else {
                        let limit = this.limit;
                        return this.fail(Cause::TooLarge { limit });
                    };
                    this.left = left;
                    if let Some(pace) = &mut this.pace {
                        pace.received(bytes);
                    }
                }
                if this.source.is_end_stream() {
                    this.ended();
                }
                Poll::Ready(Some(Ok(frame)))
            }
            Some(Err(err)) => this.fail(Cause::Broken(err)),
            None => {
                this.ended();
                Poll::Ready(None)
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.over || self.source.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        if self.over {
            return SizeHint::with_exact(0);
        }
        match &self.source {
            Source::Full(bytes) => {
                SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64))
            }
            Source::Incoming(incoming) => incoming.size_hint(),
            #[cfg(test)]
            Source::Test(_) => SizeHint::default(),
        }
    }
}

impl Default for RequestBody {
    fn default() -> Self {
        Self::empty()
    }
}

impl<T: Into<Bytes>> From<T> for RequestBody {
    fn from(bytes: T) -> Self {
        let bytes = bytes.into();
        Self::new(Source::Full((!bytes.is_empty()).then_some(bytes)))
    }
}

impl Drop for RequestBody {
    fn drop(&mut self) {
        if let Some(exchange) = self.exchange.take() {
            if self.source.is_end_stream() {
                exchange.ended();
            } else {
                exchange.dropped();
            }
        }
    }
}

// === impl Source ===

impl Source {
    fn poll_frame(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        match self {
            Self::Full(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Self::Incoming(incoming) => Pin::new(incoming).poll_frame(cx),
            #[cfg(test)]
            Self::Test(receiver) => receiver
                .poll_recv(cx)
                .map(|bytes| bytes.map(|bytes| Ok(Frame::data(bytes)))),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Full(bytes) => bytes.is_none(),
            Self::Incoming(incoming) => incoming.is_end_stream(),
            #[cfg(test)]
            Self::Test(_) => false,
        }
    }
}
