//! What the suites of this crate share: real processes, and clients that say exactly what they are told.
pub mod h2;
pub mod http1;
pub mod process;
pub mod wait;

pub use self::{
    process::{Launch, Service, bin},
    wait::{BOUND, eventually, full},
};
