//! The connections to one endpoint.
//!
//! A call takes an idle connection, or has one made, or waits until one is free; how many there may be, and how many may
//! wait, is bounded (Envoy's `max_connections`, `max_pending_requests` and `max_requests_per_connection`). A connection is
//! made by a task of its own: a call that gives up meanwhile leaves it to the next. Over HTTP/2 one connection carries all
//! calls.
//!
//! The path of a call that finds a connection takes no lock: idle connections wait in a lock-free queue, first in, first
//! out, so that none of them goes stale behind the others.
mod connecting;
mod endpoint;
mod lease;
mod send_error;
mod settings;

pub(super) use self::{
    endpoint::{EndpointPool, WeakPool},
    lease::Lease,
    send_error::SendError,
    settings::{PoolLimits, PoolSettings},
};
