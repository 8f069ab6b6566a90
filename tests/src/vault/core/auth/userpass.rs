//! Users with passwords; follows <https://developer.hashicorp.com/vault/api-docs/auth/userpass>.
use super::{
    super::{
        call::{Ask, Outcome, Refusal, Reply, Verb},
        text::Fields,
    },
    Params,
};
use serde_json::{Map, json};
use std::collections::BTreeMap;

/// All users.
#[derive(Debug, Default)]
pub(in super::super) struct Userpass(BTreeMap<String, User>);

#[derive(Debug, Default)]
struct User {
    password: String,
    params: Params,
}

// === impl Userpass ===

impl Userpass {
    pub(super) fn handle(&mut self, ask: &Ask<'_>) -> Outcome {
        let fields = Fields::of(&ask.call.body);
        let parts: Vec<&str> = ask.path.split('/').collect();
        match (&parts[..], ask.verb) {
            (["login", name], Verb::Write) => self.login(&name.to_lowercase(), fields),
            (["users"] | ["users", ""], Verb::List) => Reply::keys(self.0.keys()),
            (["users", name], Verb::Read) => {
                let user = self
                    .0
                    .get(&name.to_lowercase())
                    .ok_or_else(Refusal::absent)?;
                let mut shown = json!({});
                user.params.show(&mut shown);
                Reply::data(shown)
            }
            (["users", name], Verb::Write) => {
                let name = name.to_lowercase();
                let password = fields.text("password");
                if password.is_none() && !self.0.contains_key(&name) {
                    return Err(Refusal::bad("missing password"));
                }
                let user = self.0.entry(name).or_default();
                if let Some(password) = password {
                    user.password = password.to_owned();
                }
                user.params.set(fields)?;
                Reply::empty()
            }
            (["users", name, "password"], Verb::Write) => {
                let user = self.0.get_mut(&name.to_lowercase());
                let user = user.ok_or_else(|| Refusal::bad("username does not exist"))?;
                user.password = fields.needed("password")?.to_owned();
                Reply::empty()
            }
            (["users", name, "policies"], Verb::Write) => {
                let user = self.0.get_mut(&name.to_lowercase());
                let user = user.ok_or_else(|| Refusal::bad("username does not exist"))?;
                user.params.set(fields)?;
                Reply::empty()
            }
            (["users", name], Verb::Delete) => {
                self.0.remove(&name.to_lowercase());
                Reply::empty()
            }
            _ => Err(Refusal::no_path()),
        }
    }

    fn login(&self, name: &str, fields: Fields<'_>) -> Outcome {
        let password = fields.text("password").filter(|text| !text.is_empty());
        let password = password.ok_or_else(|| Refusal::bad("missing password"))?;
        // The same words for a user that is not there.
        let user = self.0.get(name).filter(|user| user.password == password);
        let user = user.ok_or_else(|| Refusal::bad("invalid username or password"))?;
        let meta = Map::from_iter([("username".to_owned(), name.into())]);
        Reply::login(user.params.login(format!("userpass-{name}"), meta))
    }
}
