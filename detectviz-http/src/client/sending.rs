//! The future of one attempt, in memory that is used again.
use super::{
    Body,
    pool::{EndpointPool, Lease, SendError},
};
use detectviz_core::spare::Spare;
use http::{Request, Response};
use hyper::body::Incoming;
use std::{
    fmt,
    future::pending,
    task::{Context, Poll},
    time::Instant,
};
use tokio_util::sync::ReusableBoxFuture;

/// How many a thread keeps for later; more attempts at a time than that allocate.
const SPARE: usize = 1024;

thread_local! {
    static UNUSED: Spare<Boxed> = const { Spare::new(SPARE) };
}

/// What an attempt brings: the response, and the connection that its body comes on.
pub(super) type Sent = Result<(Response<Incoming>, Lease), SendError>;

type Boxed = ReusableBoxFuture<'static, Sent>;

/// One attempt. Dropping it cancels the attempt: over HTTP/2 its stream is reset, over HTTP/1 its connection is closed.
pub(super) struct Sending {
    /// There until it is dropped.
    future: Option<Boxed>,
}

// === impl Sending ===

impl Sending {
    /// Takes `request` and sends it on a connection of `pool`, from the first poll on, which is soon after `now`.
    #[inline]
    pub(super) fn new(
        pool: EndpointPool,
        request: &mut Option<Request<Body>>,
        now: Instant,
    ) -> Self {
        let work = attempt(request.take().map(|request| (pool, request, now)));
        let future = match Spare::take(&UNUSED) {
            Some(mut kept) => {
                kept.set(work);
                kept
            }
            None => Boxed::new(work),
        };
        Self {
            future: Some(future),
        }
    }

    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Sent> {
        match &mut self.future {
            Some(future) => future.poll(cx),
            None => Poll::Pending,
        }
    }
}

impl Drop for Sending {
    fn drop(&mut self) {
        let Some(mut future) = self.future.take() else {
            return;
        };
        // What the attempt holds is dropped, and its memory stays.
        future.set(attempt(None));
        Spare::give(&UNUSED, future);
    }
}

impl fmt::Debug for Sending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sending").finish_non_exhaustive()
    }
}

/// Without work it never ends.
async fn attempt(work: Option<(EndpointPool, Request<Body>, Instant)>) -> Sent {
    match work {
        Some((pool, request, now)) => pool.send(request, now).await,
        None => pending().await,
    }
}
