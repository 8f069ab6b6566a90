//! The envelope of every answer, and what is in it.
//!
//! Bodies are wiped buffers of our own, and what is read from them borrows: a value is copied once, into the
//! [`Secret`](detectviz_core::secret::Secret) that is handed out.
use super::{
    failure::{Cause, Failure},
    http::Answer,
    path::Form,
};
use crate::schedule::LONGEST_LIFE;
use crate::{
    payload,
    store::{Fetched, Fields, Grant, Life},
};
use detectviz_core::clock;
use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use serde_json::value::RawValue;
use std::time::{Duration, SystemTime};

/// A hint of KV version 1 that is shorter than this is followed; a longer one says less than the cache does. The default of
/// every mount is 768 h.
const LONGEST_HINT: Duration = Duration::from_secs(30 * 60);

/// What stands around the data, after <https://developer.hashicorp.com/vault/api-docs#the-response>.
#[derive(Deserialize)]
pub(super) struct Envelope<'a> {
    #[serde(borrow, default)]
    pub(super) data: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) auth: Option<&'a RawValue>,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) lease_id: String,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) lease_duration: u64,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) renewable: bool,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) warnings: Vec<String>,
}

/// The data of a KV secret, version 2.
#[derive(Deserialize)]
struct Versioned<'a> {
    #[serde(borrow, default)]
    data: Option<&'a RawValue>,
    metadata: Metadata,
}

#[derive(Deserialize)]
struct Metadata {
    version: u64,
    #[serde(default)]
    deletion_time: String,
    #[serde(default)]
    destroyed: bool,
}

/// The fields of an answer that say how long it is good.
#[derive(Deserialize, Default)]
struct Ends {
    ttl: Option<u64>,
    expiration: Option<u64>,
    last_vault_rotation: Option<String>,
    serial_number: Option<String>,
}

// === impl Envelope ===

impl<'a> Envelope<'a> {
    pub(super) fn read(body: &'a [u8]) -> Result<Self, Failure> {
        let envelope: Self = parse(body)?;
        for warning in envelope.warnings.iter().take(4) {
            tracing::debug!(warning = %warning.chars().take(256).collect::<String>(), "Vault warns");
        }
        Ok(envelope)
    }

    /// What the answer holds, when it was read as `form` under the login `session`.
    pub(super) fn fetched(
        &self,
        form: Form,
        session: u64,
        answer: &Answer,
    ) -> Result<Fetched, Failure> {
        let empty = || {
            Failure::new(
                Cause::NotFound,
                "write a value to the store: nothing is at this path",
            )
        };
        let data = self
            .data
            .filter(|data| data.get() != "null")
            .ok_or_else(empty)?;
        if form == Form::KvV2 {
            return versioned(data);
        }
        let ends = match form {
            Form::Static | Form::Issued => parse(data.get().as_bytes())?,
            _ => Ends::default(),
        };
        let mut fields = fields(data)?;
        let hint = Duration::from_secs(self.lease_duration).min(LONGEST_LIFE);
        let (life, label) = match form {
            Form::KvV1 if hint.is_zero() || hint >= LONGEST_HINT => (Life::Cached, None),
            Form::KvV1 => (Life::Rotates(hint), None),
            Form::Static => {
                // It counts down, and would be a change at every read.
                fields.remove("ttl");
                let ttl = ends
                    .ttl
                    .ok_or_else(|| not_understood("a static role has no `ttl`"))?;
                (
                    Life::Rotates(Duration::from_secs(ttl).min(LONGEST_LIFE)),
                    ends.last_vault_rotation,
                )
            }
            Form::Issued if self.lease_id.is_empty() => {
                (Self::certificate(&ends, answer)?, ends.serial_number)
            }
            Form::Issued | Form::Plain | Form::KvV2 => (self.life(session), ends.serial_number),
        };
        let fetched = Fetched::new(fields).life(life);
        Ok(match label {
            Some(label) => fetched.label(label),
            None => fetched,
        })
    }

