//! Makes a typed value of a tree. Keys that the type does not know are refused whether or not it says so itself.
use super::{
    fault::{Fault, FaultKind},
    node::{Node, Value},
    path::Step,
    suggest,
};
use serde::de::{
    self, Deserializer, EnumAccess, IntoDeserializer, MapAccess, SeqAccess, VariantAccess, Visitor,
    value::StrDeserializer,
};
use std::collections::btree_map;

/// Reads one value.
#[derive(Clone, Copy)]
pub(crate) struct ValueReader<'a> {
    node: &'a Node,
    /// The keys that the struct around it knows.
    siblings: &'static [&'static str],
}

/// Reads the entries of a map; for a struct, `fields` are the keys that it knows.
struct MapReader<'a> {
    entries: btree_map::Iter<'a, String, Node>,
    fields: &'static [&'static str],
    current: Option<(&'a str, &'a Node)>,
}

struct ListReader<'a> {
    items: std::iter::Enumerate<std::slice::Iter<'a, Node>>,
}

/// Reads a key: text that may stand for a number.
struct KeyReader<'a>(&'a str);

/// Reads a variant with a value: a map with one key.
struct EnumReader<'a> {
    name: &'a str,
    node: &'a Node,
}

type Result<T> = std::result::Result<T, Fault>;

// === impl ValueReader ===

impl<'a> ValueReader<'a> {
    pub(crate) fn new(node: &'a Node) -> Self {
        Self {
            node,
            siblings: &[],
        }
    }

    fn integer(self, from: i128, to: i128) -> Result<i128> {
        match self.node.value {
            Value::Int(value) if (from..=to).contains(&value) => Ok(value),
            Value::Int(_) => Err(Fault::new(FaultKind::Range { from, to })),
            _ => {
                let wanted = format!("a whole number from {from} to {to}");
                let remedy = match &self.node.value {
                    Value::Text(text) if matches!(Value::plain(text), Value::Int(_)) => {
                        "write the number without quotes".to_owned()
                    }
                    _ => format!("write {wanted}"),
                };
                Err(Fault::wanted(wanted, remedy))
            }
        }
    }

    fn text(self) -> Result<&'a str> {
        match (&self.node.value, &self.node.raw) {
            (Value::Text(text), _) => Ok(text),
            (_, Some(raw)) => Ok(raw),
            (Value::Bool(_) | Value::Int(_) | Value::Float(_), None) => {
                Err(Fault::wanted("text", "put it in quotes"))
            }
            _ => Err(Fault::wanted("text", "write text")),
        }
    }

    fn map<V: Visitor<'a>>(self, visitor: V, fields: &'static [&'static str]) -> Result<V::Value> {
        static NOTHING: btree_map::BTreeMap<String, Node> = btree_map::BTreeMap::new();
        let entries = match &self.node.value {
            Value::Map(entries) => entries.iter(),
            // `http:` with nothing below it is how a section looks whose keys are commented out.
            Value::Null { .. } => NOTHING.iter(),
            _ => return Err(Fault::wanted("a map", "write `key: value` lines below it")),
        };
        visitor.visit_map(MapReader {
            entries,
            fields,
            current: None,
        })
    }
}

macro_rules! integers {
    ($($method:ident $visit:ident $int:ty),*) => {$(
        fn $method<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value> {
            let value = self.integer(<$int>::MIN.into(), <$int>::MAX.into())?;
            // In range by the line above.
            visitor.$visit(value as $int)
        }
    )*};
}

