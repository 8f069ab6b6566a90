//! The cubbyhole of each token; follows <https://developer.hashicorp.com/vault/api-docs/secret/cubbyhole>.
use super::super::call::{Ask, Outcome, Refusal, Reply, Verb};
use serde_json::Value;
use std::collections::BTreeMap;

/// Values by token and path.
#[derive(Debug, Default)]
pub(in super::super) struct Cubbyhole(BTreeMap<String, BTreeMap<String, Value>>);

// === impl Cubbyhole ===

impl Cubbyhole {
    pub(super) fn handle(&mut self, ask: &Ask<'_>) -> Outcome {
        let token = ask.call.token.clone().unwrap_or_default();
        let own = self.0.entry(token).or_default();
        match ask.verb {
            Verb::Read => match own.get(ask.path) {
                Some(value) => Reply::data(value.clone()),
                None => Err(Refusal::absent()),
            },
            Verb::List => Reply::folder(own.keys(), ask.path),
            Verb::Write => {
                own.insert(ask.path.to_owned(), ask.call.body.clone());
                Reply::empty()
            }
            Verb::Delete => {
                own.remove(ask.path);
                Reply::empty()
            }
            Verb::Patch => Err(Refusal::no_operation()),
        }
    }

    /// With a token goes what it kept.
    pub(in super::super) fn forget(&mut self, token: &str) {
        self.0.remove(token);
    }
}
