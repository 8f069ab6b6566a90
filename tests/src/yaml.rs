//! YAML as JSON, by a parser that is not that of our configuration.
use saphyr_parser::{Event, Parser, ScalarStyle};
use serde_json::{Map, Value};

/// What `text` means in YAML's core schema, as far as JSON can say it. An empty file is `null`.
///
/// # Panics
/// When it is no YAML, or uses aliases.
#[must_use]
pub fn to_json(text: &str) -> Value {
    let events = Parser::new_from_str(text).map(|event| {
        let (event, _) = event.unwrap_or_else(|err| panic!("{err}: {text}"));
        event
    });
    let mut events = events.filter(|event| {
        !matches!(
            event,
            Event::StreamStart | Event::DocumentStart(_) | Event::Nothing
        )
    });
    node(&mut events).unwrap_or(Value::Null)
}

/// The next node; `None` where a list, a map or the file ends.
fn node<'a>(events: &mut impl Iterator<Item = Event<'a>>) -> Option<Value> {
    match events.next()? {
        Event::Scalar(text, style, ..) => Some(scalar(&text, style)),
        Event::SequenceStart(..) => {
            let mut list = Vec::new();
            while let Some(item) = node(events) {
                list.push(item);
            }
            Some(list.into())
        }
        Event::MappingStart(..) => {
            let mut map = Map::new();
            while let Some(key) = node(events) {
                let key = key.as_str().map_or_else(|| key.to_string(), str::to_owned);
                map.insert(key, node(events).expect("a value follows the key"));
            }
            Some(map.into())
        }
        Event::Alias(_) => panic!("aliases are not used here"),
        _ => None,
    }
}

fn scalar(text: &str, style: ScalarStyle) -> Value {
    if style != ScalarStyle::Plain {
        return text.into();
    }
    match text {
        "" | "~" | "null" => Value::Null,
        "true" => true.into(),
        "false" => false.into(),
        _ => {
            let number = text.parse::<i64>().map(Value::from).ok();
            let number = number.or_else(|| text.parse::<f64>().map(Value::from).ok());
            number.unwrap_or_else(|| text.into())
        }
    }
}
