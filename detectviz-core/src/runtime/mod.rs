//! The runtime: joins everything that a service is made of.
