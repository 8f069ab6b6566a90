//! From the text of a file to a tree. Of YAML it takes what JSON can say, plus comments and plain style.
//!
//! Anchors, aliases, tags, merge keys and further documents are refused: they make it hard to say where a value comes
//! from, and aliases let a small file become a large tree. Size, depth and the number of values are bounded.
use super::{
    node::{Node, Value},
    path::{KeyPath, Step},
    place::{Origin, Place},
    problem::Problem,
};
use saphyr_parser::{Event, Marker, Parser, ScalarStyle};
use std::collections::{BTreeMap, btree_map::Entry};

/// What a ConfigMap can hold: 1 MiB.
pub(crate) const MAX_BYTES: usize = 1 << 20;
/// Lists and maps within each other.
const MAX_DEPTH: usize = 64;
/// Values in one file.
const MAX_NODES: usize = 50_000;
/// Problems reported for one file.
const MAX_PROBLEMS: usize = 50;

/// Builds the tree of one file.
struct Builder<'a> {
    origin: &'a Origin,
    open: Vec<Open>,
    path: KeyPath,
    nodes: usize,
    root: Option<Node>,
    problems: &'a mut Vec<Problem>,
    left: usize,
}

/// A list or a map that has not ended.
struct Open {
    place: Place,
    items: Items,
    pruned: bool,
}

enum Items {
    List(Vec<Node>),
    Map {
        entries: BTreeMap<String, Node>,
        key: Option<Key>,
    },
}

enum Key {
    Named(String, Place),
    /// The value is read and forgotten; why has been said.
    Refused(Place),
}

/// The file cannot be read any further.
struct Stop;

/// Reads `bytes` as one document, or says why it cannot be read. A file without a value is an empty map.
pub(crate) fn parse(origin: &Origin, bytes: &[u8], problems: &mut Vec<Problem>) -> Option<Node> {
    let text = match decode(bytes) {
        Ok(text) => text,
        Err((line, what, remedy)) => {
            let place = line.map_or_else(
                || Place::new(origin.clone()),
                |line| Place::at(origin, line, 1),
            );
            problems.push(Problem::new(place, "", what, remedy));
            return None;
        }
    };
    let mut builder = Builder {
        origin,
        open: Vec::new(),
        path: KeyPath::default(),
        nodes: 0,
        root: None,
        problems,
        left: MAX_PROBLEMS,
    };
    match builder.document(text) {
        Ok(()) => Some(
            builder
                .root
                .unwrap_or_else(|| Node::map(Place::new(origin.clone()))),
        ),
        Err(Stop) => None,
    }
}

fn decode(bytes: &[u8]) -> Result<&str, (Option<usize>, String, &'static str)> {
    const UTF8: &str = "save it as UTF-8";
    if bytes.len() > MAX_BYTES {
        let what = format!("the file is larger than {} MiB", MAX_BYTES >> 20);
        return Err((None, what, "keep data out of the configuration"));
    }
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Err((None, "the file is UTF-16".to_owned(), UTF8));
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let line = |at: usize| 1 + bytes[..at].iter().filter(|b| **b == b'\n').count();
    let text = std::str::from_utf8(bytes).map_err(|err| {
        (
            Some(line(err.valid_up_to())),
            "the file is not UTF-8".to_owned(),
            UTF8,
        )
    })?;
    // YAML 1.2, production [1]: c-printable.
    let refused = |c: char| {
        (c.is_control() && !matches!(c, '\t' | '\n' | '\r' | '\u{85}'))
            || matches!(c, '\u{fffe}' | '\u{ffff}' | '\u{feff}')
    };
    if let Some((at, c)) = text.char_indices().find(|(_, c)| refused(*c)) {
        let what = format!(
            "the control character U+{:04X} stands in the file",
            u32::from(c)
        );
        return Err((
            Some(line(at)),
            what,
            "remove it, or write it as an escape in double quotes",
        ));
    }
    Ok(text)
}

// === impl Builder ===

