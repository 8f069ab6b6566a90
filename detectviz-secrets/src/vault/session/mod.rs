//! The login: one for all, renewed while it can be, replaced before it ends.
mod grant;
mod login;
mod service;
mod state;
#[cfg(test)]
mod tests;

pub(super) use self::{
    grant::Token,
    service::{Session, Verdict},
};
