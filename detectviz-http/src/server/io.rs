//! The socket as hyper sees it: it notes what happens on it, and can be cut.
use super::{
    control::Place, link::Link, reply::Refusal, sniff::Prefix, state::Phase, stream::Stream,
};
use bytes::Bytes;
use std::{
    future::Future,
    io::{self, IoSlice},
    pin::Pin,
    sync::{Arc, atomic::Ordering},
    task::{Context, Poll, ready},
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_util::sync::WaitForCancellationFutureOwned;

/// One connection, counted until it is dropped: it moves with an upgrade, so that the drain waits for that too.
pub(super) struct Io {
    stream: Stream,
    prefix: Prefix,
    rest: Bytes,
    link: Arc<Link>,
    place: Place,
    /// What takes the place of a bare refusal of hyper's.
    reply: &'static [u8],
    /// Only upgraded connections wait for the stop here; the others have a task that does.
    stopped: Option<Pin<Box<WaitForCancellationFutureOwned>>>,
    cut: bool,
}

/// Whether there is nothing but ends of lines.
pub(super) fn is_blank(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| b"\r\n".contains(byte))
}

// === impl Io ===

impl Io {
    pub(super) fn new(stream: Stream, prefix: Prefix, link: Arc<Link>, place: Place) -> Self {
        Self {
            stream,
            prefix,
            rest: Bytes::new(),
            link,
            place,
            reply: &[],
            stopped: None,
            cut: false,
        }
    }

    /// The bytes below, for whoever waits for the next ones.
    pub(super) fn stream(&mut self) -> &mut Stream {
        &mut self.stream
    }

    /// Puts back what was read to find out that there is something.
    pub(super) fn put_back(&mut self, prefix: Prefix) {
        self.prefix = prefix;
    }

    /// Puts back what hyper read ahead.
    pub(super) fn put_back_rest(&mut self, rest: Bytes) {
        self.rest = rest;
    }

    /// For an upgraded connection: fails once the server stops.
    fn poll_stopped(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        if self.link.phase() != Phase::Upgraded {
            return Ok(());
        }
        let control = self.place.control();
        let stopped = self
            .stopped
            .get_or_insert_with(|| Box::pin(control.stopped()));
        if !self.cut && stopped.as_mut().poll(cx).is_pending() {
            return Ok(());
        }
        if !self.cut {
            self.cut = true;
            control.cut().upgraded.fetch_add(1, Ordering::AcqRel);
        }
        Err(io::Error::new(
            io::ErrorKind::ConnectionAborted,
            "the server stopped",
        ))
    }

    fn note<T>(&self, wrote: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        match &wrote {
            Poll::Ready(_) => self.link.wrote(),
            Poll::Pending => self.link.write_blocked(),
        }
        wrote
    }

    /// While no request is being served, all that hyper writes is a refusal of a head, which has no body.
    fn replaces(&mut self, buf: &[u8]) -> bool {
        let outside = matches!(self.link.phase(), Phase::Idle | Phase::Head);
        if self.link.info().is_http2() || !outside {
            return false;
        }
        let Some(refusal) = Refusal::of_status_line(buf) else {
            return false;
        };
        self.reply = refusal.raw();
        self.link.leave_unread();
        true
    }
}

impl AsyncRead for Io {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        this.poll_stopped(cx)?;
        let before = buf.filled().len();
        if !this.rest.is_empty() {
            let count = this.rest.len().min(buf.remaining());
            buf.put_slice(&this.rest.split_to(count));
        } else if this.prefix.is_empty() {
            ready!(Pin::new(&mut this.stream).poll_read(cx, buf))?;
        } else {
            this.prefix.read(buf);
        }
        let new = &buf.filled()[before..];
        if !new.is_empty() {
            this.link.read(is_blank(new));
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Io {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        this.poll_stopped(cx)?;
        if this.replaces(buf) {
            return Poll::Ready(Ok(buf.len()));
        }
        let wrote = Pin::new(&mut this.stream).poll_write(cx, buf);
        this.note(wrote)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        this.poll_stopped(cx)?;
        if let [first, ..] = bufs
            && this.replaces(first)
        {
            return Poll::Ready(Ok(bufs.iter().map(|buf| buf.len()).sum()));
        }
        let wrote = Pin::new(&mut this.stream).poll_write_vectored(cx, bufs);
        this.note(wrote)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        while !this.reply.is_empty() {
            let wrote = Pin::new(&mut this.stream).poll_write(cx, this.reply);
            match ready!(this.note(wrote))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                wrote => this.reply = &this.reply[wrote..],
            }
        }
        if Pin::new(&mut this.stream).poll_flush(cx)?.is_pending() {
            this.link.write_blocked();
            return Poll::Pending;
        }
        this.link.flushed();
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.as_mut().poll_flush(cx))?;
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
