//! The `token_…` parameters that all methods share; follows the section *Parameters* of each page, `tokenutil` in Vault's SDK.
use super::super::{
    call::{Login, Refusal},
    text::Fields,
};
use serde_json::{Map, Value, json};

/// What a token of a role is like.
#[derive(Clone, Debug, Default)]
pub(super) struct Params {
    policies: Vec<String>,
    no_default_policy: bool,
    ttl: u64,
    max_ttl: u64,
    explicit_max_ttl: u64,
    period: u64,
    num_uses: u64,
}

// === impl Params ===

impl Params {
    /// Those of `fields`; what is not named stays. The names without `token_` are the old ones.
    pub(super) fn set(&mut self, fields: Fields<'_>) -> Result<(), Refusal> {
        let policies = fields.list("token_policies");
        if let Some(policies) = policies.or_else(|| fields.list("policies")) {
            self.policies = policies;
        }
        let two = |name, old| Ok::<_, Refusal>(fields.seconds(name)?.or(fields.seconds(old)?));
        self.ttl = two("token_ttl", "ttl")?.unwrap_or(self.ttl);
        self.max_ttl = two("token_max_ttl", "max_ttl")?.unwrap_or(self.max_ttl);
        self.period = two("token_period", "period")?.unwrap_or(self.period);
        let explicit = fields.seconds("token_explicit_max_ttl")?;
        self.explicit_max_ttl = explicit.unwrap_or(self.explicit_max_ttl);
        self.num_uses = fields.number("token_num_uses").unwrap_or(self.num_uses);
        let bare = fields.flag("token_no_default_policy");
        self.no_default_policy = bare.unwrap_or(self.no_default_policy);
        match self.ttl > self.max_ttl && self.max_ttl > 0 {
            true => Err(Refusal::bad(
                "'token_ttl' cannot be greater than 'token_max_ttl'",
            )),
            false => Ok(()),
        }
    }

    pub(super) fn show(&self, shown: &mut Value) {
        let own = json!({
            "token_bound_cidrs": [], "token_explicit_max_ttl": self.explicit_max_ttl,
            "token_max_ttl": self.max_ttl, "token_no_default_policy": self.no_default_policy,
            "token_num_uses": self.num_uses, "token_period": self.period,
            "token_policies": self.policies, "token_ttl": self.ttl, "token_type": "default",
        });
        if let (Value::Object(own), Some(shown)) = (own, shown.as_object_mut()) {
            shown.extend(own);
        }
    }

    pub(super) fn login(&self, display_name: String, meta: Map<String, Value>) -> Login {
        Login {
            display_name,
            policies: self.policies.clone(),
            no_default_policy: self.no_default_policy,
            meta,
            ttl: self.ttl,
            max_ttl: self.max_ttl,
            explicit_max_ttl: self.explicit_max_ttl,
            period: self.period,
            num_uses: self.num_uses,
        }
    }
}
