//! What the objects of the API server hold, as far as we look at them.
use super::{error::Failure, name::ObjectName};
use crate::store::{Fetched, Fields};
use detectviz_core::secret::Secret;
use k8s_openapi::ByteString;
use kube::core::WatchEvent;
use serde::Deserialize;
use std::collections::BTreeMap;

/// A Secret of `v1`. What it holds beside this, annotations among it, is read over.
#[derive(Deserialize)]
struct SecretObject {
    kind: String,
    metadata: Metadata,
    #[serde(default)]
    data: Option<BTreeMap<String, ByteString>>,
}

/// An object of which only the metadata was asked for.
#[derive(Clone, Deserialize)]
struct MetadataObject {
    metadata: Metadata,
}

#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    #[serde(default)]
    name: String,
    #[serde(default)]
    namespace: String,
    resource_version: String,
}

#[derive(Deserialize)]
struct List {
    metadata: ListMetadata,
    #[serde(default)]
    items: Option<Vec<MetadataObject>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ListMetadata {
    resource_version: String,
}

/// What a list of one name says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Listed {
    /// From where to watch.
    pub(super) version: String,
    /// The version of the object, where it is there.
    pub(super) object: Option<String>,
}

/// What one line of a watch says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Seen {
    /// The object has this version now.
    There(String),
    /// It was deleted; from here to go on.
    Deleted(String),
    /// Nothing happened until here.
    Bookmark(String),
}

/// Reads the answer for one Secret. The error never repeats it.
pub(super) fn secret(bytes: &[u8], asked: &ObjectName) -> Result<Fetched, Failure> {
    // The error of the reader may name a byte of a value.
    let object: SecretObject = serde_json::from_slice(bytes).map_err(|err| {
        let what = match err.classify() {
            serde_json::error::Category::Data => "is no Secret of `v1`",
            _ => "is not JSON",
        };
        Failure::Unreadable { what }
    })?;
    if object.kind != "Secret" || !object.metadata.is(asked) {
        let what = "is another object than was asked for";
        return Err(Failure::Unreadable { what });
    }
    let fields: Fields = object
        .data
        .unwrap_or_default()
        .into_iter()
        .map(|(key, value)| (key, Secret::new(value.0)))
        .collect();
    Ok(Fetched::new(fields).label(object.metadata.resource_version))
}

/// Reads a list that the name of `asked` restricts.
pub(super) fn list(bytes: &[u8], asked: &ObjectName) -> Result<Listed, Failure> {
    let list: List = serde_json::from_slice(bytes).map_err(|_| Failure::Unreadable {
        what: "is no list of metadata",
    })?;
    let mut items = list.items.unwrap_or_default().into_iter();
    let object = items.find(|item| item.metadata.is(asked));
    Ok(Listed {
        version: list.metadata.resource_version,
        object: object.map(|object| object.metadata.resource_version),
    })
}

/// Reads one line of a watch that the name of `asked` restricts; `None` where it is about another object.
pub(super) fn event(
    line: &[u8],
    asked: &ObjectName,
    server: &str,
) -> Result<Option<Seen>, Failure> {
    let event: WatchEvent<MetadataObject> =
        serde_json::from_slice(line).map_err(|_| Failure::Unreadable {
            what: "is no event of a watch",
        })?;
    Ok(match event {
        WatchEvent::Added(object) | WatchEvent::Modified(object) => {
            let Metadata {
                resource_version, ..
            } = &object.metadata;
            let version = resource_version.clone();
            object.metadata.is(asked).then_some(Seen::There(version))
        }
        WatchEvent::Deleted(object) => {
            let is_ours = object.metadata.is(asked);
            is_ours.then_some(Seen::Deleted(object.metadata.resource_version))
        }
        WatchEvent::Bookmark(mark) => Some(Seen::Bookmark(mark.metadata.resource_version)),
        WatchEvent::Error(status) => {
            return Err(Failure::Refused {
                server: server.to_owned(),
                refusal: super::status::Refusal::of(&status),
            });
        }
    })
}

// === impl Metadata ===