impl<'a> Deserializer<'a> for ValueReader<'a> {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value> {
        match &self.node.value {
            Value::Null { .. } => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(*value),
            Value::Int(value) => match (u64::try_from(*value), i64::try_from(*value)) {
                (Ok(value), _) => visitor.visit_u64(value),
                (_, Ok(value)) => visitor.visit_i64(value),
                _ => visitor.visit_i128(*value),
            },
            Value::Float(value) => visitor.visit_f64(*value),
            Value::Text(text) => visitor.visit_str(text),
            Value::List(_) => self.deserialize_seq(visitor),
            Value::Map(_) => self.map(visitor, &[]),
        }
    }

    integers! {
        deserialize_i8 visit_i8 i8, deserialize_i16 visit_i16 i16, deserialize_i32 visit_i32 i32,
        deserialize_i64 visit_i64 i64, deserialize_i128 visit_i128 i128,
        deserialize_u8 visit_u8 u8, deserialize_u16 visit_u16 u16, deserialize_u32 visit_u32 u32,
        deserialize_u64 visit_u64 u64
    }

    fn deserialize_u128<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value> {
        let value = self.integer(0, i128::MAX)?;
        visitor.visit_u128(value.unsigned_abs())
    }

    fn deserialize_f32<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value> {
        self.deserialize_f64(visitor)
    }

    fn deserialize_f64<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value> {
        match self.node.value {
            Value::Float(value) => visitor.visit_f64(value),
            #[expect(clippy::cast_precision_loss, reason = "asked for as a float")]
            Value::Int(value) => visitor.visit_f64(value as f64),
            _ => Err(Fault::wanted("a number", "write a number without quotes")),
        }
    }

    fn deserialize_bool<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value> {
        match self.node.value {
            Value::Bool(value) => visitor.visit_bool(value),
            _ => Err(Fault::wanted(
                "`true` or `false`",
                "write `true` or `false`, without quotes",
            )),
        }
    }

    fn deserialize_char<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value> {
        visitor.visit_str(self.text()?)
    }

    fn deserialize_str<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value> {
        visitor.visit_str(self.text()?)
    }

    fn deserialize_string<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value> {
        visitor.visit_str(self.text()?)
    }

    fn deserialize_identifier<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value> {
        visitor.visit_str(self.text()?)
    }

    fn deserialize_bytes<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value> {
        visitor.visit_bytes(self.text()?.as_bytes())
    }

    fn deserialize_byte_buf<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value> {
        self.deserialize_bytes(visitor)
    }

    fn deserialize_option<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value> {
        match self.node.value {
            Value::Null { .. } => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_unit<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value> {
        match self.node.value {
            Value::Null { .. } => visitor.visit_unit(),
            _ => Err(Fault::wanted("nothing", "remove the value")),
        }
    }

    fn deserialize_unit_struct<V: Visitor<'a>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value> {
        self.deserialize_unit(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'a>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value> {
        match &self.node.value {
            Value::List(items) => visitor.visit_seq(ListReader {
                items: items.iter().enumerate(),
            }),
            _ => Err(Fault::wanted(
                "a list",
                "write `[one, two]`, or one `- item` a line",
            )),
        }
    }

    fn deserialize_tuple<V: Visitor<'a>>(self, _: usize, visitor: V) -> Result<V::Value> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'a>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_map<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value> {
        self.map(visitor, &[])
    }

    fn deserialize_struct<V: Visitor<'a>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        self.map(visitor, fields)
    }

    fn deserialize_enum<V: Visitor<'a>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        let variant = match &self.node.value {
            Value::Text(text) => Some((text.as_str(), None)),
            Value::Map(entries) => {
                let mut kept = entries.iter().filter(|(_, node)| !node.pruned);
                match (kept.next(), kept.next()) {
                    (Some((name, node)), None) => Some((name.as_str(), Some(node))),
                    _ => None,
                }
            }
            _ => self.node.raw.as_deref().map(|raw| (raw, None)),
        };
        match variant {
            Some((name, None)) => {
                let name: StrDeserializer<'_, Fault> = name.into_deserializer();
                visitor.visit_enum(name)
            }
            Some((name, Some(node))) => visitor.visit_enum(EnumReader { name, node }),
            None => {
                let wanted = format!("one of {}", suggest::list(variants));
                let remedy = format!("write {wanted}");
                Err(Fault::wanted(wanted, remedy))
            }
        }
    }

    fn deserialize_ignored_any<V: Visitor<'a>>(self, _: V) -> Result<V::Value> {
        Err(Fault::new(FaultKind::UnknownKey(self.siblings)))
    }
}

// === impl MapReader ===

