//! Calls over HTTP: one request to one node, the nodes one after the other, and what an answer's status means.
mod exchange;
mod fault;
mod status;
mod tls;
mod transport;

pub(super) use self::{
    exchange::Answer,
    transport::{Call, Transport},
};
