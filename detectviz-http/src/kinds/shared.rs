//! A component that others look at.
use async_trait::async_trait;
use detectviz_core::{error::BoxError, task::Component};
use std::sync::Arc;

/// A component and those who read from it.
pub(super) struct Shared<C>(pub(super) Arc<C>);

#[async_trait]
impl<C: Component> Component for Shared<C> {
    async fn start(&self) -> Result<(), BoxError> {
        self.0.start().await
    }

    async fn drain(&self) -> Result<(), BoxError> {
        self.0.drain().await
    }

    async fn stop(&self) -> Result<(), BoxError> {
        self.0.stop().await
    }
}