impl<'a> MapAccess<'a> for MapReader<'a> {
    type Error = Fault;

    fn next_key_seed<K: de::DeserializeSeed<'a>>(&mut self, seed: K) -> Result<Option<K::Value>> {
        let Some((key, node)) = self.entries.by_ref().find(|(_, node)| !node.pruned) else {
            return Ok(None);
        };
        self.current = Some((key, node));
        // A variable cannot say `-`: `HEADER_TIMEOUT` stands for `header-timeout` where the struct knows that.
        let dashed = || {
            let same = |field: &&&str| field.replace('-', "_") == *key;
            self.fields.iter().find(same).copied()
        };
        let unknown = node.place.origin().is_shell() && !self.fields.contains(&key.as_str());
        let name = if unknown {
            dashed().unwrap_or(key)
        } else {
            key
        };
        seed.deserialize(KeyReader(name))
            .map(Some)
            .map_err(|fault| fault.below(Step::Key(key.clone())))
    }

    fn next_value_seed<T: de::DeserializeSeed<'a>>(&mut self, seed: T) -> Result<T::Value> {
        let Some((key, node)) = self.current.take() else {
            return Err(de::Error::custom("a value was asked for before its key"));
        };
        let siblings = self.fields;
        seed.deserialize(ValueReader { node, siblings })
            .map_err(|fault| fault.below(Step::Key(key.to_owned())))
    }
}

// === impl ListReader ===

impl<'a> SeqAccess<'a> for ListReader<'a> {
    type Error = Fault;

    fn next_element_seed<T: de::DeserializeSeed<'a>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>> {
        match self.items.by_ref().find(|(_, node)| !node.pruned) {
            Some((index, node)) => seed
                .deserialize(ValueReader::new(node))
                .map(Some)
                .map_err(|fault| fault.below(Step::Index(index))),
            None => Ok(None),
        }
    }
}

// === impl KeyReader ===

macro_rules! key_integers {
    ($($method:ident $visit:ident $int:ty),*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
            match self.0.parse::<$int>() {
                Ok(value) => visitor.$visit(value),
                Err(_) => {
                    let wanted = format!("a whole number from {} to {} as key", <$int>::MIN, <$int>::MAX);
                    let remedy = format!("write {wanted}");
                    Err(Fault::wanted(wanted, remedy))
                }
            }
        }
    )*};
}

impl<'de> Deserializer<'de> for KeyReader<'_> {
    type Error = Fault;

    key_integers! {
        deserialize_i8 visit_i8 i8, deserialize_i16 visit_i16 i16, deserialize_i32 visit_i32 i32,
        deserialize_i64 visit_i64 i64, deserialize_u8 visit_u8 u8, deserialize_u16 visit_u16 u16,
        deserialize_u32 visit_u32 u32, deserialize_u64 visit_u64 u64
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        visitor.visit_str(self.0)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        let name: StrDeserializer<'_, Fault> = self.0.into_deserializer();
        visitor.visit_enum(name)
    }

    serde::forward_to_deserialize_any! {
        bool i128 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple tuple_struct map struct
        identifier ignored_any
    }
}

// === impl EnumReader ===

impl<'a> EnumAccess<'a> for EnumReader<'a> {
    type Error = Fault;
    type Variant = Self;

    fn variant_seed<V: de::DeserializeSeed<'a>>(self, seed: V) -> Result<(V::Value, Self)> {
        let name: StrDeserializer<'_, Fault> = self.name.into_deserializer();
        Ok((seed.deserialize(name)?, self))
    }
}

impl<'a> VariantAccess<'a> for EnumReader<'a> {
    type Error = Fault;

    fn unit_variant(self) -> Result<()> {
        de::Deserialize::deserialize(ValueReader::new(self.node)).map_err(|fault| self.below(fault))
    }

    fn newtype_variant_seed<T: de::DeserializeSeed<'a>>(self, seed: T) -> Result<T::Value> {
        seed.deserialize(ValueReader::new(self.node))
            .map_err(|fault| self.below(fault))
    }

    fn tuple_variant<V: Visitor<'a>>(self, _: usize, visitor: V) -> Result<V::Value> {
        ValueReader::new(self.node)
            .deserialize_seq(visitor)
            .map_err(|fault| self.below(fault))
    }

    fn struct_variant<V: Visitor<'a>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        ValueReader::new(self.node)
            .map(visitor, fields)
            .map_err(|fault| self.below(fault))
    }
}

impl EnumReader<'_> {
    fn below(&self, fault: Fault) -> Fault {
        fault.below(Step::Key(self.name.to_owned()))
    }
}
