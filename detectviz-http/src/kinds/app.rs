//! What a server serves.
use crate::route::{InvalidRoute, RouteTable};

/// A service and the routes that it answers.
#[derive(Clone, Debug)]
pub struct App<S> {
    pub(super) service: S,
    pub(super) routes: RouteTable,
}

impl<S> App<S> {
    /// Serves `service`. Unless its [routes](Self::routes) are given, metrics and logs know a request's route only where
    /// the service names it with [`route::matched`](crate::route::matched).
    pub fn new(service: S) -> Self {
        Self {
            service,
            routes: RouteTable::new(),
        }
    }

    /// The templates of the paths that it answers, such as `/orders/{id}`.
    ///
    /// # Errors
    /// [`InvalidRoute`], which names the template that is malformed or clashes with another.
    pub fn routes(
        mut self,
        templates: impl IntoIterator<Item = impl Into<String>>,
    ) -> Result<Self, InvalidRoute> {
        let builder = templates
            .into_iter()
            .fold(RouteTable::builder(), |builder, template| {
                builder.route(template)
            });
        self.routes = builder.build()?;
        Ok(self)
    }

    /// A table made by hand, for routes that differ by method.
    #[must_use]
    pub fn route_table(mut self, routes: RouteTable) -> Self {
        self.routes = routes;
        self
    }
}
