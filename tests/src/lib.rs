//! What the suites of this crate share: real processes, and clients that say exactly what they are told.
pub mod login;
pub mod clouds;
pub mod cpu;
pub mod foreign;
pub mod h2;
pub mod http1;
pub mod kubernetes;
pub mod leaks;
pub mod lines;
pub mod load;
pub mod memory;
pub mod process;
pub mod receiver;
pub mod repository;
pub mod scrape;
pub mod upstream;
pub mod vault;
pub mod wait;
pub mod yaml;

pub use self::{
    process::{Launch, Service, bin, optimised},
    wait::{BOUND, eventually, full},
};

/// The code of the README compiles.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
