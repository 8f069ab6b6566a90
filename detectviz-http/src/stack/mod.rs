//! The whole server stack in its order.
//!
//! ```text
//! catch_panic ▸ trace ▸ observe ▸ responder ▸ handler
//! ```
//!
//! | layer | why it stands there |
//! |---|---|
//! | [`CatchPanic`](crate::catch_panic) | outermost: a panic in any layer is answered, and the connection lives |
//! | [`Trace`](crate::trace) | everything further in, up to the last byte of the body, runs in the request's slot |
//! | [`Observe`](crate::observe) | sees every answer that the client gets, errors and refusals of what is further in too |
//! | [`Responder`](crate::error::Responder) | turns errors into answers, so that those outside see only statuses |
//! | [`Probe`](crate::probe) | wrapped around the handler by whoever has a `Health`: answers before any limit applies |
//!
//! The layers share one reading of the clock at the start, one at the end and one match of the route.
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
//! let service = Stack::new(&StackConfig::default(), deps).service(handler);
//! let response = service.oneshot(Request::get("/orders/7").body(Empty::new())?).await?;
//! assert_eq!(response.status(), 200);
//! # Ok(()) }
//! ```
mod config;
mod deps;
mod order;
#[cfg(test)]
mod tests;

pub use self::{
    config::StackConfig,
    deps::StackDeps,
    order::{Stack, Stacked},
};
