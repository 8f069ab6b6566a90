//! A connection that a call uses.
use super::{super::Body, endpoint::Inner, send_error::SendError};
use http::{Request, Response};
use hyper::{
    body::Incoming,
    client::conn::{TrySendError, http1, http2},
};
use std::{fmt, sync::Arc, time::Instant};

/// A connection, for as long as a call uses it. One that is dropped before the call is [over](Self::finish) is closed, if it
/// carried that call alone.
pub(in super::super) struct Lease {
    sender: Sender,
    /// Calls that it has carried, this one included.
    served: u32,
    pool: Arc<Inner>,
}

/// A connection that waits for its next call.
pub(super) struct Idle {
    pub(super) sender: http1::SendRequest<Body>,
    pub(super) served: u32,
    pub(super) since: Instant,
}

pub(super) enum Sender {
    Http1(http1::SendRequest<Body>),
    Http2(http2::SendRequest<Body>),
}

// === impl Lease ===

impl Lease {
    pub(super) fn new(sender: Sender, served: u32, pool: &Arc<Inner>) -> Self {
        Self {
            sender,
            served: served.saturating_add(1),
            pool: Arc::clone(pool),
        }
    }

    /// Waits until the connection takes a call; `false` when it is closed.
    pub(super) async fn is_ready(&mut self) -> bool {
        match &mut self.sender {
            Sender::Http1(sender) => sender.ready().await.is_ok(),
            Sender::Http2(sender) => sender.ready().await.is_ok(),
        }
    }

    /// Whether it has carried another call before: then the other end may have closed it, which is no sign of a failure.
    pub(super) fn is_reused(&self) -> bool {
        self.served > 1
    }

    /// Sends the request.
    ///
    /// # Errors
    /// [`SendError`], with the request when nothing of it was sent.
    pub(super) async fn send(
        &mut self,
        request: Request<Body>,
    ) -> Result<Response<Incoming>, SendError> {
        let sent = match &mut self.sender {
            Sender::Http1(sender) => sender.try_send_request(request).await,
            Sender::Http2(sender) => sender.try_send_request(request).await,
        };
        sent.map_err(
            |mut err: TrySendError<Request<Body>>| match err.take_message() {
                Some(request) => SendError::unsent(err.into_error(), request),
                None => SendError::sent(err.into_error()),
            },
        )
    }

    /// The body of the response has ended at `now`: the connection is free.
    pub(in super::super) fn finish(self, now: Instant) {
        if let Sender::Http1(sender) = self.sender {
            self.pool.free(sender, self.served, now);
        }
    }
}

impl fmt::Debug for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lease")
            .field("served", &self.served)
            .finish_non_exhaustive()
    }
}
