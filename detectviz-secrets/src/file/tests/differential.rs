//! The reading of YAML against a parser that decodes by itself.
use super::super::yaml;
use proptest::prelude::*;
use saphyr_parser::{Event, Parser, ScalarStyle};
use std::collections::BTreeMap;

/// What the parser makes of a map of scalars; nulls are left out.
fn theirs(text: &str) -> Option<BTreeMap<String, String>> {
    let (mut found, mut key) = (BTreeMap::new(), None);
    let mut depth = 0;
    for event in Parser::new_from_str(text) {
        match event.ok()?.0 {
            Event::MappingStart(0, None) => depth += 1,
            Event::SequenceStart(..) | Event::Alias(..) => return None,
            Event::Scalar(scalar, style, 0, None) if depth == 1 => match key.take() {
                None => key = Some(scalar.into_owned()),
                Some(name) => {
                    let is_null = matches!(&*scalar, "~" | "null" | "Null" | "NULL");
                    if !(is_null && style == ScalarStyle::Plain) {
                        found.insert(name, scalar.into_owned());
                    }
                }
            },
            Event::Scalar(..) => return None,
            _ => {}
        }
    }
    (depth == 1).then_some(found)
}

fn ours(text: &str) -> Option<BTreeMap<String, String>> {
    let fields = yaml::fields(text.as_bytes()).ok()?.into_iter();
    let text = |secret: detectviz_core::secret::Secret| secret.expose_str().unwrap().to_owned();
    Some(fields.map(|(name, value)| (name, text(value))).collect())
}

/// Pieces that a file is made of, those that change its shape more often than others.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        3 => Just("\n".to_owned()),
        2 => Just(": ".to_owned()),
        2 => prop_oneof!["a", "b", "key", "é", "12", "~", "null", "x y"].prop_map(|s| s.to_string()),
        2 => prop_oneof![Just("'"), Just("\""), Just("|"), Just(">"), Just("|2-"), Just("|+"), Just("\\n"), Just("\\"), Just("\\x4a"), Just("\\u00e9"), Just("''"), Just("\r\n")].prop_map(str::to_owned),
        2 => Just("  ".to_owned()),
        1 => "[ -~]{1,6}",
        1 => prop_oneof![Just("- "), Just("# "), Just(" #"), Just("{"), Just("}"), Just(", "), Just("&a "), Just("!t "), Just("---\n"), Just("...\n"), Just("%"), Just("? "), Just("\t")].prop_map(str::to_owned),
    ];
    let line = ("[a-z]{1,4}", proptest::collection::vec(piece.clone(), 0..6))
        .prop_map(|(key, rest)| format!("{key}: {}\n", rest.concat()));
    prop_oneof![
        proptest::collection::vec(line, 1..4).prop_map(|lines| lines.concat()),
        proptest::collection::vec(piece, 0..16).prop_map(|pieces| pieces.concat()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]
    #[test]
    fn what_is_accepted_is_read_as_the_parser_reads_it(text in pieces()) {
        if let Some(ours) = ours(&text) {
            let theirs = theirs(&text);
            let nothing = theirs.is_none() && ours.is_empty();
            prop_assert!(nothing || theirs.as_ref() == Some(&ours), "{text:?}: {ours:?}, {theirs:?}");
        }
    }

    #[test]
    fn a_plain_map_is_accepted(pairs in proptest::collection::btree_map("[a-z_]{1,8}", "[a-zA-Z0-9+/=_.-]{1,40}", 1..5)) {
        let text: String = pairs.iter().map(|(k, v)| format!("{k}: \"{v}\"\n")).collect();
        prop_assert_eq!(ours(&text), Some(pairs));
    }
}
