//! KV version 1; follows <https://developer.hashicorp.com/vault/api-docs/secret/kv/kv-v1>.
use super::super::{
    call::{Ask, Outcome, Refusal, Reply, Verb},
    text::Fields,
};
use serde_json::Value;
use std::collections::BTreeMap;

/// Values by path.
#[derive(Debug, Default)]
pub(in super::super) struct Kv1(BTreeMap<String, Value>);

// === impl Kv1 ===

impl Kv1 {
    pub(super) fn handle(&mut self, ask: &Ask<'_>) -> Outcome {
        match ask.verb {
            Verb::Read => {
                let value = self.0.get(ask.path).ok_or_else(Refusal::absent)?;
                let ttl = Fields::of(value).seconds("ttl").ok().flatten();
                Ok(Reply {
                    data: Some(value.clone()),
                    hint: Some(ttl.unwrap_or(ask.default_ttl)),
                    ..Reply::default()
                })
            }
            Verb::List => Reply::folder(self.0.keys(), ask.path),
            Verb::Write => {
                if ask.call.body.as_object().is_none_or(|body| body.is_empty()) {
                    return Err(Refusal::bad("missing data fields"));
                }
                self.0.insert(ask.path.to_owned(), ask.call.body.clone());
                Reply::empty()
            }
            Verb::Delete => {
                self.0.remove(ask.path);
                Reply::empty()
            }
            Verb::Patch => Err(Refusal::no_operation()),
        }
    }

    pub(super) fn holds(&self, path: &str) -> bool {
        self.0.contains_key(path)
    }

    pub(in super::super) fn remove(&mut self, path: &str) {
        self.0.remove(path);
    }
}
