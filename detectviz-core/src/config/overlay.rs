//! The layers that a shell hands over: environment variables, ours and those of others, and `--set`.
use super::{
    node::{Node, Value},
    path::{KeyPath, Step},
    place::{Origin, Place},
    problem::Problem,
    yaml,
};
use std::collections::{BTreeMap, BTreeSet};

/// What a variable that is not ours stands for.
#[derive(Clone)]
pub(crate) struct Foreign {
    pub(crate) variable: String,
    pub(crate) path: String,
    pub(crate) value: serde_json::Value,
}

/// What every variable of ours starts with.
const PREFIX: &str = "DETECTVIZ__";

/// Makes a layer of `variables`. Keys are those of `lower`, and `names`, with case and dashes overlooked; a key that is
/// not there is in lower case.
pub(crate) fn environment(
    variables: &[(String, String)],
    lower: &Node,
    names: &[&str],
    problems: &mut Vec<Problem>,
) -> Node {
    let links = ServiceLinks::among(variables);
    let mut ours: Vec<_> = variables
        .iter()
        .filter(|(name, _)| name.starts_with(PREFIX) && !links.hold(name))
        .collect();
    ours.sort();
    let mut layer = Node::map(Place::new(Origin::Default));
    let mut written: BTreeMap<KeyPath, &str> = BTreeMap::new();
    for (name, text) in ours {
        let place = Place::new(Origin::Env(name.as_str().into()));
        let segments: Vec<&str> = name[PREFIX.len()..].split("__").collect();
        if segments.iter().any(|segment| segment.is_empty()) {
            let remedy = "write DETECTVIZ__ and the keys of the path with `__` between them";
            problems.push(Problem::new(
                place,
                "",
                "a key in the name is empty",
                remedy,
            ));
            continue;
        }
        let path = matched(&segments, lower, names);
        let clash = written
            .iter()
            .find(|(other, _)| path.starts_with(other) || other.starts_with(&path));
        if let Some((_, other)) = clash {
            let what = format!("it sets what `{other}` sets too");
            problems.push(Problem::new(
                place,
                path.to_string(),
                what,
                "keep one of the two",
            ));
            continue;
        }
        if let Some(node) = value(&place, &path, text, problems) {
            put(&mut layer, path.steps(), node);
            written.insert(path, name);
        }
    }
    layer
}

/// Makes a layer of what variables of others stand for; the later of two wins.
pub(crate) fn foreign(values: &[Foreign], problems: &mut Vec<Problem>) -> Node {
    let mut layer = Node::map(Place::new(Origin::Default));
    for Foreign {
        variable,
        path,
        value,
    } in values
    {
        let place = Place::new(Origin::Env(variable.as_str().into()));
        match KeyPath::parse(path) {
            Ok(path) => put(&mut layer, path.steps(), Node::from_json(&place, value)),
            Err(invalid) => {
                let what = format!("the path `{path}` cannot be read: {}", invalid.0);
                let remedy = "this is a fault of the program: report it";
                problems.push(Problem::new(place, "", what, remedy));
            }
        }
    }
    layer
}

/// Makes a layer of `path=value` flags; the later of two wins.
pub(crate) fn flags(flags: &[String], problems: &mut Vec<Problem>) -> Node {
    let mut layer = Node::map(Place::new(Origin::Default));
    for flag in flags {
        let (path, text) = match split(flag) {
            Ok(parts) => parts,
            Err((shown, what)) => {
                let place = Place::new(Origin::Flag(format!("--set {shown}").into()));
                problems.push(Problem::new(
                    place,
                    "",
                    what,
                    "write `--set path=value`, for example `--set http.port=8081`",
                ));
                continue;
            }
        };
        let place = Place::new(Origin::Flag(format!("--set {path}").into()));
        if path
            .steps()
            .iter()
            .any(|step| matches!(step, Step::Index(_)))
        {
            let remedy = "replace it as a whole, for example with `[one, two]`";
            problems.push(Problem::new(
                place,
                "",
                "a list cannot be changed in part",
                remedy,
            ));
        } else if let Some(node) = value(&place, &path, text, problems) {
            put(&mut layer, path.steps(), node);
        }
    }
    layer
}

/// The path and the text of `path=value`. An error never repeats the value.
fn split(flag: &str) -> Result<(KeyPath, &str), (&str, String)> {
    // A quoted key may hold a `=`.
    let mut quoted = false;
    let equals = flag.find(|c: char| {
        quoted ^= c == '"';
        c == '=' && !quoted
    });
    let Some(at) = equals else {
        return Err((flag, "the `=` is missing".to_owned()));
    };
    let (path, text) = (&flag[..at], &flag[at + 1..]);
    match KeyPath::parse(path) {
        Ok(path) => Ok((path, text)),
        Err(invalid) => Err((path, format!("the path cannot be read: {}", invalid.0))),
    }
}

