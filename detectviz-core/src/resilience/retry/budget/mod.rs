//! How many retries there may be: a share of the traffic, not so many per call.
//!
//! Three attempts per call sound harmless, yet they treble the load of an upstream at the very moment when it fails, and in a
//! chain of three services make 27 calls of one. A budget bounds what retries add, whatever fails: each call deposits a share
//! of a token, each retry withdraws a whole one (Finagle's `RetryBudget`, whose terms these are; tower's `TpsBudget` is a
//! port of it). Both count for a sliding window, kept by the second.
//!
//! A client with little traffic has [`min_per_second`](BudgetConfig::min_per_second), as a floor: what may be withdrawn in a
//! window is the larger of the two, as with Envoy's `retry_budget`, while Finagle adds them up. An upstream that fails
//! everything so sees the traffic and its share, and the floor only where the share is smaller.
//!
//! ```
//! use detectviz_core::resilience::retry::budget::{Budget, BudgetConfig};
//! use std::time::Instant;
//!
//! let now = Instant::now();
//! let budget = Budget::new(&BudgetConfig::default().ratio(0.5).min_per_second(0), now);
//! budget.deposit(now);
//! assert!(budget.withdraw(now).is_none(), "half a token");
//! budget.deposit(now);
//! assert!(budget.withdraw(now).is_some());
//! ```
//!
//! # Exactness
//! A ratio is kept in billionths, so 60 % is 60 % (tower divides whole numbers, and grants 100 % there). Deposits of other
//! threads are seen a moment later, which errs on the side of fewer retries.
mod config;
mod handle;
mod state;
#[cfg(test)]
mod tests;

pub use self::{
    config::BudgetConfig,
    handle::{Budget, Withdrawal},
};
