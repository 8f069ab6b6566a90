//! Whose word counts.
use crate::conn::{InvalidNetwork, Network};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{self, SeqAccess, Visitor},
};
use std::{borrow::Cow, fmt, net::IpAddr};

/// Which peers may say how long their requests take: `all`, `none`, or a list of networks such as `10.0.0.0/8`.
///
/// A peer is who holds the other end of the connection: behind a proxy that is the proxy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Trust {
    /// Everybody.
    #[default]
    All,
    /// Nobody: callers are strangers, as at the edge of a system.
    None,
    /// Who comes from one of these networks. Where there is no network in between, nobody does.
    Networks(Vec<Network>),
}

struct Reader;

const WANTED: &str = "`all`, `none` or a list of networks such as `10.0.0.0/8`";

// === impl Trust ===

impl Trust {
    /// Whether what this peer says counts.
    #[must_use]
    pub fn includes(&self, peer: Option<IpAddr>) -> bool {
        match self {
            Self::All => true,
            Self::None => false,
            Self::Networks(networks) => {
                peer.is_some_and(|peer| networks.iter().any(|network| network.contains(peer)))
            }
        }
    }

    /// What stands in a variable or behind a flag: networks are parted by commas.
    fn parse(text: &str) -> Result<Self, InvalidNetwork> {
        match text.trim() {
            "all" => Ok(Self::All),
            "none" => Ok(Self::None),
            text => {
                let networks = text.split(',').map(|text| text.trim().parse());
                networks.collect::<Result<_, _>>().map(Self::Networks)
            }
        }
    }
}

impl Serialize for Trust {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::All => serializer.serialize_str("all"),
            Self::None => serializer.serialize_str("none"),
            Self::Networks(networks) => {
                serializer.collect_seq(networks.iter().map(ToString::to_string))
            }
        }
    }
}

impl<'de> Deserialize<'de> for Trust {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

impl JsonSchema for Trust {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Trust".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": ["string", "array"],
            "items": { "type": "string" },
            "examples": ["all", "none", ["10.0.0.0/8", "fd00::/8"]],
        })
    }
}

// === impl Reader ===

impl<'de> Visitor<'de> for Reader {
    type Value = Trust;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(WANTED)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Trust, E> {
        Trust::parse(text).map_err(|err| E::custom(format!("{err}, or write {WANTED}")))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Trust, A::Error> {
        let mut networks = Vec::new();
        while let Some(text) = list.next_element::<String>()? {
            networks.push(text.parse().map_err(de::Error::custom)?);
        }
        Ok(Trust::Networks(networks))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_trusted_is_read_and_written_alike() {
        let (pod, stranger) = ("10.1.2.3".parse().ok(), "203.0.113.9".parse().ok());
        for (json, included) in [
            (r#""all""#, [true, true, true]),
            (r#""none""#, [false, false, false]),
            (r#"["10.0.0.0/8","fd00::/8"]"#, [true, false, false]),
            (r#""10.0.0.0/8, fd00::/8""#, [true, false, false]),
            ("[]", [false, false, false]),
        ] {
            let trust: Trust = serde_json::from_str(json).unwrap();
            let says = [pod, stranger, None].map(|peer| trust.includes(peer));
            assert_eq!(says, included, "{json}");
            let written = serde_json::to_string(&trust).unwrap();
            assert_eq!(serde_json::from_str::<Trust>(&written).unwrap(), trust);
        }
        for json in [r#""some""#, r#"["10.1.1.1/8"]"#, "1", "{}"] {
            let said = serde_json::from_str::<Trust>(json).unwrap_err().to_string();
            assert!(said.contains("10.0.0.0/8"), "{json}: {said}");
        }
    }
}
