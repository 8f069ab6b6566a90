//! Which route a request is for.
//!
//! Metrics, spans and the access log speak of routes (`/orders/{id}`) and never of paths, whose number has no bound. A
//! [`RouteTable`] knows the templates of a service; the outermost layer that has one matches each request once, and the
//! others read the [`Route`] from the [`Scope`] that is in place while the request's future is polled.
//!
//! ```
//! use detectviz_http::route::{Route, RouteTable};
//! use http::Method;
//!
//! let table = RouteTable::builder()
//!     .route("/orders/{id}")
//!     .route_for(&Method::GET, "/orders")
//!     .probe("/livez")
//!     .build()?;
//! let route = table.find(&Method::GET, "/orders/7").route;
//! assert_eq!(table.template(route), "/orders/{id}");
//! assert_eq!(table.find(&Method::POST, "/orders").route, Route::NONE);
//! # Ok::<(), detectviz_http::route::InvalidRoute>(())
//! ```
//!
//! # Where a framework matches
//! axum knows its routes itself. There the table may stay empty, and a layer inside the router calls [`matched`] with the
//! template of `MatchedPath`: the table learns it, up to [1000](RouteTable::LEARNED) of them.
//!
//! # Allocation
//! Matching allocates nothing for templates of up to three parameters; learning a template does, once.
mod builder;
mod method;
mod scope;
mod table;
#[cfg(test)]
mod tests;

pub use self::{
    builder::{InvalidRoute, RouteTableBuilder},
    method::MethodName,
    scope::{Entered, Scope, current, matched, quiet},
    table::{Match, Route, RouteTable},
};
