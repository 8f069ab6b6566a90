//! Response wrapping; follows <https://developer.hashicorp.com/vault/docs/concepts/response-wrapping> and
//! <https://developer.hashicorp.com/vault/api-docs/system/wrapping-wrap> with its siblings.
use super::{
    Core,
    call::{Answer, Call, Login, Refusal, Reply},
    text::Fields,
};
use serde_json::{Value, json};
use std::time::Duration;

/// What waits for the one who holds the token.
#[derive(Debug)]
pub(super) struct Wrapped {
    body: Value,
    ttl: u64,
    made: Duration,
    path: String,
}

const INVALID: &str = "wrapping token is not valid or does not exist";

// === impl Core ===

impl Core {
    /// Puts `answer` behind a token of its own, which opens it once.
    pub(super) fn wrap(&mut self, call: &Call, ttl: u64, answer: Answer) -> Answer {
        let (200, Some(body)) = (answer.status, answer.body.clone()) else {
            return answer;
        };
        let login = Login {
            policies: vec!["response-wrapping".into()],
            no_default_policy: true,
            explicit_max_ttl: ttl,
            ttl,
            num_uses: 1,
            ..Login::default()
        };
        let made = self.make_token(login, "", None, &call.path, (ttl, ttl));
        let (id, accessor, now) = (made.id.clone(), made.accessor.clone(), self.env.now);
        if let Some(token) = self.tokens.get_mut(&id) {
            token.wrapping = true;
        }
        let wrapped_accessor = body.pointer("/auth/accessor").cloned();
        let path = call.path.clone();
        let made = self.env.date(now);
        let wrapped = Wrapped {
            body,
            ttl,
            made: now,
            path,
        };
        self.wrapped.insert(id.clone(), wrapped);
        let mut envelope = self.envelope(Value::Null, &[]);
        envelope["wrap_info"] = json!({
            "token": id, "accessor": accessor, "ttl": ttl, "creation_time": made, "creation_path": call.path,
        });
        if let Some(accessor) = wrapped_accessor {
            envelope["wrap_info"]["wrapped_accessor"] = accessor;
        }
        Answer::plain(200, envelope)
    }

    /// `sys/wrapping/…`.
    pub(super) fn wrapping(&mut self, call: &Call, path: &str) -> Result<Answer, Refusal> {
        let named = Fields::of(&call.body).text("token").map(str::to_owned);
        let token = named.or_else(|| call.token.clone()).unwrap_or_default();
        match path {
            "wrap" => match call.wrap {
                Some(_) => {
                    let reply = Reply::data(call.body.clone())?;
                    self.reply(reply)
                }
                None => Err(Refusal::bad(
                    "endpoint requires response wrapping to be used",
                )),
            },
            "unwrap" => {
                let wrapped = self.open(&token)?;
                Ok(Answer::plain(200, wrapped.body))
            }
            "lookup" => {
                let wrapped = self
                    .wrapped
                    .get(&token)
                    .ok_or_else(|| Refusal::bad(INVALID))?;
                let reply = Reply::data(json!({
                    "creation_path": wrapped.path, "creation_time": self.env.date(wrapped.made),
                    "creation_ttl": wrapped.ttl,
                }))?;
                self.reply(reply)
            }
            "rewrap" => {
                let wrapped = self.open(&token)?;
                let call = Call::new("POST", &wrapped.path);
                Ok(self.wrap(&call, wrapped.ttl, Answer::plain(200, wrapped.body)))
            }
            _ => Err(Refusal::no_path()),
        }
    }

    fn open(&mut self, token: &str) -> Result<Wrapped, Refusal> {
        let wrapped = self.wrapped.remove(token);
        let wrapped = wrapped.ok_or_else(|| Refusal::bad(INVALID))?;
        self.tokens.take_tree(token);
        Ok(wrapped)
    }
}