/// What a shell means by `text`: a scalar, taken as it stands, or YAML where it starts like a list, a map or a quote.
fn value(place: &Place, path: &KeyPath, text: &str, problems: &mut Vec<Problem>) -> Option<Node> {
    let text = text.trim();
    if !text.starts_with(['[', '{', '"', '\'']) {
        return Some(Node::plain(place.clone(), text));
    }
    let mut found = Vec::new();
    let node = yaml::parse(place.origin(), text.as_bytes(), &mut found);
    if found.is_empty() {
        return node;
    }
    let remedy = "put a text that starts with a bracket or a quote in single quotes of its own";
    let what = format!("the value is not YAML: {}", found[0].what());
    problems.push(Problem::new(place.clone(), path.to_string(), what, remedy));
    None
}

/// The keys that `segments` stand for.
fn matched(segments: &[&str], lower: &Node, names: &[&str]) -> KeyPath {
    let mut here = Some(lower);
    let mut path = KeyPath::default();
    for (at, segment) in segments.iter().enumerate() {
        let wanted = segment.to_lowercase();
        let same = |key: &&str| key.to_lowercase().replace('-', "_") == wanted.replace('-', "_");
        let entries = here.and_then(Node::entries);
        let exact =
            entries.and_then(|entries| entries.contains_key(&wanted).then(|| wanted.clone()));
        let known = || entries.and_then(|entries| entries.keys().map(String::as_str).find(same));
        let named = || names.iter().copied().filter(|_| at == 0).find(same);
        let key =
            exact.unwrap_or_else(|| known().or_else(named).map_or(wanted.clone(), str::to_owned));
        here = entries.and_then(|entries| entries.get(&key));
        path.push(Step::Key(key));
    }
    path
}

fn put(layer: &mut Node, path: &[Step], node: Node) {
    let mut here = layer;
    for (at, step) in path.iter().enumerate() {
        let Step::Key(key) = step else { return };
        if here.entries().is_none() {
            // An earlier flag set what is a map from now on.
            *here = Node::map(node.place.clone());
        }
        let Value::Map(entries) = &mut here.value else {
            return;
        };
        if at + 1 == path.len() {
            entries.insert(key.clone(), node);
            return;
        }
        here = entries
            .entry(key.clone())
            .or_insert_with(|| Node::map(node.place.clone()));
    }
}

/// The variables by which Kubernetes tells every pod of a namespace about each Service in it. A Service called
/// `detectviz--x` gives `DETECTVIZ__X_PORT` and the like.
struct ServiceLinks<'a> {
    prefixes: BTreeSet<&'a str>,
}

// === impl ServiceLinks ===

impl<'a> ServiceLinks<'a> {
    /// Finds the Services: each has a host, a port, and a port as URL (`envvars.go` of the kubelet).
    fn among(variables: &'a [(String, String)]) -> Self {
        let held: BTreeMap<&str, &str> = variables
            .iter()
            .filter(|(name, _)| name.starts_with(PREFIX))
            .map(|(name, text)| (name.as_str(), text.as_str()))
            .collect();
        let service = |prefix: &&str| {
            let url = held.get(format!("{prefix}_PORT").as_str());
            !prefix.ends_with('_')
                && held.contains_key(format!("{prefix}_SERVICE_PORT").as_str())
                && url.is_some_and(|url| url.contains("://"))
        };
        let prefixes = held
            .keys()
            .filter_map(|name| name.strip_suffix("_SERVICE_HOST"))
            .filter(service)
            .collect();
        Self { prefixes }
    }

    fn hold(&self, name: &str) -> bool {
        self.prefixes
            .iter()
            .any(|prefix| name.strip_prefix(prefix).is_some_and(is_link))
    }
}

/// Whether `rest` is what the kubelet puts behind the name of a Service.
fn is_link(rest: &str) -> bool {
    if matches!(rest, "_SERVICE_HOST" | "_SERVICE_PORT" | "_PORT")
        || rest.starts_with("_SERVICE_PORT_")
    {
        return true;
    }
    let mut parts = rest.strip_prefix("_PORT_").unwrap_or_default().split('_');
    let number = parts.next().is_some_and(|part| part.parse::<u16>().is_ok());
    let protocol = matches!(parts.next(), Some("TCP" | "UDP" | "SCTP"));
    let what = matches!(parts.next(), None | Some("PROTO" | "PORT" | "ADDR"));
    number && protocol && what && parts.next().is_none()
}
