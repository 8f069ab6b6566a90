//! The server of Vault's API, checked by an independent client; the same checks run on a real server when one is named.
mod place;
mod leases;
mod timetables;
mod faults;
mod kv;
mod tokens;
mod auth;
mod dynamic;
mod sys;
mod nonsense;
mod rest;
