//! Runs one connection of hyper's under the timer and the end of its server.
use super::{
    control::{Control, Level},
    exec::Exec,
    http_service::HttpService,
    io::Io,
    link::Link,
    service::ConnService,
    state::{Reason, Verdict, Watch},
};
use hyper::server::conn::{http1, http2};
use hyper_util::rt::TokioIo;
use std::{
    future::{Future, poll_fn},
    pin::{Pin, pin},
    task::{Context, Poll},
    time::Duration,
};
use tokio::time::{Instant, Sleep};

pub(super) type Http1<S> = http1::UpgradeableConnection<TokioIo<Io>, ConnService<S>>;
pub(super) type Http2<S> = http2::Connection<TokioIo<Io>, ConnService<S>, Exec>;

/// How a connection came to its end.
#[derive(Debug)]
pub(super) enum End {
    Done,
    Failed(hyper::Error),
    Closed(Reason),
    /// Idle: to be taken apart until the client says something.
    Parked,
    Cut,
}

/// A connection that can be told to take no more requests.
pub(super) trait Connection: Future<Output = hyper::Result<()>> + Unpin {
    /// The drain has begun.
    fn drain(&mut self);

    /// The connection is too old.
    fn retire(&mut self, link: &Link);
}

/// Polls `conn` to its end. Whatever the reason, the connection is left as it is then.
pub(super) async fn drive<C: Connection>(
    conn: &mut C,
    link: &Link,
    control: &Control,
    watch: &mut Watch,
    mut sleep: Pin<&mut Sleep>,
    linger: impl Fn() -> Duration,
) -> End {
    let mut told = pin!(control.told());
    let mut level = Level::Running;
    let mut new = true;
    let mut armed = false;
    poll_fn(|cx| {
        // The task's waker never changes, so that one registration is enough until the level is raised.
        while new || control.level() != level {
            told.set(control.told());
            let raised = control.level();
            if raised == Level::Stopping {
                return Poll::Ready(End::Cut);
            }
            if raised != level {
                watch.drain(linger(), Instant::now());
                conn.drain();
            }
            level = raised;
            new = told.as_mut().poll(cx).is_ready();
        }
        loop {
            match Pin::new(&mut *conn).poll(cx) {
                Poll::Ready(Ok(())) => return Poll::Ready(End::Done),
                Poll::Ready(Err(err)) => return Poll::Ready(End::Failed(err)),
                Poll::Pending => {}
            }
            let first = !std::mem::replace(&mut armed, true);
            match poll_timer(link, watch, sleep.as_mut(), first, cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Some(end)) => return Poll::Ready(end),
                Poll::Ready(None) => {
                    link.retire();
                    conn.retire(link);
                }
            }
        }
    })
    .await
}

/// `None`: the client is to be asked to leave.
fn poll_timer(
    link: &Link,
    watch: &mut Watch,
    mut sleep: Pin<&mut Sleep>,
    first: bool,
    cx: &mut Context<'_>,
) -> Poll<Option<End>> {
    let seen = link.seen();
    // The sleep is armed by the first look and never again while the connection is busy, until it fires.
    if !first && !sleep.is_elapsed() && !watch.is_urgent(&seen) {
        return Poll::Pending;
    }
    loop {
        match watch.observe(seen, Instant::now()) {
            Verdict::Until(deadline) => {
                if sleep.is_elapsed() || deadline < sleep.deadline() {
                    sleep.as_mut().reset(deadline);
                }
            }
            Verdict::Retire => return Poll::Ready(None),
            Verdict::Park => return Poll::Ready(Some(End::Parked)),
            Verdict::Close(reason) => return Poll::Ready(Some(End::Closed(reason))),
        }
        if sleep.as_mut().poll(cx).is_pending() {
            return Poll::Pending;
        }
    }
}

// === impl UpgradeableConnection ===

impl<S: HttpService> Connection for Http1<S> {
    /// A request may be on its way to a connection that is idle: the timer closes it, and every response says so.
    fn drain(&mut self) {}

    fn retire(&mut self, _: &Link) {}
}

// === impl http2::Connection ===

impl<S: HttpService> Connection for Http2<S> {
    /// RFC 9113 §6.8: GOAWAY with the highest stream, a PING, and GOAWAY with the last stream.
    fn drain(&mut self) {
        Pin::new(self).graceful_shutdown();
    }

    fn retire(&mut self, _: &Link) {
        Pin::new(self).graceful_shutdown();
    }
}
