//! What the bytes of a file mean.
use super::*;

/// Reads `text` as a file of this name: its fields, or what is wrong with it.
#[tokio::test]
async fn the_form_of_a_file_is_told_by_its_name_or_by_the_reference() {
    let dir = Dir::new();
    for (path, text, expected) in [
        ("token", "v\n", "value=v"),
        ("token", "v\r\n", "value=v"),
        ("token", "v\n\n", "value=v\n"),
        ("token", "a\0b", "value=a\0b"),
        ("a.json?format=value", "{}", "value={}"),
        ("token?format=json", r#"{"a":"b"}"#, "a=b"),
        ("config?format=yaml", "a: b", "a=b"),
        ("config?format=dotenv", "A=b", "A=b"),
        (
            "a.json",
            r#"{"user":"u","password":"p\n\u00e9"}"#,
            "password=p\né user=u",
        ),
        ("a.json", "\u{feff}{\"n\":1,\"t\":true}\r\n", "n=1 t=true"),
        (
            "a.yaml",
            "# c\nuser: u\npassword: 'it''s' # c\n",
            "password=it's user=u",
        ),
        (
            "a.yml",
            "\u{feff}---\r\na: b c\r\n\"d\": \"e\\t\\x41\\u00e9 \\\\ \\\"\"\r\n",
            "a=b c d=e\tAé \\ \"",
        ),
        (
            "a.yaml",
            "{a: b, \"c\": 5432, d: null, e: ~}\n",
            "a=b c=5432",
        ),
        (
            "a.yaml",
            "key: |\n  -----BEGIN é\n    abc\n\n  -----END\nnext: |2-\n    x\n",
            "key=-----BEGIN é\n  abc\n\n-----END\n next=  x",
        ),
        ("a.yaml", "key: |\r\n  one\r\n  two\r\n", "key=one\ntwo\n"),
        (
            "a.yaml",
            "a: p@$%w^&*()_+=[]{}<>/;\n",
            "a=p@$%w^&*()_+=[]{}<>/;",
        ),
        ("a.yaml", "empty:\na: b", "a=b empty="),
        (
            ".env",
            "# c\r\nexport A=1\r\n\tB=\"x y\" # c\n",
            "A=1 B=x y",
        ),
        (
            "x.env",
            "A='q\\n$X' \n\nB=a#b # c\nC=# c\nD= x=\"y\" \n",
            "A=q\\n$X B=a#b C= D=x=\"y\"",
        ),
        (
            "x.env",
            "\u{feff}A=\"1\\n2\\t\\\"\\\\\\$`\"\n",
            "A=1\n2\t\"\\$`",
        ),
        ("x.env", "exportA=1\nB_1.c-d=2", "B_1.c-d=2 exportA=1"),
    ] {
        dir.write(path.split('?').next().unwrap(), text.as_bytes());
        let fetched = dir.fetch(path).await;
        let fetched = fetched.unwrap_or_else(|err| panic!("{path}: {text:?}: {err}"));
        let pairs = shown(&fetched).into_iter();
        let pairs: Vec<_> = pairs
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        assert_eq!(pairs.join(" "), expected, "{path}: {text:?}");
    }
}

#[tokio::test]
async fn what_cannot_be_understood_is_told_with_its_line_and_without_its_content() {
    let dir = Dir::new();
    for (path, text, says) in [
        ("token", "\u{feff}canary", "byte order mark"),
        ("a.json", "canary", "write a JSON object"),
        ("a.json", "{\n\"a\": canary}", "line 2, column 6"),
        ("a.json", "[\"canary\"]", "write a JSON object"),
        (
            "a.yaml",
            "canary",
            "line 1, column 1: write `name: value` lines",
        ),
        ("a.yaml", "a: b\n- canary", "line 2"),
        (
            "a.yaml",
            "a: b\nb: [canary]",
            "line 2, column 4: a list or a map",
        ),
        (
            "a.yaml",
            "a:\n  canary: x",
            "line 2, column 3: a list or a map",
        ),
        (
            "a.yaml",
            "a: &canary x",
            "line 1, column 4: an anchor, an alias or a tag",
        ),
        ("a.yaml", "a: x\nb: *canary", "line 2"),
        ("a.yaml", "a: !canary x", "line 1"),
        (
            "a.yaml",
            "a: \"canary\n  canary\"",
            "line 1, column 4: the value goes over several lines",
        ),
        ("a.yaml", "a: >\n  canary\n", "over several lines"),
        (
            "a.yaml",
            "a: canary\na: canary",
            "line 2, column 1: this key was given",
        ),
        ("a.yaml", "a: 'canary", "line 1"),
        ("a.yaml", "a: \"canary\\q\"", "line 1"),
        ("a.yaml", "a: b\n---\nc: canary", "a second document"),
        ("a.yaml", "a: ca\0nary", "line 1 holds a control character"),
        ("a.yaml", "? [canary]\n: x", "line 1"),
        ("x.env", "A=1\ncanary", "line 2: write NAME=value"),
        ("x.env", "1A=canary", "line 1: write NAME=value"),
        ("x.env", "A B=canary", "line 1: write NAME=value"),
        (
            "x.env",
            "A=\"canary\ncanary\"",
            "line 1: the closing quote is missing",
        ),
        (
            "x.env",
            "A='can'ary",
            "line 1: something follows the closing quote",
        ),
        ("x.env", "A=\"can\\qary\"", "line 1: an unknown escape"),
        (
            "x.env",
            "A=canary\nA=canary",
            "line 2: this name was given a value before",
        ),
        ("x.env", "A=1\nB=can\0ary", "line 2 holds a NUL byte"),
        (
            "token?version=3",
            "canary",
            "the parameter `version` is unknown; known here: `format`",
        ),
        ("token?format=jsn", "canary", "did you mean `json`?"),
        ("token?format=json&format=yaml", "{}", "give `format` once"),
    ] {
        dir.write(path.split('?').next().unwrap(), text.as_bytes());
        let err = dir.fetch(path).await.expect_err(text);
        assert_eq!(err.kind(), SecretErrorKind::Malformed, "{text:?}: {err}");
        let told = err.to_string();
        assert!(told.contains(says), "{text:?}: {told}");
        assert!(
            !format!("{err} {err:?}").contains("canary"),
            "{text:?}: {told}"
        );
    }
    for path in ["a.yaml", "x.env", "a.json"] {
        dir.write(path, b"a: ca\xffnary");
        let err = dir.fetch(path).await.unwrap_err();
        assert_eq!(err.kind(), SecretErrorKind::Malformed, "{path}: {err}");
    }
}