    fn life(&self, session: u64) -> Life {
        if self.lease_duration == 0 {
            return Life::Cached;
        }
        Life::Leased(Grant {
            renewable: self.renewable && !self.lease_id.is_empty(),
            id: self.lease_id.clone(),
            duration: Duration::from_secs(self.lease_duration).min(LONGEST_LIFE),
            session: if self.lease_id.is_empty() { 0 } else { session },
        })
    }

    /// A certificate lasts until it expires, counted by the clock of the node that says so.
    fn certificate(ends: &Ends, answer: &Answer) -> Result<Life, Failure> {
        let now = match answer.date {
            Some(date) => date
                .duration_since(SystemTime::UNIX_EPOCH)
                .unwrap_or_default(),
            None => Duration::from_nanos(clock::unix_nanos()),
        };
        let expiration = ends
            .expiration
            .ok_or_else(|| not_understood("a certificate has no `expiration`"))?;
        let duration = Duration::from_secs(expiration)
            .saturating_sub(now)
            .min(LONGEST_LIFE);
        if duration.is_zero() {
            let remedy =
                "give the role a longer `ttl`: the certificate has expired as it was issued";
            return Err(Failure::new(Cause::Refused, remedy));
        }
        Ok(Life::Leased(Grant {
            id: String::new(),
            duration,
            renewable: false,
            // It outlives the login.
            session: 0,
        }))
    }
}

/// Why there is nothing in a 404 of KV version 2; `None` where it does not say.
pub(super) fn absence(body: &[u8]) -> Option<String> {
    let envelope: Envelope<'_> = serde_json::from_slice(body).ok()?;
    let versioned: Versioned<'_> = serde_json::from_str(envelope.data?.get()).ok()?;
    let Metadata {
        version,
        deletion_time,
        destroyed,
    } = versioned.metadata;
    Some(if destroyed {
        format!("write it anew: version {version} was destroyed")
    } else {
        format!(
            "undelete it (`vault kv undelete -versions={version}`) or write it anew: version {version} was deleted at {}",
            deletion_time.chars().take(40).collect::<String>()
        )
    })
}

/// Reads JSON. Errors never repeat it.
pub(super) fn parse<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, Failure> {
    serde_json::from_slice(bytes).map_err(|err| {
        let what = match err.classify() {
            serde_json::error::Category::Data => "fields of other types than Vault's",
            serde_json::error::Category::Eof => "JSON that ends too early",
            _ => "no JSON",
        };
        not_understood(what)
    })
}

fn not_understood(what: &str) -> Failure {
    let remedy =
        format!("correct `addresses`, if it is not Vault that answers: the answer holds {what}");
    Failure::new(Cause::Malformed, remedy)
}

fn versioned(data: &RawValue) -> Result<Fetched, Failure> {
    let Versioned { data, metadata } = parse(data.get().as_bytes())?;
    let data = data.filter(|data| data.get() != "null").ok_or_else(|| {
        let remedy = format!("write it anew: version {} holds nothing", metadata.version);
        Failure::new(Cause::NotFound, remedy)
    })?;
    Ok(Fetched::new(fields(data)?).label(metadata.version.to_string()))
}

fn fields(data: &RawValue) -> Result<Fields, Failure> {
    let fields = payload::json(data.get().as_bytes())
        .map_err(|_| not_understood("data that is no object"))?;
    if fields.is_empty() {
        return Err(Failure::new(
            Cause::Empty,
            "write a field to it: it has none",
        ));
    }
    Ok(fields)
}

/// `null` is what it would be if it were left out.
fn or_default<'de, T: DeserializeOwned + Default, D: Deserializer<'de>>(
    from: D,
) -> Result<T, D::Error> {
    Option::deserialize(from).map(Option::unwrap_or_default)
}
