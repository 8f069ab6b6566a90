//! Wraps services in [`Shed`].
use super::{Shed, Shedder};
use crate::resilience::priority::Priority;
use tower_layer::Layer;

/// Applies [`Shed`] to a service.
///
/// # Clone
/// Clones, and all services that they wrap, share the shedder.
#[derive(Clone, Debug)]
pub struct ShedLayer<P = AllNormal> {
    shedder: Shedder,
    priority: P,
}

/// Tells how much a request matters: any `Fn(&Req) -> Priority` does, or [`AllNormal`].
pub trait PriorityFn<Req> {
    /// The priority of a request.
    fn priority(&self, request: &Req) -> Priority;
}

/// All requests are [`Priority::Normal`].
#[derive(Clone, Copy, Debug, Default)]
pub struct AllNormal;

// === impl ShedLayer ===

impl ShedLayer {
    /// A layer that takes all requests for normal ones.
    #[must_use]
    pub fn new(shedder: Shedder) -> Self {
        let priority = AllNormal;
        Self { shedder, priority }
    }
}

impl<P> ShedLayer<P> {
    /// Tells how much requests matter by `priority`, a [`PriorityFn`].
    #[must_use]
    pub fn priority<F>(self, priority: F) -> ShedLayer<F> {
        let shedder = self.shedder;
        ShedLayer { shedder, priority }
    }
}

impl<S, P: Clone> Layer<S> for ShedLayer<P> {
    type Service = Shed<S, P>;

    fn layer(&self, inner: S) -> Self::Service {
        Shed::new(inner, self.shedder.clone(), self.priority.clone())
    }
}

// === impl PriorityFn ===

impl<Req, F: Fn(&Req) -> Priority> PriorityFn<Req> for F {
    fn priority(&self, request: &Req) -> Priority {
        self(request)
    }
}

impl<Req> PriorityFn<Req> for AllNormal {
    fn priority(&self, _: &Req) -> Priority {
        Priority::Normal
    }
}
