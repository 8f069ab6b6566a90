//! What a login grants, as Vault says it.
use super::super::{
    envelope::parse,
    failure::{Cause, Failure},
};
use crate::schedule::LONGEST_LIFE;
use detectviz_core::secret::Secret;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::{borrow::Cow, time::Duration};
use zeroize::Zeroizing;

/// A token that is good, and the number of its login.
#[derive(Clone, Debug)]
pub(in crate::vault) struct Token {
    pub(in crate::vault) value: Secret,
    /// Counts from 1; a new one for every new token.
    pub(in crate::vault) session: u64,
    /// Whether it ends with us: we logged in for it, and its type can be revoked.
    pub(super) is_ours: bool,
}

/// A token and its life.
#[derive(Debug)]
pub(super) struct Granted {
    pub(super) value: Secret,
    pub(super) is_ours: bool,
    pub(super) life: TokenLife,
}

/// For how long a token is good from when Vault was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TokenLife {
    /// Zero never ends, as with a root token.
    pub(super) ttl: Duration,
    pub(super) renewable: bool,
}

/// The `auth` of a login or a renewal, after <https://developer.hashicorp.com/vault/api-docs/auth/token#renew-a-token-self>.
#[derive(Deserialize)]
struct Auth<'a> {
    #[serde(borrow)]
    client_token: Cow<'a, str>,
    lease_duration: u64,
    #[serde(default)]
    renewable: bool,
    #[serde(borrow, default)]
    token_type: Cow<'a, str>,
    #[serde(default)]
    num_uses: u64,
}

/// The `data` of `auth/token/lookup-self`.
#[derive(Deserialize)]
struct Looked<'a> {
    /// Rounded down: zero in the last second too.
    ttl: u64,
    #[serde(borrow, default)]
    expire_time: Option<Cow<'a, str>>,
    #[serde(default)]
    renewable: bool,
    #[serde(default)]
    num_uses: u64,
    #[serde(borrow, default, rename = "type")]
    token_type: Cow<'a, str>,
}

// === impl Granted ===

impl Granted {
    /// What a login answers.
    pub(super) fn of_login(auth: Option<&RawValue>) -> Result<Self, Failure> {
        let auth = of(auth)?;
        limited(auth.num_uses)?;
        let value = Zeroizing::new(auth.client_token.into_owned());
        Ok(Self {
            value: Secret::from(value.as_str()),
            // A batch token is no more than a signed text: it cannot be revoked.
            is_ours: auth.token_type != "batch",
            life: TokenLife {
                ttl: Duration::from_secs(auth.lease_duration).min(LONGEST_LIFE),
                renewable: auth.renewable,
            },
        })
    }

    /// A token that was given, of which `data` is what `lookup-self` says.
    pub(super) fn of_given(value: Secret, data: Option<&RawValue>) -> Result<Self, Failure> {
        let data = data.map_or("", RawValue::get).as_bytes();
        let looked: Looked<'_> = parse(data)?;
        limited(looked.num_uses)?;
        Ok(Self {
            value,
            is_ours: false,
            life: TokenLife {
                ttl: Duration::from_secs(looked.ttl.max(u64::from(looked.expire_time.is_some())))
                    .min(LONGEST_LIFE),
                renewable: looked.renewable && looked.token_type != "batch",
            },
        })
    }
}

// === impl TokenLife ===

impl TokenLife {
    /// What a renewal answers.
    pub(super) fn of_renewal(auth: Option<&RawValue>) -> Result<Self, Failure> {
        let auth = of(auth)?;
        Ok(Self {
            ttl: Duration::from_secs(auth.lease_duration).min(LONGEST_LIFE),
            renewable: auth.renewable,
        })
    }
}

fn of(auth: Option<&RawValue>) -> Result<Auth<'_>, Failure> {
    parse(auth.map_or("", RawValue::get).as_bytes())
}

/// Whether calls are counted: a token that ends after some of them would end in the midst of a renewal.
fn limited(num_uses: u64) -> Result<(), Failure> {
    if num_uses == 0 {
        return Ok(());
    }
    let remedy = format!(
        "set `token_num_uses` of the role (`num_uses` of the token) to 0: this token is good for {num_uses} calls alone"
    );
    Err(Failure::new(Cause::Denied, remedy))
}
