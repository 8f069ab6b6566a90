//! One connection from its first byte to its last.
use super::{
    control::{Control, Place},
    drive::{End, Http1, Http2, drive},
    http_service::HttpService,
    io::{Io, is_blank},
    link::Link,
    recorder::Closed,
    reply::Refusal,
    service::ConnService,
    shared::Shared,
    sniff::{Prefix, Sniffed, sniff},
    state::{Phase, Reason, Seen, Watch},
    stream::Stream,
};
use crate::conn::ConnInfo;
use hyper_util::rt::TokioIo;
use std::{
    net::SocketAddr,
    pin::{Pin, pin},
    sync::{Arc, atomic::Ordering},
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::{Instant, Sleep, sleep_until, timeout},
};

/// A connection as it was accepted.
pub(super) struct Accepted {
    pub(super) stream: Stream,
    pub(super) peer: Option<SocketAddr>,
    pub(super) place: Place,
}

/// How long a client that is turned away may take to notice, and how much of what it sends is thrown away meanwhile: a
/// socket that is closed with unread bytes resets the connection, and the client may never see the response.
const LINGERING_CLOSE: Duration = Duration::from_secs(2);
const LINGERING_BYTES: usize = 1 << 20;

/// Serves one connection to its end.
pub(super) async fn serve<S: HttpService>(shared: Arc<Shared>, service: S, accepted: Accepted) {
    let now = Instant::now();
    let watch = shared.watch(accepted.place.is_reserved(), now);
    let sleep = pin!(sleep_until(now));
    let closed = run(&shared, service, accepted, watch, sleep).await;
    shared.recorder.closed(closed);
}

async fn run<S: HttpService>(
    shared: &Arc<Shared>,
    service: S,
    accepted: Accepted,
    mut watch: Watch,
    mut sleep: Pin<&mut Sleep>,
) -> Closed {
    let control = Arc::clone(&shared.control);
    let linger = || shared.linger();
    let http2 = shared.config.http2.enabled;
    let (mut stream, alpn) = match greet(shared, accepted.stream).await {
        Ok(greeted) => greeted,
        Err(closed) => return closed,
    };
    let (version, prefix) = match alpn {
        Some(version) => (version, Prefix::default()),
        None => {
            let stream = &mut stream;
            let seen = Seen::NEW;
            match sniff(
                stream,
                http2,
                seen,
                &mut watch,
                sleep.as_mut(),
                &control,
                linger,
            )
            .await
            {
                Sniffed::Http1(prefix) => (http::Version::HTTP_11, prefix),
                Sniffed::Http2(prefix) => (http::Version::HTTP_2, prefix),
                Sniffed::Gone => return Closed::Done,
                Sniffed::Closed(reason) => return reason.into(),
                Sniffed::Cut => return Closed::Cut,
            }
        }
    };
    let info = ConnInfo {
        peer: accepted.peer,
        version,
        tls: alpn.is_some(),
        reserved: accepted.place.is_reserved(),
    };
    let link = Arc::new(Link::new(info, Phase::Idle, Arc::clone(shared)));
    if watch.is_retired() {
        link.retire();
    }
    let io = Io::new(stream, prefix, Arc::clone(&link), accepted.place);
    let service = ConnService::new(service, Arc::clone(&link));
    if info.is_http2() {
        // Large, and rare beside HTTP/1: on the heap, so that the others do not carry its size.
        let conn: Http2<S> = shared.http2.serve_connection(TokioIo::new(io), service);
        let mut conn = Box::new(conn);
        let end = drive(&mut *conn, &link, &control, &mut watch, sleep, linger).await;
        return closed(&end, &link, &control);
    }
    let mut io = TokioIo::new(io);
    let mut service = service;
    let (end, io) = loop {
        let conn = shared.http1.serve_connection(io, service);
        // On the heap, and given back with the buffers while the connection is parked.
        let mut conn: Box<Http1<S>> = Box::new(conn.with_upgrades());
        let end = drive(
            &mut *conn,
            &link,
            &control,
            &mut watch,
            sleep.as_mut(),
            linger,
        )
        .await;
        let Some(parts) = conn.into_parts() else {
            link.enter(Phase::Upgraded);
            return Closed::Upgraded;
        };
        let mut parked = parts.io.into_inner();
        if !matches!(end, End::Parked) {
            break (end, parked);
        }
        // Blank lines before a head are no part of it (RFC 9112 §2.2).
        if is_blank(&parts.read_buf) {
            // Even an empty one holds on to its buffer.
            drop(parts.read_buf);
            let (stream, seen) = (parked.stream(), link.seen());
            match sniff(
                stream,
                false,
                seen,
                &mut watch,
                sleep.as_mut(),
                &control,
                linger,
            )
            .await
            {
                Sniffed::Http1(prefix) | Sniffed::Http2(prefix) => parked.put_back(prefix),
                Sniffed::Gone => return Closed::Done,
                Sniffed::Closed(reason) => break (End::Closed(reason), parked),
                Sniffed::Cut => return Closed::Cut,
            }
        } else {
            // The beginning of a head came along with the request before it.
            link.enter(Phase::Head);
            parked.put_back_rest(parts.read_buf);
        }
        if watch.is_retired() {
            link.retire();
        }
        (io, service) = (TokioIo::new(parked), parts.service);
    };
    let closed = closed(&end, &link, &control);
    let mut stream = io;
    match end {
        End::Done | End::Failed(_) if !link.is_unread() => {}
        End::Done | End::Failed(_) => part(&mut stream, &control).await,
        End::Closed(Reason::HeaderTimeout | Reason::Drain | Reason::Idle) => {
            let last = async {
                if link.phase() == Phase::Head {
                    // Best effort: whoever sends half a request may not read either.
                    stream.write_all(Refusal::RequestTimeout.raw()).await?;
                }
                stream.shutdown().await
            };
            let _sent = timeout(LINGERING_CLOSE, last).await;
        }
        End::Closed(Reason::WriteTimeout | Reason::MaxAge) | End::Parked | End::Cut => {}
    }
    closed
}

