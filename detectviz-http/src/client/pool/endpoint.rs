//! The pool of one endpoint.
use super::{
    PoolSettings,
    connecting::{Connecting, Place, connect},
    lease::{Idle, Lease, Sender},
    send_error::SendError,
};
use crate::{
    client::{Body, connect::Connector, executor::Executor},
    error::TooManyPending,
};
use arc_swap::ArcSwapOption;
use crossbeam_queue::ArrayQueue;
use detectviz_core::error::BoxError;
use http::{Request, Response, Uri};
use hyper::{
    body::Incoming,
    client::conn::{http1, http2},
    rt::Executor as _,
};
use std::{
    fmt,
    sync::{
        Arc, Weak,
        atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering},
    },
    time::Instant,
};
use tokio::sync::{Notify, oneshot};

/// The connections to one endpoint.
///
/// # Clone
/// Clones are the same pool. When the last is gone, connections are closed as soon as they carry no call.
#[derive(Clone)]
pub(in super::super) struct EndpointPool {
    user: Arc<User>,
}

/// A pool that may be gone.
pub(in super::super) struct WeakPool(Weak<User>);

/// Whoever may send calls through the pool. Its connections hold the pool too, and must not hold each other open.
struct User(Arc<Inner>);

pub(super) struct Inner {
    /// Scheme and authority.
    pub(super) target: Uri,
    pub(super) connector: Connector,
    pub(super) settings: PoolSettings,
    pub(super) executor: Executor,
    idle: ArrayQueue<Idle>,
    /// Over HTTP/2, the connection that carries all calls.
    pub(super) shared: ArcSwapOption<Multiplexed>,
    /// Connections that are open or being made.
    pub(super) open: AtomicUsize,
    /// Connections that are being made.
    pub(super) connecting: AtomicUsize,
    /// Calls that have no connection, and those of them that cannot have one made.
    wanting: AtomicUsize,
    pending: AtomicUsize,
    /// Whether nobody sends calls through it any more.
    unused: AtomicBool,
    /// Told for each connection that becomes free, or goes.
    pub(super) freed: Notify,
}

pub(super) struct Multiplexed {
    pub(super) sender: http2::SendRequest<Body>,
    pub(super) served: AtomicU32,
}

/// Whether another connection may be made.
enum Room {
    Free(Place, Connecting),
    /// There are as many on their way as are wanted.
    Coming,
    Full,
}

/// One call that has no connection, until dropped.
struct Wanting<'a>(&'a Inner);

/// One call that cannot have a connection made, until dropped.
struct Pending<'a>(&'a Inner);

// === impl EndpointPool ===

impl EndpointPool {
    /// A pool for `target`, of which scheme and authority count. Connections are made when they are needed, by `connector`,
    /// and live in `executor`.
    pub(in super::super) fn new(
        target: Uri,
        connector: Connector,
        settings: PoolSettings,
        executor: Executor,
    ) -> Self {
        Self {
            user: Arc::new(User(Arc::new(Inner {
                idle: ArrayQueue::new(settings.max_idle.clamp(1, 1 << 16)),
                target,
                connector,
                settings,
                executor,
                shared: ArcSwapOption::empty(),
                open: AtomicUsize::new(0),
                connecting: AtomicUsize::new(0),
                wanting: AtomicUsize::new(0),
                pending: AtomicUsize::new(0),
                unused: AtomicBool::new(false),
                freed: Notify::new(),
            }))),
        }
    }

    /// Sends a request on a connection of the pool that was not idle for too long at `now`. A connection that turns out to be closed before anything was sent is
    /// replaced, and the request goes to another.
    ///
    /// # Errors
    /// [`SendError`], whose source is [`TooManyPending`], what the connector says, or hyper's.
    ///
    /// # Cancel safety
    /// A call that is dropped before its response leaves the connection that was being made to the next call.
    pub(in super::super) async fn send(
        &self,
        mut request: Request<Body>,
        now: Instant,
    ) -> Result<(Response<Incoming>, Lease), SendError> {
        loop {
            let mut lease = match self.lease(now).await {
                Ok(lease) => lease,
                Err(source) => return Err(SendError::unsent(source, request)),
            };
            match lease.send(request).await {
                Ok(response) => return Ok((response, lease)),
                Err(SendError {
                    unsent: Some(unsent),
                    ..
                }) if lease.is_reused() => request = *unsent,
                Err(err) => return Err(err),
            }
        }
    }

    /// The pool, for as long as somebody else has it.
    pub(in super::super) fn downgrade(&self) -> WeakPool {
        WeakPool(Arc::downgrade(&self.user))
    }

    /// Closes connections that were idle for too long at `now`; called now and then.
    pub(in super::super) fn reap(&self, now: Instant) {
        let inner = self.inner();
        for _ in 0..inner.idle.len() {
            let Some(idle) = inner.idle.pop() else {
                return;
            };
            if inner.is_good(&idle, now) {
                inner.put(idle);
            }
        }
    }

    fn inner(&self) -> &Arc<Inner> {
        &self.user.0
    }

    /// How many connections are open or being made.
    pub(in super::super) fn connections(&self) -> usize {
        self.inner().open.load(Ordering::Relaxed)
    }

