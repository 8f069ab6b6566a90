//! The whole server stack in its order, as one service with one future.
//!
//! ```text
//! catch_panic ▸ trace ▸ observe ▸ responder ▸ probes ▸ admission ▸ handler
//! ```
//!
//! | part | why it stands there |
//! |---|---|
//! | [`catch_panic`](crate::catch_panic) | outermost: a panic in any part is answered, and the connection lives |
//! | [`trace`](crate::trace) | everything further in, up to the last byte of the body, runs in the request's slot |
//! | [`observe`](crate::observe) | sees every answer that the client gets, errors and refusals of what is further in too |
//! | [`responder`](crate::error::status_of) | turns errors into answers, so that those outside see only statuses |
//! | [`probes`](crate::probe) | answered before any limit applies |
//! | [`admission`](crate::admission) | what is refused costs the handler nothing |
//!
//! The parts share one reading of the clock at the start, one at the end and one match of the route.
//!
//! ```
//! use detectviz_http::{route::RouteTable, stack::{Stack, StackConfig, StackDeps}};
//! use http::{Request, Response};
//! use http_body_util::Empty;
//! use tower::{ServiceExt, service_fn};
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let handler = service_fn(|_: Request<Empty<bytes::Bytes>>| async {
//!     Ok::<_, std::io::Error>(Response::new(Empty::new()))
//! });
//! let routes = RouteTable::builder().route("/orders/{id}").build()?;
//! let deps = StackDeps::default().with_routes(routes);
//! let service = Stack::new(&StackConfig::default(), deps)?.service(handler);
//! let response = service.oneshot(Request::get("/orders/7").body(Empty::new())?).await?;
//! assert_eq!(response.status(), 200);
//! # Ok(()) }
//! ```
//!
//! # Why one future
//! Layers around layers keep each other's futures in themselves, and each of them moves when it is made: the bytes that
//! such a stack copies cost more than its work. Here the state of a request is one box that its thread uses again; the
//! future holds a pointer to it and the handler's own future.
//!
//! # Allocation
//! None, once the thread has served as many requests at a time before. A thread keeps the state of up to
//! 1024 requests (1-2 KiB each) for later.
//!
//! # Cancel safety
//! When the future or the body is dropped before its end, what the handler held is dropped within the request's slot, and
//! the request is recorded as `cancelled`.
mod body;
mod call;
mod config;
mod deps;
mod future;
mod layer;
mod service;
#[cfg(test)]
mod tests;

pub use self::{
    body::ResponseBody, config::StackConfig, deps::StackDeps, future::ResponseFuture, layer::Stack,
    service::Stacked,
};