/// The TLS handshake, where there is one: what it chose is known then.
async fn greet(shared: &Shared, stream: Stream) -> Result<(Stream, Option<http::Version>), Closed> {
    #[cfg(feature = "tls")]
    if let (Some(tls), Stream::Plain(_)) = (shared.tls.get(), &stream) {
        return Box::pin(handshake(shared, tls, stream)).await;
    }
    let _clear = shared;
    Ok((stream, None))
}

#[cfg(feature = "tls")]
async fn handshake(
    shared: &Shared,
    tls: &super::tls::Acceptor,
    stream: Stream,
) -> Result<(Stream, Option<http::Version>), Closed> {
    let Stream::Plain(stream) = stream else {
        return Err(Closed::Error);
    };
    let drain = shared.control.drain_token();
    let lingered = async {
        drain.draining().await;
        tokio::time::sleep(shared.linger()).await;
    };
    let limit = shared.config.tls.handshake_timeout;
    tokio::select! {
        shaken = timeout(limit, tls.accept(stream)) => match shaken {
            Ok(Ok((stream, version))) => Ok((Stream::Tls(stream), Some(version))),
            Ok(Err(err)) => {
                tracing::debug!(error = %err, "TLS handshake failed");
                Err(Closed::Handshake)
            }
            Err(_) => Err(Closed::Handshake),
        },
        () = lingered => Err(Closed::Drain),
        () = shared.control.stopped() => Err(Closed::Cut),
    }
}

fn closed(end: &End, link: &Link, control: &Control) -> Closed {
    match end {
        End::Done if link.is_body_timed_out() => Closed::BodyTimeout,
        End::Done | End::Parked => Closed::Done,
        End::Failed(err) => {
            tracing::debug!(error = %err, peer = ?link.info().peer, "connection failed");
            Closed::Error
        }
        End::Closed(reason) => (*reason).into(),
        End::Cut => {
            let requests = link.in_flight() as usize;
            control.cut().requests.fetch_add(requests, Ordering::AcqRel);
            Closed::Cut
        }
    }
}

/// Closes the way out, and reads on for a while.
async fn part(stream: &mut Io, control: &Control) {
    let read_on = async {
        let mut left = LINGERING_BYTES;
        let mut scratch = vec![0; 4096];
        if stream.shutdown().await.is_err() {
            return;
        }
        while let Ok(count @ 1..) = stream.read(&mut scratch).await {
            match left.checked_sub(count) {
                Some(rest) => left = rest,
                None => return,
            }
        }
    };
    tokio::select! {
        _ = timeout(LINGERING_CLOSE, read_on) => {}
        () = control.stopped() => {}
    }
}
