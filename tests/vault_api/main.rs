//! The server of Vault's API, checked by an independent client.
mod leases;
mod faults;
