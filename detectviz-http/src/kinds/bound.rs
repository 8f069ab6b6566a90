//! Where a component listens.
use std::{fmt, net::SocketAddr, sync::Arc};

/// The address that a component listens on, once it has started; a live, read-only view.
///
/// # Clone
/// Clones show the same component.
#[derive(Clone)]
pub struct BoundAddr(Arc<dyn Fn() -> Option<SocketAddr> + Send + Sync>);

impl BoundAddr {
    pub(super) fn new(read: impl Fn() -> Option<SocketAddr> + Send + Sync + 'static) -> Self {
        Self(Arc::new(read))
    }

    /// The address and port; `None` before the component has started.
    #[must_use]
    pub fn local_addr(&self) -> Option<SocketAddr> {
        (self.0)()
    }
}

impl fmt::Debug for BoundAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("BoundAddr")
            .field(&self.local_addr())
            .finish()
    }
}