impl Metadata {
    fn is(&self, asked: &ObjectName) -> bool {
        self.name == asked.name && self.namespace == asked.namespace
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked() -> ObjectName {
        ObjectName {
            namespace: "shop".to_owned(),
            name: "db".to_owned(),
        }
    }

    fn object(data: &str) -> String {
        format!(
            r#"{{"kind":"Secret","apiVersion":"v1","metadata":{{"name":"db","namespace":"shop","uid":"u",
            "resourceVersion":"7","annotations":{{"a":"\"\u0041"}}}},"immutable":true,"type":"Opaque"{data}}}"#
        )
    }

    #[test]
    fn a_secret_has_its_keys_as_fields_and_its_version_as_label() {
        let text = object(r#","data":{"user":"YXBw","bytes":"AP+A","none":null,"empty":""}"#);
        let fetched = secret(text.as_bytes(), &asked()).unwrap();
        assert_eq!(fetched.label.as_deref(), Some("7"));
        let shown: Vec<_> = fetched
            .fields
            .iter()
            .map(|(k, v)| (k.as_str(), v.expose()))
            .collect();
        let expected: [(&str, &[u8]); 4] = [
            ("bytes", &[0, 255, 128]),
            ("empty", b""),
            ("none", b""),
            ("user", b"app"),
        ];
        assert_eq!(shown, expected);
        for none in ["", r#","data":null"#, r#","data":{}"#] {
            assert!(
                secret(object(none).as_bytes(), &asked())
                    .unwrap()
                    .fields
                    .is_empty(),
                "{none}"
            );
        }
    }

    #[test]
    fn s10_an_answer_that_cannot_be_read_is_an_error_without_a_byte_of_it() {
        let whole = object(r#","data":{"user":"YXBw"}"#);
        for (text, said) in [
            (whole.replace("YXBw", "canary!"), "no Secret"),
            (whole.replace(r#""YXBw""#, "[99]"), "no Secret"),
            (whole.replace(r#""resourceVersion":"7","#, ""), "no Secret"),
            (
                whole.replace("\"kind\":\"Secret\"", "\"kind\":\"canary\""),
                "another object",
            ),
            (whole.replace("\"db\"", "\"canary\""), "another object"),
            (whole.replace("\"shop\"", "\"canary\""), "another object"),
            (whole[..whole.len() - 2].to_owned(), "not JSON"),
            ("<html>canary</html>".to_owned(), "not JSON"),
            (String::new(), "not JSON"),
        ] {
            let err = secret(text.as_bytes(), &asked()).unwrap_err();
            let shown = format!("{err} {err:?}");
            assert!(shown.contains(said) && !shown.contains("canary"), "{shown}");
        }
    }

    #[test]
    fn a_list_and_the_lines_of_a_watch_say_which_version_there_is() {
        let item = r#"{"kind":"PartialObjectMetadata","metadata":{"name":"db","namespace":"shop","resourceVersion":"5"}}"#;
        for (items, object) in [
            (format!("[{item}]"), Some("5")),
            (format!("[{}]", item.replace("\"db\"", "\"other\"")), None),
            ("[]".to_owned(), None),
            ("null".to_owned(), None),
        ] {
            let text = format!(
                r#"{{"kind":"PartialObjectMetadataList","metadata":{{"resourceVersion":"9"}},"items":{items}}}"#
            );
            let listed = list(text.as_bytes(), &asked()).unwrap();
            let expected = Listed {
                version: "9".to_owned(),
                object: object.map(str::to_owned),
            };
            assert_eq!(listed, expected);
        }
        let read = |kind: &str, item: &str| {
            let line = format!(r#"{{"type":"{kind}","object":{item}}}"#);
            event(line.as_bytes(), &asked(), "https://api")
        };
        let five = || "5".to_owned();
        assert_eq!(read("ADDED", item).unwrap(), Some(Seen::There(five())));
        assert_eq!(read("MODIFIED", item).unwrap(), Some(Seen::There(five())));
        assert_eq!(read("DELETED", item).unwrap(), Some(Seen::Deleted(five())));
        assert_eq!(read("ADDED", &item.replace("shop", "other")).unwrap(), None);
        let mark = r#"{"kind":"Secret","apiVersion":"v1","metadata":{"resourceVersion":"5","creationTimestamp":null}}"#;
        assert_eq!(
            read("BOOKMARK", mark).unwrap(),
            Some(Seen::Bookmark(five()))
        );
        let gone = r#"{"kind":"Status","status":"Failure","message":"too old","reason":"Expired","code":410}"#;
        let err = read("ERROR", gone).unwrap_err();
        assert!(
            err.refusal()
                .is_some_and(super::super::status::Refusal::is_expired)
        );
        for line in [
            "{",
            "",
            r#"{"type":"OTHER","object":{}}"#,
            r#"{"type":"ADDED"}"#,
        ] {
            assert!(
                event(line.as_bytes(), &asked(), "https://api").is_err(),
                "{line}"
            );
        }
    }
}
