//! What is logged: a level for everything, others for targets, and both changed while running.
//!
//! ```
//! use detectviz_core::telemetry::logs::Directives;
//! use tracing::Level;
//!
//! let directives: Directives = "info,sqlx=warn,my_crate::db=debug".parse()?;
//! assert!(directives.enabled(Level::DEBUG, "my_crate::db::pool"));
//! assert!(!directives.enabled(Level::INFO, "sqlx::query"));
//! # Ok::<(), detectviz_core::telemetry::logs::InvalidLevels>(())
//! ```
mod directives;
mod error;
mod live;
mod state;
#[cfg(test)]
mod tests;

pub(super) use self::live::Change;
pub use self::{directives::Directives, error::InvalidLevels, live::Levels};