impl Builder<'_> {
    fn document(&mut self, text: &str) -> Result<(), Stop> {
        let mut documents = 0;
        let mut parser = Parser::new_from_str(text);
        while let Some(event) = parser.next_event() {
            let (event, span) = event.map_err(|err| {
                let what = format!("the file is not YAML: {}", err.info());
                self.say(
                    *err.marker(),
                    what,
                    "correct the line, or the indentation above it",
                );
                Stop
            })?;
            match event {
                Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => {}
                Event::DocumentStart(_) => {
                    documents += 1;
                    if documents > 1 {
                        let remedy =
                            "keep one document in a file: remove the `---` and what follows it";
                        self.say(span.start, "a second document starts", remedy);
                        return Ok(());
                    }
                }
                event => self.event(event, span.start)?,
            }
        }
        Ok(())
    }

    fn event(&mut self, event: Event<'_>, at: Marker) -> Result<(), Stop> {
        self.nodes += 1;
        if self.nodes > MAX_NODES {
            let what = format!("the file holds more than {MAX_NODES} values");
            self.say(at, what, "keep data out of the configuration");
            return Err(Stop);
        }
        let place = self.place(at);
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                self.refuse(anchor, tag.is_some(), at);
                let plain = style == ScalarStyle::Plain;
                if self.wants_key() {
                    self.key(&text, plain, at);
                } else if plain {
                    self.value(Node::plain(place, &text));
                } else {
                    self.value(Node::new(place, Value::Text(text.into_owned())));
                }
            }
            Event::Alias(_) => {
                self.say(
                    at,
                    "an alias (`*name`) is not supported",
                    "write the value out",
                );
                if self.wants_key() {
                    self.set_key(Key::Refused(place));
                } else {
                    let mut node = Node::new(place, Value::Null { empty: false });
                    node.pruned = true;
                    self.value(node);
                }
            }
            Event::SequenceStart(anchor, tag) => {
                self.refuse(anchor, tag.is_some(), at);
                self.start(Items::List(Vec::new()), at)?;
            }
            Event::MappingStart(anchor, tag) => {
                self.refuse(anchor, tag.is_some(), at);
                let (entries, key) = (BTreeMap::new(), None);
                self.start(Items::Map { entries, key }, at)?;
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(),
            _ => {}
        }
        Ok(())
    }

    fn start(&mut self, items: Items, at: Marker) -> Result<(), Stop> {
        if self.open.len() >= MAX_DEPTH {
            let what = format!("lists and maps stand more than {MAX_DEPTH} deep in each other");
            self.say(at, what, "flatten them");
            return Err(Stop);
        }
        let mut pruned = false;
        if self.wants_key() {
            self.say(
                at,
                "a list or a map stands as a key",
                "write a plain name before the `:`",
            );
            let place = self.place(at);
            self.set_key(Key::Refused(place));
            pruned = true;
        }
        if let Some(Open {
            items: Items::List(items),
            ..
        }) = self.open.last()
        {
            self.path.push(Step::Index(items.len()));
        }
        let place = self.place(at);
        self.open.push(Open {
            place,
            items,
            pruned,
        });
        Ok(())
    }

    fn end(&mut self) {
        let Some(open) = self.open.pop() else { return };
        if open.pruned {
            return;
        }
        if matches!(
            self.open.last(),
            Some(Open {
                items: Items::List(_),
                ..
            })
        ) {
            self.path.pop();
        }
        let value = match open.items {
            Items::List(items) => Value::List(items),
            Items::Map { entries, .. } => Value::Map(entries),
        };
        self.value(Node::new(open.place, value));
    }

    fn wants_key(&self) -> bool {
        matches!(
            self.open.last(),
            Some(Open {
                items: Items::Map { key: None, .. },
                ..
            })
        )
    }

    fn key(&mut self, text: &str, plain: bool, at: Marker) {
        let place = self.place(at);
        let known = match self.open.last() {
            Some(Open {
                items: Items::Map { entries, .. },
                ..
            }) => entries.get(text),
            _ => None,
        };
        if let Some(first) = known {
            let line = first.place.line().unwrap_or_default();
            let what = format!("the key `{text}` was written before, on line {line}");
            self.say(at, what, "keep one of the two");
            self.set_key(Key::Refused(place));
        } else if plain && text == "<<" {
            self.say(
                at,
                "a merge key (`<<`) is not supported",
                "write the values out",
            );
            self.set_key(Key::Refused(place));
        } else if text.is_empty() {
            self.say(at, "a key is empty", "write a name before the `:`");
            self.set_key(Key::Refused(place));
        } else {
            self.path.push(Step::Key(text.to_owned()));
            self.set_key(Key::Named(text.to_owned(), place));
        }
    }

    fn set_key(&mut self, new: Key) {
        if let Some(Open {
            items: Items::Map { key, .. },
            ..
        }) = self.open.last_mut()
        {
            *key = Some(new);
        }
    }

    fn value(&mut self, mut node: Node) {
        let Some(open) = self.open.last_mut() else {
            self.root = Some(node);
            return;
        };
        match &mut open.items {
            Items::List(items) => items.push(node),
            Items::Map { entries, key } => match key.take() {
                Some(Key::Named(name, place)) => {
                    node.place = place;
                    if let Entry::Vacant(entry) = entries.entry(name) {
                        entry.insert(node);
                    }
                    self.path.pop();
                }
                Some(Key::Refused(_)) | None => {}
            },
        }
    }

    fn refuse(&mut self, anchor: usize, tag: bool, at: Marker) {
        if anchor > 0 {
            self.say(
                at,
                "an anchor (`&name`) is not supported",
                "remove it, and write the value out where it is used",
            );
        }
        if tag {
            self.say(
                at,
                "a tag (`!name`) is not supported",
                "remove it; put text that looks like a number in quotes",
            );
        }
    }

    fn place(&self, at: Marker) -> Place {
        match self.origin {
            Origin::File(_) | Origin::Embedded(_) => {
                Place::at(self.origin, at.line(), at.col() + 1)
            }
            _ => Place::new(self.origin.clone()),
        }
    }

    fn say(&mut self, at: Marker, what: impl Into<String>, remedy: &str) {
        if self.left > 0 {
            self.left -= 1;
            let problem = Problem::new(self.place(at), self.path.to_string(), what, remedy);
            self.problems.push(problem);
        }
    }
}
