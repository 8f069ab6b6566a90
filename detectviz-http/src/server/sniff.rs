//! Tells HTTP/2 by prior knowledge from HTTP/1, by the first bytes of a connection.
use super::{
    control::{Control, Level},
    state::{Reason, Seen, Verdict, Watch},
    stream::Stream,
};
use std::{
    future::{Future, poll_fn},
    pin::{Pin, pin},
    task::Poll,
};
use tokio::{
    io::{AsyncRead, ReadBuf},
    time::{Instant, Sleep},
};

/// What a client of HTTP/2 sends first (RFC 9113 §3.4).
const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// The bytes that were read to find out, to be read again.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Prefix {
    bytes: [u8; PREFACE.len()],
    start: u8,
    end: u8,
}

/// What the first bytes said.
#[derive(Debug)]
pub(super) enum Sniffed {
    Http1(Prefix),
    Http2(Prefix),
    /// The client went away, or never came.
    Gone,
    Closed(Reason),
    Cut,
}

// === impl Prefix ===

impl Prefix {
    pub(super) fn is_empty(&self) -> bool {
        self.start == self.end
    }

    /// Gives back as much as `buf` takes.
    pub(super) fn read(&mut self, buf: &mut ReadBuf<'_>) {
        let left = &self.bytes[usize::from(self.start)..usize::from(self.end)];
        let count = left.len().min(buf.remaining());
        buf.put_slice(&left[..count]);
        self.start += u8::try_from(count).unwrap_or(u8::MAX);
    }

    fn bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.end)]
    }
}

/// Reads until the protocol is known. With `http2` off everything is HTTP/1. `seen` is what the connection did before.
pub(super) async fn sniff(
    stream: &mut Stream,
    http2: bool,
    mut seen: Seen,
    watch: &mut Watch,
    mut sleep: Pin<&mut Sleep>,
    control: &Control,
    linger: impl Fn() -> std::time::Duration,
) -> Sniffed {
    let mut prefix = Prefix::default();
    let mut told = pin!(control.told());
    let mut level = Level::Running;
    let mut new = true;
    poll_fn(|cx| {
        while new || control.level() != level {
            new = false;
            told.set(control.told());
            let raised = control.level();
            if raised == Level::Stopping {
                return Poll::Ready(Sniffed::Cut);
            }
            if raised != level {
                watch.drain(linger(), Instant::now());
            }
            level = raised;
            if told.as_mut().poll(cx).is_ready() {
                new = true;
            }
        }
        loop {
            let end = usize::from(prefix.end);
            let mut buf = ReadBuf::new(&mut prefix.bytes[end..]);
            match Pin::new(&mut *stream).poll_read(cx, &mut buf) {
                Poll::Ready(Ok(())) if buf.filled().is_empty() => {
                    return Poll::Ready(Sniffed::Gone);
                }
                Poll::Ready(Ok(())) => {
                    prefix.end += u8::try_from(buf.filled().len()).unwrap_or(u8::MAX);
                    seen.read = seen.read.wrapping_add(1);
                }
                Poll::Ready(Err(_)) => return Poll::Ready(Sniffed::Gone),
                Poll::Pending => break,
            }
            if !http2 || !PREFACE.starts_with(prefix.bytes()) {
                return Poll::Ready(Sniffed::Http1(prefix));
            }
            if prefix.bytes().len() == PREFACE.len() {
                return Poll::Ready(Sniffed::Http2(prefix));
            }
        }
        loop {
            match watch.observe_parked(seen, Instant::now()) {
                Verdict::Until(deadline) => sleep.as_mut().reset(deadline),
                Verdict::Retire | Verdict::Park => continue,
                Verdict::Close(reason) => return Poll::Ready(Sniffed::Closed(reason)),
            }
            if sleep.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
        }
    })
    .await
}