    /// A connection that takes a call.
    async fn lease(&self, now: Instant) -> Result<Lease, BoxError> {
        let inner = self.inner();
        let (mut wanting, mut pending, mut being_made) = (None, None, None);
        loop {
            if let Some(mut lease) = inner.free_lease(now) {
                if lease.is_ready().await {
                    return Ok(lease);
                }
                continue;
            }
            wanting.get_or_insert_with(|| Wanting::new(inner));
            // Told of what becomes free from here on and, as one note is kept, from shortly before.
            let freed = inner.freed.notified();
            let mut full = false;
            if being_made.is_none() {
                match inner.room() {
                    Room::Free(place, connecting) => {
                        let (tell, told) = oneshot::channel();
                        inner.executor.execute(async move {
                            let _ = tell.send(connect(place, connecting).await);
                        });
                        being_made = Some(told);
                    }
                    Room::Coming => {}
                    Room::Full => full = true,
                }
            }
            if let Some(told) = &mut being_made {
                tokio::select! {
                    made = told => {
                        being_made = None;
                        made.map_err(|_| "the client is closed")??;
                    }
                    () = freed => {}
                }
            } else if full && pending.is_none() {
                // One may have become free before this call was counted.
                pending = Some(Pending::new(inner)?);
            } else {
                freed.await;
            }
        }
    }
}

impl fmt::Debug for EndpointPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EndpointPool")
            .field("target", &self.inner().target)
            .field("connections", &self.connections())
            .field("idle", &self.inner().idle.len())
            .finish_non_exhaustive()
    }
}

// === impl WeakPool ===

impl WeakPool {
    pub(in super::super) fn upgrade(&self) -> Option<EndpointPool> {
        let user = self.0.upgrade()?;
        Some(EndpointPool { user })
    }
}

impl fmt::Debug for WeakPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WeakPool")
    }
}

// === impl User ===

impl Drop for User {
    fn drop(&mut self) {
        self.0.unused.store(true, Ordering::SeqCst);
        self.0.close_idle();
    }
}

// === impl Inner ===

impl Inner {
    /// A connection of which nothing bad is known.
    fn free_lease(self: &Arc<Self>, now: Instant) -> Option<Lease> {
        if self.settings.h2 {
            let (sender, served) = self.multiplexed()?;
            return Some(Lease::new(sender, served, self));
        }
        while let Some(idle) = self.idle.pop() {
            if self.is_good(&idle, now) {
                return Some(Lease::new(Sender::Http1(idle.sender), idle.served, self));
            }
        }
        None
    }

    /// Whether another connection may be made for those who have none.
    fn room(self: &Arc<Self>) -> Room {
        // A connection that another call has given up is as good as one of our own.
        if self.connecting.load(Ordering::Acquire) >= self.wanting.load(Ordering::Acquire) {
            return Room::Coming;
        }
        // Over HTTP/2 one connection is enough, but for one that has carried its share and is still busy.
        let most = match self.settings.h2 {
            true if self.is_exhausted() => 2,
            true => 1,
            false => self.settings.limits.connections(),
        };
        let more = |open: usize| (open < most).then_some(open + 1);
        let taken = self
            .open
            .fetch_update(Ordering::AcqRel, Ordering::Relaxed, more);
        match taken {
            Ok(_) => Room::Free(Place(Arc::clone(self)), Connecting::new(self)),
            Err(_) => Room::Full,
        }
    }

    fn is_good(&self, idle: &Idle, now: Instant) -> bool {
        let waited = now.saturating_duration_since(idle.since);
        !idle.sender.is_closed() && waited < self.settings.idle_timeout
    }

    /// A call is over at `now`: its connection waits for the next, unless it has carried its share.
    pub(super) fn free(&self, sender: http1::SendRequest<Body>, served: u32, now: Instant) {
        let limits = &self.settings.limits;
        // More than may be: the limit has been lowered meanwhile.
        let is_one_too_many = self.open.load(Ordering::Relaxed) > limits.connections();
        if limits.is_share(served) || is_one_too_many || sender.is_closed() {
            return;
        }
        self.put(Idle {
            sender,
            served,
            since: now,
        });
    }

    /// Keeps a connection. One too many is closed, unless a call waits for it.
    pub(super) fn put(&self, idle: Idle) {
        let keep = self.settings.max_idle > 0
            || idle.served == 0
            || self.pending.load(Ordering::Relaxed) > 0;
        if keep {
            drop(self.idle.push(idle));
        }
        self.freed.notify_one();
        // Looked at last: of this and of whoever goes at the same moment, one sees the other.
        if self.unused.load(Ordering::SeqCst) {
            self.close_idle();
        }
    }

    /// Closes what carries no call.
    fn close_idle(&self) {
        while self.idle.pop().is_some() {}
        self.shared.store(None);
    }

    pub(super) fn share(&self, sender: http2::SendRequest<Body>) {
        let served = AtomicU32::new(0);
        self.shared
            .store(Some(Arc::new(Multiplexed { sender, served })));
        self.freed.notify_waiters();
        if self.unused.load(Ordering::SeqCst) {
            self.close_idle();
        }
    }
}

// === impl Wanting ===

impl<'a> Wanting<'a> {
    fn new(inner: &'a Inner) -> Self {
        inner.wanting.fetch_add(1, Ordering::AcqRel);
        Self(inner)
    }
}

impl Drop for Wanting<'_> {
    fn drop(&mut self) {
        self.0.wanting.fetch_sub(1, Ordering::AcqRel);
    }
}

// === impl Pending ===

impl<'a> Pending<'a> {
    fn new(inner: &'a Inner) -> Result<Self, TooManyPending> {
        let limits = &inner.settings.limits;
        let most = limits.pending();
        let more = |pending: usize| (pending < most).then_some(pending + 1);
        let counted = inner
            .pending
            .fetch_update(Ordering::AcqRel, Ordering::Relaxed, more);
        match counted {
            Ok(_) => Ok(Self(inner)),
            Err(_) => {
                let authority = inner.target.authority().map_or("", |a| a.as_str());
                Err(TooManyPending::new(authority, limits.connections(), most))
            }
        }
    }
}

impl Drop for Pending<'_> {
    fn drop(&mut self) {
        self.0.pending.fetch_sub(1, Ordering::AcqRel);
    }
}
