//! Wraps services in [`Responder`].
use super::Responder;
use tower_layer::Layer;

/// Applies [`Responder`] to a service.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct ResponderLayer;

impl ResponderLayer {
    /// Creates the layer.
    #[must_use]
    pub fn new() -> Self {
        Self
    }
}

impl<S> Layer<S> for ResponderLayer {
    type Service = Responder<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Responder::new(inner)
    }
}
