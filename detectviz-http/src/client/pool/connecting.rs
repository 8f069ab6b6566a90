//! How a connection is made.
use super::{
    endpoint::Inner,
    lease::{Idle, Sender},
};
use crate::client::Body;
use detectviz_core::error::BoxError;
use hyper::{
    client::conn::{http1, http2},
    rt::Executor as _,
};
use hyper_util::rt::TokioTimer;
use std::{
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};
use tower_service::Service;

/// How often an HTTP/2 connection that carries calls is asked whether it is still there, and how long it may take to say
/// so. Without it, every call on a connection whose other end has vanished runs into its timeout.
const PING: Duration = Duration::from_secs(5);
const PONG: Duration = Duration::from_secs(3);

/// One connection that is open or being made; gives its place to another when dropped.
pub(super) struct Place(pub(super) Arc<Inner>);

/// One connection that is being made, until dropped.
pub(super) struct Connecting(Arc<Inner>);

/// Makes a connection and leaves it to whoever waits.
///
/// # Errors
/// What the connector or the handshake says.
pub(super) async fn connect(place: Place, connecting: Connecting) -> Result<(), BoxError> {
    let pool = Arc::clone(&place.0);
    let stream = pool.connector.clone().call(pool.target.clone()).await?;
    if pool.settings.h2 {
        let (sender, connection) = http2::Builder::new(pool.executor.of_connection())
            .timer(TokioTimer::new())
            .keep_alive_interval(PING)
            .keep_alive_timeout(PONG)
            .handshake::<_, Body>(stream)
            .await?;
        pool.executor.execute(async move {
            // A connection that fails tells the calls that it carries.
            let _ = connection.await;
            drop(place);
        });
        pool.share(sender);
    } else {
        let (sender, connection) = http1::handshake::<_, Body>(stream).await?;
        pool.executor.execute(async move {
            let _ = connection.with_upgrades().await;
            drop(place);
        });
        pool.put(Idle {
            sender,
            served: 0,
            since: Instant::now(),
        });
    }
    drop(connecting);
    Ok(())
}

// === impl Connecting ===

impl Connecting {
    pub(super) fn new(pool: &Arc<Inner>) -> Self {
        pool.connecting.fetch_add(1, Ordering::AcqRel);
        Self(Arc::clone(pool))
    }
}

impl Drop for Connecting {
    fn drop(&mut self) {
        self.0.connecting.fetch_sub(1, Ordering::AcqRel);
    }
}

// === impl Place ===

impl Drop for Place {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::AcqRel);
        self.0.freed.notify_one();
    }
}

impl Inner {
    /// The connection that carries all calls, if there is one.
    pub(super) fn multiplexed(&self) -> Option<(Sender, u32)> {
        let shared = self.shared.load();
        let shared = shared
            .as_ref()
            .filter(|shared| !shared.sender.is_closed())?;
        let served = shared.served.fetch_add(1, Ordering::Relaxed);
        if self.settings.limits.is_share(served) {
            return None;
        }
        Some((Sender::Http2(shared.sender.clone()), served))
    }

    /// Whether the connection that carries all calls has carried its share.
    pub(super) fn is_exhausted(&self) -> bool {
        let shared = self.shared.load();
        let open = shared.as_ref().filter(|shared| !shared.sender.is_closed());
        let limits = &self.settings.limits;
        open.is_some_and(|shared| limits.is_share(shared.served.load(Ordering::Relaxed)))
    }
}
