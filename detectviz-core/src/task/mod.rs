//! Tracked tasks: everything that detectviz runs in the background, so that it can be told to stop and waited for.
//!
//! The lifecycle owns the root [`Tasks`] of a runtime and hands clones or [children](Tasks::child) to whatever is built;
//! nothing else in detectviz spawns. A task keeps the [`RuntimeId`] of the runtime it belongs to for as long as it is
//! polled, which is how a log line finds its way to the right sink when several runtimes share a process.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")] async fn main() {
//! use detectviz_core::task::Tasks;
//! use std::time::Duration;
//!
//! let tasks = Tasks::new();
//! let stopping = tasks.token();
//! tasks.spawn("janitor", async move { stopping.cancelled().await });
//! tasks.cancel();
//! tasks.join(Duration::from_secs(1)).await.expect("the janitor ends when it is told to");
//! # }
//! ```
mod component;
mod runtime_id;
mod count;
mod spawner;
mod tasks;
#[cfg(test)]
mod tests;

pub use self::{
    component::Component,
    count::Stuck,
    runtime_id::{InRuntime, RuntimeId},
    spawner::Spawner,
    tasks::Tasks,
};
pub use tokio_util::sync::CancellationToken;
