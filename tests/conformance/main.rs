//! What every provider of secrets does alike: one body, and a place for each store.
#![cfg(test)]

mod places;
mod secrets;
