//! A list in the configuration: kind `static`.
mod config;
mod provider;
#[cfg(test)]
mod tests;

pub use self::{
    config::{EndpointConfig, StaticConfig},
    provider::StaticProvider,
};
