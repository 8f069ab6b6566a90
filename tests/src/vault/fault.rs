//! What a test lets go wrong.
use serde_json::Value;
use std::time::Duration;

/// A trouble; [`Fault::on`] and [`Fault::times`] say where and how often.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// The server is sealed until [`clear`](crate::vault::VaultServer::clear): 503 "Vault is sealed". Leases and tokens do not
    /// end while it is; what is over ends with the unsealing. It seals the whole Vault, whatever the rule says.
    Seal,
    /// A rate limit quota is used up: 429, as <https://developer.hashicorp.com/vault/docs/concepts/resource-quotas> says. The paths
    /// that are exempt by default stay, unless the rule names one.
    RateLimit {
        /// `Retry-After` in seconds. With 0 there is no such header, nor `X-Ratelimit-…`: Vault sends them only with
        /// `enable_rate_limit_response_headers`, which is off by default.
        retry_after: u64,
    },
    /// This status. 500 comes with Vault's JSON, others with the HTML of a proxy before it. Nothing is done.
    Status(u16),
    /// The request is done at once, and answered after this long on tokio's clock.
    Delay(Duration),
    /// The connection is closed when the request has come. Nothing is done.
    Close,
    /// The request is done, and the connection closed after half of the body.
    Cut,
    /// The request is done, and the answer is no JSON, with the status and the type of JSON.
    Garbage,
    /// The request is done, and the answer has no body.
    Empty,
    /// The request is done, and the answer is an envelope with wrong types.
    WrongTypes,
    /// The request is done, and in the answer this field has another value: `lease_duration` 0, a `ttl` of 0 while a password
    /// rotates, a lease that cannot be renewed, a key that is not there.
    Field {
        /// Where, as RFC 6901 writes it: `/data/ttl`. An answer without it stays as it is.
        pointer: String,
        /// What stands there instead.
        value: Value,
    },
    /// The request is done, and the answer is valid JSON with this many bytes of padding in front.
    Huge(usize),
    /// The request is done, and the answer says that it has this type.
    ContentType(&'static str),
}

/// A fault, and which requests it meets.
#[derive(Clone, Debug)]
pub struct Rule {
    pub(super) fault: Fault,
    path: String,
    left: Option<usize>,
}

// === impl Fault ===

impl Fault {
    /// The field at `pointer` (RFC 6901) has this value.
    #[must_use]
    pub fn field(pointer: impl Into<String>, value: impl Into<Value>) -> Self {
        let (pointer, value) = (pointer.into(), value.into());
        Self::Field { pointer, value }
    }

    /// For requests whose path after `/v1/` starts with `path`.
    #[must_use]
    pub fn on(self, path: impl Into<String>) -> Rule {
        Rule::from(self).on(path)
    }

    /// For the next `n` requests that it meets.
    #[must_use]
    pub fn times(self, n: usize) -> Rule {
        Rule::from(self).times(n)
    }
}

// === impl Rule ===

impl From<Fault> for Rule {
    fn from(fault: Fault) -> Self {
        Self {
            fault,
            path: String::new(),
            left: None,
        }
    }
}

impl Rule {
    /// For requests whose path after `/v1/` starts with `path`.
    #[must_use]
    pub fn on(mut self, path: impl Into<String>) -> Self {
        self.path = path.into();
        self
    }

    /// For the next `n` requests that it meets.
    #[must_use]
    pub fn times(mut self, n: usize) -> Self {
        self.left = Some(n);
        self
    }

    fn meets(&self, path: &str) -> bool {
        // The default of `rate_limit_exempt_paths`, as far as there are such paths here:
        // <https://developer.hashicorp.com/vault/api-docs/system/quotas-config>.
        let exempt = ["sys/health", "sys/seal-status", "sys/unseal"];
        let limited = matches!(self.fault, Fault::RateLimit { .. });
        let free = limited && self.path.is_empty() && exempt.contains(&path);
        path.starts_with(&self.path) && self.left != Some(0) && !free
    }
}

/// The fault that `path` meets; counts it.
pub(super) fn met(rules: &mut [Rule], path: &str) -> Option<Fault> {
    let rule = rules.iter_mut().find(|rule| rule.meets(path))?;
    if let Some(left) = &mut rule.left {
        *left -= 1;
    }
    Some(rule.fault.clone())
}
